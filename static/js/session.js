// The session page: chart and transcript side by side, sound under both, growing by itself.
import { redrawOnTheme } from './draw.js'
import { Lanes, failed } from './lanes.js'
import { Player } from './player.js'
import { Remarks } from './remarks.js'
import { coalesced, typing } from './site.js'
import { undo } from './undo.js'
import { watch } from './watch.js'

const root = document.getElementById('session')
const turns = document.getElementById('turns')
const follow = document.getElementById('follow')
const parts = { facts: 'facts', session_notes: 'notes', events: 'events', session_table: 'twin' }

const SETTLED_MS = 2500

let selected = null

const rows = () => [...turns.querySelectorAll('.tr')]
const rowOf = id => document.getElementById('turn-' + id)
const player = new Player(root.dataset.audio, { moved: () => lanes.showPlayhead(), finished: playNext })
const lanes = new Lanes({
  atS: () => player.atS,
  picked: (id, atS) => { id ??= nearest(atS)?.dataset.id; if (id) select(id, { play: true }) },
  noted: id => remarks.show(id),
  hovered: pointAt,
})
const remarks = new Remarks({ changed, go })

async function load() {
  const fresh = await lanes.load()
  if (!fresh) return
  exchangeRows(fresh.turns)
  for (const [name, id] of Object.entries(parts)) {
    const place = document.getElementById(id)
    if (place) place.innerHTML = fresh[name]
  }
  const count = document.getElementById('note-count')
  if (count) count.textContent = document.querySelectorAll('#notes [data-note]').length
  if (fresh.ended && !root.dataset.ended) location.reload()
}

// After something was written: the page's parts anew, and the open turn too.
async function changed() {
  await load()
  if (selected && !rowOf(selected)?.querySelector('.detail').hidden) await showDetail(selected)
}

// --- The turns --------------------------------------------------------------------------------

function exchangeRows(html) {
  const open = selected && !rowOf(selected)?.querySelector('.detail').hidden
  const detail = open ? rowOf(selected).querySelector('.detail').innerHTML : ''
  const focused = turns.contains(document.activeElement) ? document.activeElement.closest('.tr')?.dataset.id : null
  const pressed = document.activeElement?.dataset?.heard
  const before = new Map(rows().map(row => [row.dataset.id, row.dataset.kind]))
  turns.innerHTML = html
  const fresh = rows().filter(row => before.get(row.dataset.id) !== row.dataset.kind)
  if (selected) mark(detail)
  if (focused) (pressed ? rowOf(focused)?.querySelector(`[data-heard=${pressed}]`) : rowOf(focused)?.querySelector('button'))?.focus()
  if (before.size && fresh.length && follow.checked && !player.playing && !selected) fresh.at(-1).scrollIntoView({ block: 'nearest' })
}

function mark(detail = '') {
  for (const row of turns.querySelectorAll('.tr.sel')) close(row)
  const row = rowOf(selected)
  if (!row) return
  row.classList.add('sel')
  row.querySelector('button').setAttribute('aria-expanded', detail !== '')
  const place = row.querySelector('.detail')
  place.hidden = !detail
  if (detail) place.innerHTML = detail
}

function close(row) {
  row.classList.remove('sel')
  row.querySelector('button').setAttribute('aria-expanded', 'false')
  row.querySelector('.detail').hidden = true
}

async function select(id, { why = true, play = false, from = 0 } = {}) {
  const row = rowOf(id)
  if (!row) return
  selected = id
  mark()
  player.load(row, from)
  lanes.reveal(Number(row.dataset.at) + from)
  if (play) player.play()
  if (follow.checked) row.scrollIntoView({ block: 'nearest' })
  if (why) await showDetail(id)
}

async function showDetail(id) {
  const answer = await fetch(root.dataset.turn.replace('ID', id))
  if (!answer.ok || selected !== id) return
  const pressed = document.activeElement?.dataset?.heard
  mark(await answer.text())
  const row = rowOf(id)
  if (pressed) row?.querySelector(`[data-heard=${pressed}]`)?.focus()
  if (follow.checked) row?.scrollIntoView({ block: 'nearest' })
}

function step(by) {
  const all = rows()
  const at = all.findIndex(row => row.dataset.id === selected)
  const next = all[Math.min(Math.max(at + by, 0), all.length - 1)]
  if (next) select(next.dataset.id, { play: player.playing })
}

function playNext() {
  const all = rows()
  const at = all.findIndex(row => row.dataset.id === selected)
  const next = all.slice(at + 1).find(row => row.dataset.audio === 'kept')
  if (next) select(next.dataset.id, { play: true })
}

function toggleWhy() {
  if (!selected) return
  const open = !rowOf(selected).querySelector('.detail').hidden
  if (open) mark()
  else select(selected)
}

function nearest(seconds) {
  const distance = row => Math.max(row.dataset.at - seconds, seconds - row.dataset.end, 0)
  return rows().reduce((best, row) => !best || distance(row) < distance(best) ? row : best, null)
}

// To that second of the session, in whichever turn it lies.
function go(seconds) {
  const row = nearest(seconds)
  if (!row) return
  const from = Math.max(0, Math.min(seconds, Number(row.dataset.end) - 0.1) - Number(row.dataset.at))
  if (row.dataset.id === selected) player.seek(from)
  else select(row.dataset.id, { play: player.playing, from })
}

function pointAt(id) {
  for (const row of turns.querySelectorAll('.pointed-at')) row.classList.remove('pointed-at')
  const row = id ? rowOf(id) : null
  row?.classList.add('pointed-at')
  lanes.point(row ? Number(row.dataset.at) : null)
}
turns.addEventListener('mouseover', event => pointAt(event.target.closest('.tr')?.dataset.id))
turns.addEventListener('mouseleave', () => pointAt(null))

turns.addEventListener('click', event => {
  const row = event.target.closest('.tr')
  const button = event.target.closest('button')
  if (!row || !button) return
  if (button.dataset.heard) return hear(row.dataset.id, button)
  if ('noteHere' in button.dataset) return note()
  row.dataset.id === selected ? toggleWhy() : select(row.dataset.id)
})

const hear = (turn, button) => remarks.hear(turn, button.getAttribute('aria-pressed') === 'true' ? '' : button.dataset.heard)
const here = () => player.atS ?? lanes.middleS
const note = () => remarks.allowed && remarks.write(here())
const markHere = () => remarks.allowed && remarks.mark(here())

function hearByKey(key) {
  const button = turns.querySelector(`.tr.sel [data-heard][aria-keyshortcuts="${key}"]`)
  if (button) hear(selected, button)
}

// --- Controls ---------------------------------------------------------------------------------

const playButton = document.getElementById('play')
playButton.addEventListener('click', () => {
  if (!selected) {
    const first = rows().find(row => row.dataset.audio === 'kept') ?? rows()[0]
    if (first) select(first.dataset.id, { play: true })
  } else player.toggle()
})
const speedButton = document.getElementById('speed')
speedButton.addEventListener('click', () => { speedButton.textContent = player.faster() })
document.getElementById('table-button').addEventListener('click', () => lanes.exchangeTable())
document.getElementById('note-button')?.addEventListener('click', note)
document.getElementById('mark-button')?.addEventListener('click', markHere)

const actions = {
  ' ': () => playButton.click(),
  ArrowLeft: () => player.atS !== null && go(Math.max(0, player.atS - 5)),
  ArrowRight: () => player.atS !== null && go(player.atS + 5),
  j: () => step(1),
  k: () => step(-1),
  w: toggleWhy,
  n: note,
  m: markHere,
  u: undo,
  s: () => speedButton.click(),
  t: () => lanes.exchangeTable(),
  '+': () => lanes.closer(1),
  '-': () => lanes.closer(-1),
}
for (const key of '0123456789') actions[key] = () => hearByKey(key)
document.addEventListener('keydown', event => {
  if (typing(event) || !actions[event.key] || (event.key === ' ' && event.target.matches('button, a, summary') && !event.target.matches('.tr > button'))) return
  event.preventDefault()
  actions[event.key]()
})

// --- Growing ----------------------------------------------------------------------------------

const loadSoon = coalesced(() => load().catch(failed), 120)
watch.addEventListener('changed', ({ detail }) => {
  // What may have changed while the page was being made can wait until it stands.
  if (detail.first) setTimeout(loadSoon, SETTLED_MS)
  else if (!detail.client || detail.client === root.dataset.client) loadSoon()
})
redrawOnTheme(() => lanes.show())
let width = innerWidth
addEventListener('resize', () => {
  if (Math.abs(innerWidth - width) < 40) return lanes.showPlayhead()
  width = innerWidth
  loadSoon()
})

// The page brought its other parts along.
await lanes.load({ only: 'figure' })
const asked = new URLSearchParams(location.search).get('at')
if (asked) {
  await select(asked)
  rowOf(asked)?.scrollIntoView({ block: 'center' })
}
