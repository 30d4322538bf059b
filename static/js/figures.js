// Draws the figures that a page brought with it, and exchanges each with its table.
import { draw, redrawOnTheme } from './draw.js'
import { typing } from './site.js'

function drawAll() {
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
  card.querySelector('.twin').hidden = !table
  card.querySelector('.plot').hidden = table
  button.setAttribute('aria-pressed', table)
  if (!table) Plotly.Plots.resize(card.querySelector('.plot'))
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
