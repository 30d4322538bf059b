// Filter, search and keys of the caseload, all on what the page already holds; both stand in the address.
import { exchanged } from './keep.js'
import { typing } from './site.js'
import { say } from './words.js'

const fields = ['find', 'find-m'].map(id => document.getElementById(id)).filter(Boolean)
const asked = new URLSearchParams(location.search)
let group = asked.get('show') ?? ''
let selected = ''
if (fields[0]) fields[0].value = asked.get('q') ?? ''

const lines = () => [...document.querySelectorAll('tr.line')].filter(line => !line.hidden)
const query = () => fields.map(field => field.value).join('').trim()

function fits(entry, wanted) {
  if (!entry.dataset.find.toLocaleLowerCase().includes(wanted)) return false
  return group === '' || (group === 'alerts' ? 'alerts' in entry.dataset : entry.dataset.group === group)
}

// Each part brings its first lines. Whoever searches, filters or asks for more gets all, once.
let whole = Boolean(document.querySelector('[data-live][data-whole]'))
let fetching = null

function fetchWhole() {
  if (whole || !document.querySelector('[data-more]')) return
  const address = new URL(location.href)
  address.searchParams.set('all', 1)
  fetching ??= fetch(address, { headers: { 'X-Refresh': '1' } }).then(async answer => {
    if (!answer.ok) throw new Error(`${answer.status}`)
    const page = new DOMParser().parseFromString((await answer.text()).replace(/<style\b[\s\S]*?<\/style>/g, ''), 'text/html')
    history.replaceState(null, '', new URL(location.href).search ? `${location.href}&all=1` : `${location.href}?all=1`)
    whole = true
    exchanged(document.querySelector('[data-live]'), page.querySelector('[data-live]'))
    apply()
  }).catch(error => {
    console.error(error)
    document.getElementById('none-found').hidden = false
    document.getElementById('none-found').textContent = say('moreFailed')
  }).finally(() => { fetching = null })
}

function apply() {
  const wanted = query().toLocaleLowerCase()
  if (wanted || group) fetchWhole()
  for (const part of document.querySelectorAll('[data-part]')) {
    let any = false
    for (const entry of part.querySelectorAll('[data-find]')) {
      entry.hidden = !fits(entry, wanted)
      any ||= !entry.hidden
    }
    part.hidden = !any
  }
  for (const button of document.querySelectorAll('[data-filter]'))
    button.setAttribute('aria-pressed', button.dataset.filter === group)
  const none = document.getElementById('none-found')
  none.hidden = lines().length > 0 || !document.querySelector('tr.line') || fetching !== null
  none.textContent = none.hidden ? '' : say('noneFound')
  mark()
}

// Coming back from a client finds the caseload as it was left.
function remember() {
  const address = new URL(location.href)
  for (const [name, value] of [['q', query()], ['show', group]])
    value ? address.searchParams.set(name, value) : address.searchParams.delete(name)
  history.replaceState(null, '', address)
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
    remember()
    return apply()
  }
  if (event.target.closest('[data-more]')) {
    event.preventDefault()
    return fetchWhole()
  }
  const line = event.target.closest('tr.line')
  if (line && !event.target.closest('a') && !getSelection().toString()) line.querySelector('a').click()
})
for (const field of fields) {
  field.addEventListener('input', () => {
    apply()
    remember()
  })
}
document.addEventListener('change', event => {
  const choices = event.target.closest('[data-choices]')
  if (!choices) return
  const address = new URL(location.href)
  for (const [name, value] of new FormData(choices))
    value ? address.searchParams.set(name, value) : address.searchParams.delete(name)
  location.href = address
})
document.addEventListener('keydown', event => {
  if (event.key === 'Escape' && fields.includes(event.target)) {
    event.target.value = ''
    event.target.blur()
    remember()
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
