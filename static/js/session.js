// The session page: chart and transcript side by side, sound under both, growing by itself.
import { draw, redrawOnTheme } from './draw.js'
import { Player } from './player.js'
import { coalesced, typing } from './site.js'
import { watch } from './watch.js'
import { clock } from './words.js'

const root = document.getElementById('session')
const chart = document.getElementById('timeline')
const lanes = document.getElementById('lanes')
const turns = document.getElementById('turns')
const follow = document.getElementById('follow')
const playhead = document.getElementById('playhead')
const GUTTER = 128
const RIGHT = 16
const BELOW = 150 // letters, player and a line of words stand below the chart

let figure = null
let span = null
let selected = null

const narrow = () => lanes.clientWidth < 620
const left = () => narrow() ? 40 : GUTTER
const rows = () => [...turns.querySelectorAll('.tr')]
const rowOf = id => document.getElementById('turn-' + id)
const player = new Player(root.dataset.audio, { moved: showPlayhead, finished: playNext })

// --- The figure -------------------------------------------------------------------------------

async function load() {
  const asked = new URLSearchParams({ w: Math.max(200, lanes.clientWidth - left() - RIGHT) })
  if (span) asked.set('span', span)
  if (innerWidth > 1240) asked.set('h', Math.round(innerHeight - (lanes.getBoundingClientRect().top + scrollY) - BELOW))
  const answer = await fetch(`${root.dataset.timeline}?${asked}`)
  if (answer.redirected) return location.reload()
  if (!answer.ok) throw new Error(`timeline: ${answer.status}`)
  const fresh = await answer.json()
  const grew = figure && fresh.figure.layout.meta.duration_s > figure.layout.meta.duration_s
  figure = fresh.figure
  exchangeRows(fresh.rows)
  document.getElementById('facts').innerHTML = fresh.facts
  document.getElementById('twin').innerHTML = fresh.table
  document.getElementById('length').textContent = clock(figure.layout.meta.duration_s)
  if (fresh.ended && !root.dataset.ended) location.reload()
  await show(grew)
}

async function show(grew = false) {
  if (!figure || chart.hidden) return
  const { layout } = figure
  const shown = chart._fullLayout?.xaxis?.range
  const range = zoomed(layout, shown, grew)
  await draw(chart, figure, {
    margin: { ...layout.margin, l: left() },
    xaxis: { ...layout.xaxis, range },
  })
  nameLanes(layout.meta.lanes)
  showPlayhead()
}

function zoomed(layout, shown, grew) {
  const whole = layout.xaxis.range
  if (!span) return whole
  const end = layout.meta.duration_s
  const middle = shown && !grew ? (shown[0] + shown[1]) / 2 : end - span / 2
  const start = Math.min(Math.max(middle - span / 2, whole[0]), Math.max(end - span, whole[0]))
  return [start, start + span]
}

function nameLanes(names) {
  lanes.querySelectorAll('.lanelab').forEach(label => label.remove())
  for (const { top, title, small } of names) {
    const label = document.createElement('div')
    label.className = 'lanelab'
    label.textContent = title
    label.append(Object.assign(document.createElement('small'), { textContent: small }))
    label.style.top = `${top + (narrow() ? -15 : 4)}px`
    lanes.append(label)
  }
}

function showPlayhead() {
  const axis = chart._fullLayout?.xaxis
  const at = player.atS
  const on = axis && at !== null && at >= axis.range[0] && at <= axis.range[1] && !chart.hidden
  playhead.hidden = !on
  document.getElementById('clock').textContent = clock(at ?? 0)
  if (!on) return
  playhead.style.left = `${chart.offsetLeft + axis._offset + axis.l2p(at)}px`
  playhead.style.height = `${figure.layout.meta.px + 28}px`
  playhead.querySelector('b').textContent = clock(at)
}

// --- The turns --------------------------------------------------------------------------------

function exchangeRows(html) {
  const open = selected && !rowOf(selected)?.querySelector('.detail').hidden
  const detail = open ? rowOf(selected).querySelector('.detail').innerHTML : ''
  const before = new Map(rows().map(row => [row.dataset.id, row.dataset.kind]))
  turns.innerHTML = html
  const changed = rows().filter(row => before.get(row.dataset.id) !== row.dataset.kind)
  if (selected) mark(detail)
  if (before.size && changed.length && follow.checked && !player.playing && !selected) changed.at(-1).scrollIntoView({ block: 'nearest' })
}

function mark(detail = '') {
  for (const row of rows()) {
    const on = row.dataset.id === selected
    row.classList.toggle('sel', on)
    row.querySelector('button').setAttribute('aria-expanded', on && detail !== '')
    const place = row.querySelector('.detail')
    place.hidden = !on || !detail
    if (!place.hidden) place.innerHTML = detail
  }
}

async function select(id, { why = true, play = false, from = 0 } = {}) {
  const row = rowOf(id)
  if (!row) return
  selected = id
  mark()
  player.load(row, from)
  if (play) player.play()
  if (follow.checked) row.scrollIntoView({ block: 'nearest' })
  if (!why) return
  const answer = await fetch(root.dataset.turn.replace('ID', id))
  if (answer.ok && selected === id) mark(await answer.text())
  if (follow.checked && selected === id) row.scrollIntoView({ block: 'nearest' })
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

turns.addEventListener('click', event => {
  const row = event.target.closest('.tr')
  if (row && event.target.closest('button')) row.dataset.id === selected ? toggleWhy() : select(row.dataset.id)
})

// --- Controls ---------------------------------------------------------------------------------

const playButton = document.getElementById('play')
playButton.addEventListener('click', () => {
  if (!selected) {
    const first = rows().find(row => row.dataset.audio === 'kept') ?? rows()[0]
    if (first) select(first.dataset.id, { play: true })
  } else player.toggle()
})

function exchangeTable() {
  const button = document.getElementById('table-button')
  const table = document.getElementById('twin').hidden
  document.getElementById('twin').hidden = !table
  lanes.hidden = chart.hidden = table
  button.setAttribute('aria-pressed', table)
  if (!table) show()
}
document.getElementById('table-button').addEventListener('click', exchangeTable)

for (const button of document.querySelectorAll('[data-span]'))
  button.addEventListener('click', async () => {
    span = Number(button.dataset.span) || null
    for (const each of document.querySelectorAll('[data-span]')) each.setAttribute('aria-pressed', each === button)
    await load()
    if (span && player.atS !== null) {
      const start = Math.max(0, player.atS - span / 2)
      Plotly.relayout(chart, { 'xaxis.range': [start, start + span] })
    }
  })

const actions = {
  ' ': () => playButton.click(),
  ArrowLeft: () => player.skip(-5),
  ArrowRight: () => player.skip(5),
  j: () => step(1),
  k: () => step(-1),
  w: toggleWhy,
  t: exchangeTable,
}
document.addEventListener('keydown', event => {
  if (typing(event) || !actions[event.key] || (event.key === ' ' && event.target.matches('button, a, summary') && !event.target.closest('.tr'))) return
  event.preventDefault()
  actions[event.key]()
})

// --- Growing ----------------------------------------------------------------------------------

const loadSoon = coalesced(load, 120)
watch.addEventListener('changed', ({ detail }) => {
  if (!detail.client || detail.client === root.dataset.client) loadSoon()
})
redrawOnTheme(() => show())
let width = lanes.clientWidth
addEventListener('resize', () => {
  if (Math.abs(lanes.clientWidth - width) < 40) return showPlayhead()
  width = lanes.clientWidth
  loadSoon()
})

await load()
chart.on('plotly_click', ({ points, event }) => {
  const at = points[0]?.customdata?.[1] ?? points[0]?.x
  const id = points.find(point => Array.isArray(point.customdata))?.customdata[0] ?? nearest(at)?.dataset.id
  if (id && event) select(id, { play: true })
})
chart.on('plotly_relayout', showPlayhead)
const asked = new URLSearchParams(location.search).get('at')
if (asked) {
  await select(asked)
  rowOf(asked)?.scrollIntoView({ block: 'center' })
}
