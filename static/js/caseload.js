// Filter, search and keys of the caseload; all on what the page already holds.
import { typing } from './site.js'
import { say } from './words.js'

const fields = ['find', 'find-m'].map(id => document.getElementById(id)).filter(Boolean)
let group = ''
let selected = ''

const shown = element => !element.hidden && !element.closest('[hidden]')
const lines = () => [...document.querySelectorAll('tr.line')].filter(shown)

function apply() {
  const wanted = fields.map(field => field.value).join('').trim().toLocaleLowerCase()
  for (const section of document.querySelectorAll('[data-group]')) {
    let any = false
    for (const entry of section.querySelectorAll('[data-find]')) {
      entry.hidden = !entry.dataset.find.toLocaleLowerCase().includes(wanted)
      any ||= !entry.hidden
    }
    section.hidden = !any || (group !== '' && section.dataset.group !== group)
  }
  for (const button of document.querySelectorAll('[data-filter]'))
    button.setAttribute('aria-pressed', button.dataset.filter === group)
  const none = document.getElementById('none-found')
  none.hidden = lines().length > 0 || !document.querySelector('tr.line')
  none.textContent = none.hidden ? '' : say('noneFound')
  mark()
}

function mark() {
  for (const line of document.querySelectorAll('tr.line')) line.classList.toggle('sel', line.dataset.key === selected)
}

function move(step) {
  const all = lines()
  if (!all.length) return
  const at = all.findIndex(line => line.dataset.key === selected)
  const next = all[Math.min(Math.max(at + step, 0), all.length - 1)]
  selected = next.dataset.key
  mark()
  next.querySelector('a').focus({ preventScroll: true })
  next.scrollIntoView({ block: 'nearest' })
}

document.addEventListener('click', event => {
  const button = event.target.closest('[data-filter]')
  if (button) {
    group = button.dataset.filter
    return apply()
  }
  const line = event.target.closest('tr.line')
  if (line && !event.target.closest('a') && !getSelection().toString()) line.querySelector('a').click()
})
for (const field of fields) field.addEventListener('input', apply)
document.addEventListener('keydown', event => {
  if (event.key === 'Escape' && fields.includes(event.target)) {
    event.target.value = ''
    event.target.blur()
    return apply()
  }
  if (typing(event)) return
  if (event.key === '/') {
    event.preventDefault()
    fields.find(field => field.offsetParent)?.focus()
  }
  if (event.key === 'j') move(1)
  if (event.key === 'k') move(-1)
})
document.addEventListener('refreshed', apply)
apply()
