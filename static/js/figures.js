// Draws the figures that a page brought with it, and exchanges each with its table.
import { draw, redrawOnTheme } from './draw.js'
import { typing } from './site.js'

const asTables = new Set()

function drawAll() {
  for (const id of asTables) {
    const place = document.getElementById(id)
    if (place?.hidden === false) show(place.closest('[data-twin]'), true)
  }
  for (const place of document.querySelectorAll('[data-figure]')) {
    const figure = JSON.parse(document.getElementById(place.dataset.figure).textContent)
    draw(place, figure, narrow(place, figure))
    if (place.dataset.open && !place.dataset.listens) {
      place.dataset.listens = 'yes'
      place.on('plotly_click', ({ points }) => {
        const id = points[0]?.customdata
        if (id) location.href = place.dataset.open.replace('ID', id)
      })
    }
  }
}

function narrow(place, figure) {
  if (place.clientWidth > 520) return {}
  const { xaxis } = figure.layout
  const fewer = xaxis.tickvals?.filter((_, i) => i % 2 === 0)
  return { xaxis: { ...xaxis, nticks: 4, ...(fewer && !xaxis.ticktext ? { tickvals: fewer } : {}) } }
}

function exchange(button) {
  const card = button.closest('[data-twin]')
  const table = card.querySelector('.twin').hidden
  show(card, table)
  const plot = card.querySelector('.plot')
  table ? asTables.add(plot.id) : asTables.delete(plot.id)
  if (!table) Plotly.Plots.resize(plot)
}

function show(card, table) {
  card.querySelector('.twin').hidden = !table
  card.querySelector('.plot').hidden = table
  card.querySelector('[data-table]').setAttribute('aria-pressed', table)
}

document.addEventListener('click', event => {
  const button = event.target.closest('[data-table]')
  if (button) exchange(button)
})
document.addEventListener('keydown', event => {
  if (event.key === 't' && !typing(event)) document.querySelectorAll('[data-table]').forEach(exchange)
})
document.addEventListener('refreshed', drawAll)
redrawOnTheme(drawAll)
drawAll()
