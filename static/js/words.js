// The words of the scripts, in the reader's language, as the page brought them.
const words = JSON.parse(document.getElementById('script-words')?.textContent ?? '{}')

export const say = (name, values = {}) =>
  (words[name] ?? name).replace(/\{(\w+)\}/g, (_, key) => values[key] ?? '')

export const clock = seconds => {
  const whole = Math.max(0, Math.round(seconds))
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60]
  const two = n => String(n).padStart(2, '0')
  return h ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`
}
