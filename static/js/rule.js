// The editor of a rule: whatever is changed is tried out at once; the red line follows pointer and keys.
import { coalesced } from './site.js'
import { say } from './words.js'

const form = document.getElementById('terms')
const shown = document.getElementById('preview')
const told = document.getElementById('preview-said')
const threshold = form.elements.threshold
const recovery = form.elements.recovery_threshold
const before = snapshot()

const chart = () => document.getElementById('rulechart')
const line = () => document.getElementById('fires-line')
const slide = document.getElementById('slide')
let dragging = false
let sliding = false

function snapshot() {
  const terms = new FormData(form)
  for (const name of ['csrfmiddlewaretoken', 'reason', 'closely']) terms.delete(name)
  return JSON.stringify([...terms])
}

async function tryOut() {
  const terms = new FormData(form)
  terms.set('w', Math.round(shown.clientWidth - 34))
  shown.setAttribute('aria-busy', 'true')
  try {
    const answer = await fetch(form.dataset.preview, { method: 'POST', body: terms })
    if (answer.redirected) return location.reload()
    if (!answer.ok) throw new Error(`preview: ${answer.status}`)
    exchange(await answer.text())
  } catch (error) {
    told.textContent = say('previewFailed')
    throw error
  } finally {
    shown.removeAttribute('aria-busy')
  }
}

function exchange(html) {
  const focused = shown.contains(document.activeElement) ? document.activeElement.id : ''
  const table = shown.querySelector('details.table')?.open
  shown.innerHTML = html
  if (table) shown.querySelector('details.table')?.setAttribute('open', '')
  if (focused) document.getElementById(focused)?.focus({ preventScroll: true })
  if (dragging) place(Number(threshold.value))
  fitSlide()
  told.textContent = document.getElementById('sentence')?.textContent ?? ''
}

const trySoon = coalesced(tryOut, 60)

function changed() {
  document.getElementById('is-draft').hidden = snapshot() === before
  trySoon()
}

// --- The red line -----------------------------------------------------------------------------

function scale() {
  const { low, high, top, foot, step } = chart().dataset
  return { low: +low, high: +high, top: +top, foot: +foot, step: +step }
}

const inWords = value =>
  say(form.dataset.fires === 'above' ? 'firesAbove' : 'firesBelow', { line: String(value).replace('-', '−') })

function place(value) {
  slideTo(value)
  const { low, high, top, foot } = scale()
  const y = top + (high - value) / (high - low) * (foot - top)
  line().setAttribute('transform', `translate(0 ${Math.min(Math.max(y, 0), foot)})`)
  line().setAttribute('aria-valuenow', value)
  line().setAttribute('aria-valuetext', inWords(value))
  document.getElementById('fires-at').textContent = `↕ ${String(value).replace('-', '−')}`
}

// --- The slider -------------------------------------------------------------------------------

function slideTo(value) {
  if (!sliding) slide.value = value
  slide.setAttribute('aria-valuetext', inWords(value))
  document.getElementById('slide-says').textContent = inWords(value)
}

// It spans what the chart spans; while it is held it keeps its span, or the thumb would run away.
function fitSlide() {
  slide.parentElement.hidden = !chart()
  if (!chart() || sliding) return
  const { low, high, step } = scale()
  Object.assign(slide, { min: Math.ceil(low / step) * step, max: Math.floor(high / step) * step, step })
  place(Number(threshold.value))
}

slide.addEventListener('pointerdown', () => { sliding = true })
slide.addEventListener('input', () => move(Number(slide.value)))
for (const name of ['change', 'pointerup', 'pointercancel'])
  slide.addEventListener(name, () => { sliding = false; fitSlide() })

function move(value) {
  const { step } = scale()
  const digits = Math.max(0, -Math.floor(Math.log10(step)))
  const rounded = Number((Math.round(value / step) * step).toFixed(digits))
  const crossed = (Number(threshold.value) - Number(recovery.value)) * (rounded - Number(recovery.value)) < 0
  threshold.value = rounded
  if (crossed) recovery.value = rounded // The line at which it ends never lies beyond the one at which it fires.
  place(rounded)
  changed()
}

function valueAt(event) {
  const { low, high, top, foot } = scale()
  const box = chart().getBoundingClientRect()
  const y = (event.clientY - box.top) * chart().viewBox.baseVal.height / box.height
  return high - (y - top) / (foot - top) * (high - low)
}

shown.addEventListener('pointerdown', event => {
  if (!event.target.closest('#fires-line') || event.button) return
  event.preventDefault()
  line().focus({ preventScroll: true })
  dragging = true
})
addEventListener('pointermove', event => { if (dragging && chart()) move(valueAt(event)) })
for (const name of ['pointerup', 'pointercancel']) addEventListener(name, () => { dragging = false })

const STEPS = { ArrowUp: 1, ArrowDown: -1, ArrowRight: 1, ArrowLeft: -1, PageUp: 10, PageDown: -10 }
shown.addEventListener('keydown', event => {
  if (!event.target.closest('#fires-line') || !(event.key in STEPS)) return
  event.preventDefault()
  move(Number(threshold.value) + STEPS[event.key] * scale().step)
})

// Fields outside the form's own element, like the choice of a client, belong to it by their form attribute.
for (const kind of ['input', 'change'])
  document.addEventListener(kind, event => {
    if (event.target.form !== form || [slide, form.elements.reason].includes(event.target)) return
    if (event.target === threshold && chart() && threshold.value !== '') place(Number(threshold.value))
    changed()
  })

fitSlide()
if (chart() && Math.abs(chart().viewBox.baseVal.width - (shown.clientWidth - 34)) > 40) trySoon()
