// Keys and deeds of the alert pages: j and k move, a acknowledges, 1 2 3 judge; what was done shows at once.
import { refreshNow, typing } from './site.js'

let selected = ''
const lines = () => [...document.querySelectorAll('article.al, li.turn-line')]
const idOf = line => line.id || line.querySelector('[id]').id

function mark() {
  for (const line of lines()) line.classList.toggle('sel', idOf(line) === selected)
}

function move(step) {
  const all = lines()
  if (!all.length) return
  const at = all.findIndex(line => idOf(line) === selected)
  const next = all[Math.min(Math.max(at + step, 0), all.length - 1)]
  selected = idOf(next)
  mark()
  next.querySelector('a').focus({ preventScroll: true })
  next.scrollIntoView({ block: 'nearest' })
}

// On a list the keys speak of the chosen alert, on a page of the one that it shows.
const place = () => document.querySelector('article.al') ? lines().find(line => idOf(line) === selected) : document

document.addEventListener('keydown', event => {
  if (typing(event)) return
  if (event.key === 'j') move(1)
  if (event.key === 'k') move(-1)
  if (event.key === 'a') place()?.querySelector('[data-ack]')?.click()
  if (['1', '2', '3'].includes(event.key)) place()?.querySelector(`[data-verdict="${event.key}"]`)?.click()
  if (event.key === '/' && document.getElementById('find')) {
    event.preventDefault()
    document.getElementById('find').focus()
  }
  if (event.key === ' ' && event.target.closest('li.turn-line a')) {
    event.preventDefault()
    event.target.closest('li').querySelector('[data-hear]').click()
  }
})

// Menus close as people expect: by Escape, and by a click elsewhere.
document.addEventListener('keydown', event => {
  const open = event.key === 'Escape' && document.querySelector('details.menu[open]')
  if (!open) return
  open.open = false
  open.querySelector('summary').focus()
})
document.addEventListener('click', event => {
  for (const menu of document.querySelectorAll('details.menu[open]')) if (!menu.contains(event.target)) menu.open = false
})

// Whether the focus stood on what was pressed; it may be gone once it is done.
let stoodHere = false

// A deed is posted; the live part of the page is fetched anew, and what was refused is said.
document.addEventListener('htmx:afterRequest', ({ detail }) => {
  if (!detail.elt.matches('[data-deed]')) return
  const refused = !detail.successful && detail.xhr.status >= 400 && detail.xhr.status < 500
  document.querySelector('[data-deed-state]').textContent = refused ? detail.xhr.responseText : ''
  detail.elt.closest('details.menu')?.removeAttribute('open')
  stoodHere = detail.elt.contains(document.activeElement) || stoodHere
  refreshNow()
})
document.addEventListener('refreshed', () => {
  mark()
  if (!stoodHere || document.activeElement !== document.body) return
  stoodHere = false
  const line = lines().find(line => idOf(line) === selected)
  const next = line?.querySelector('a') ?? document.getElementById('main')
  next.focus({ preventScroll: true })
})

const narrow = document.querySelector('[data-narrow]')
if (narrow) {
  narrow.querySelector('[data-without-script]').hidden = true
  narrow.addEventListener('change', event => event.target.type !== 'search' && narrow.requestSubmit())
}
