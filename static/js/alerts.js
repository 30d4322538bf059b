// Keys of the alert pages: j and k move, a acknowledges.
import { typing } from './site.js'

let selected = null
const lines = () => [...document.querySelectorAll('article.al')]

function move(step) {
  const all = lines()
  if (!all.length) return
  const at = all.findIndex(line => line.id === selected)
  const next = all[Math.min(Math.max(at + step, 0), all.length - 1)]
  selected = next.id
  next.querySelector('a').focus()
}

document.addEventListener('keydown', event => {
  if (typing(event)) return
  if (event.key === 'j') move(1)
  if (event.key === 'k') move(-1)
  if (event.key === 'a') {
    const place = lines().length ? document.getElementById(selected) : document
    place?.querySelector('[data-ack]')?.click()
  }
})
