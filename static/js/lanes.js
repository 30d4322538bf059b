// The lanes of a session: draws them, keeps the window on screen, and fetches its own detail for each window.
import { draw } from './draw.js'
import { coalesced } from './site.js'
import { clock, say } from './words.js'

const root = document.getElementById('session')
const lanes = document.getElementById('lanes')
const chart = document.getElementById('timeline')
const GUTTER = 128
const RIGHT = 16
const BELOW = 150 // letters, player and a line of words stand below the chart
const SPANS = [null, 600, 60]

export class Lanes {
  figure = null
  span = null
  #start = 0
  #line = document.getElementById('playhead')
  #pointed = document.getElementById('pointed')
  #atS = () => null
  #answers = 0
  #set = null
  #finer = coalesced(() => this.load({ only: 'figure' }), 120)

  constructor({ atS, picked, noted, hovered }) {
    this.#atS = atS
    this.picked = picked
    this.noted = noted
    this.hovered = hovered
    for (const button of document.querySelectorAll('[data-span]'))
      button.addEventListener('click', () => this.zoom(Number(button.dataset.span) || null))
  }

  get hidden() { return chart.hidden }
  get durationS() { return this.figure?.layout.meta.duration_s ?? 0 }
  get #narrow() { return lanes.clientWidth < 620 }
  get #left() { return this.#narrow ? 40 : GUTTER }

  // Fetches the figure of the window, and the other parts unless only the figure is wanted; null when outrun.
  async load({ only = '' } = {}) {
    const asked = new URLSearchParams({ w: Math.max(200, lanes.clientWidth - this.#left - RIGHT) })
    if (this.span) { asked.set('span', this.span); asked.set('from', Math.max(0, this.#start).toFixed(1)) }
    if (only) asked.set('only', only)
    if (innerWidth > 1240) asked.set('h', Math.round(innerHeight - (lanes.getBoundingClientRect().top + scrollY) - BELOW))
    const turn = ++this.#answers
    const answer = await fetch(`${root.dataset.timeline}?${asked}`)
    if (answer.redirected) { location.reload(); return null }
    if (!answer.ok) throw new Error(`timeline: ${answer.status}`)
    const fresh = await answer.json()
    if (turn !== this.#answers && only) return null
    const grew = this.figure && fresh.figure.layout.meta.duration_s > this.durationS
    this.figure = fresh.figure
    document.getElementById('length').textContent = clock(this.durationS)
    await this.show(grew && !only)
    return fresh
  }

  async show(grew = false) {
    if (!this.figure || chart.hidden) return
    const { layout } = this.figure
    if (this.span && grew && this.#atS() === null) this.#start = this.durationS - this.span
    // Plotly cannot exchange one set of axes for another in place.
    const set = layout.meta.lanes.map(lane => lane.title).join()
    if (this.#set !== null && this.#set !== set) { Plotly.purge(chart); this.listening = false }
    this.#set = set
    const range = this.span ? [this.#start, this.#start + this.span] : layout.xaxis.range
    await draw(chart, this.figure, {
      margin: { ...layout.margin, l: this.#left },
      xaxis: { ...layout.xaxis, range },
      uirevision: `${this.span}:${this.#start}`,
    })
    if (!this.listening) this.#listen()
    this.#name(layout.meta.lanes)
    this.showPlayhead()
  }

  #listen() {
    this.listening = true
    chart.on('plotly_click', ({ points, event }) => {
      const point = points.find(each => Array.isArray(each.customdata))
      if (event) this.picked(point?.customdata[0], point?.customdata[1] ?? points[0]?.x)
    })
    chart.on('plotly_hover', ({ points }) => this.hovered(points.find(each => Array.isArray(each.customdata))?.customdata[0]))
    chart.on('plotly_unhover', () => this.hovered(null))
    chart.on('plotly_clickannotation', ({ annotation }) => {
      const [kind, id] = (annotation.name ?? '').split(':')
      if (kind === 'note') this.noted(id)
      if (kind === 'alert') location.href = `/alerts/${id}`
    })
    chart.on('plotly_relayout', change => {
      this.showPlayhead()
      const start = change['xaxis.range[0]'] ?? change['xaxis.range']?.[0]
      if (start === undefined || !this.span) return
      this.#start = start
      const { window } = this.figure.layout.meta
      if (!window || start < window[0] || start + this.span > window[1]) this.#finer()
    })
  }

  // Seconds on screen at once (null: all), around the playhead, else around the middle of what is shown.
  async zoom(span) {
    const shown = chart._fullLayout?.xaxis?.range ?? [0, 0]
    const middle = this.#atS() ?? (shown[0] + shown[1]) / 2
    this.span = span
    this.#start = span ? Math.max(0, Math.min(middle - span / 2, this.durationS - span)) : 0
    for (const each of document.querySelectorAll('[data-span]')) each.setAttribute('aria-pressed', each.dataset.span === String(span ?? ''))
    await this.load({ only: 'figure' })
  }

  closer(by) {
    const at = SPANS.indexOf(this.span) + by
    if (at >= 0 && at < SPANS.length) this.zoom(SPANS[at])
  }

  // Brings that second onto the screen.
  reveal(atS) {
    if (!this.span || (atS >= this.#start && atS <= this.#start + this.span)) return
    this.#start = Math.max(0, atS - this.span / 4)
    this.show()
    this.#finer()
  }

  point(atS) { this.#place(this.#pointed, atS) }

  showPlayhead() {
    const at = this.#atS()
    document.getElementById('clock').textContent = clock(at ?? 0)
    this.#place(this.#line, at)
    this.#line.querySelector('b').textContent = clock(at ?? 0)
  }

  #place(line, atS) {
    const axis = chart._fullLayout?.xaxis
    const on = axis && atS !== null && atS !== undefined && atS >= axis.range[0] && atS <= axis.range[1] && !chart.hidden
    line.hidden = !on
    if (!on) return
    line.style.left = `${chart.offsetLeft + axis._offset + axis.l2p(atS)}px`
    line.style.height = `${this.figure.layout.meta.px + 28}px`
  }

  #name(names) {
    lanes.querySelectorAll('.lanelab').forEach(label => label.remove())
    for (const { top, title, small } of names) {
      const label = document.createElement('div')
      label.className = 'lanelab'
      label.textContent = title
      label.append(Object.assign(document.createElement('small'), { textContent: small }))
      label.style.top = `${top + (this.#narrow ? -15 : 4)}px`
      lanes.append(label)
    }
  }

  exchangeTable() {
    const twin = document.getElementById('twin')
    const table = twin.hidden
    twin.hidden = !table
    lanes.hidden = chart.hidden = table
    document.getElementById('table-button').setAttribute('aria-pressed', table)
    if (!table) this.show()
  }

  get middleS() {
    const range = chart._fullLayout?.xaxis?.range
    return range ? Math.max(0, (range[0] + Math.min(range[1], this.durationS)) / 2) : 0
  }
}

export const failed = error => {
  console.warn(error)
  document.getElementById('audio-state').textContent = say('timelineFailed')
}
