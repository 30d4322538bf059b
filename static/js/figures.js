// Draws the figures that a page brought with it, and exchanges each with its table.
import { draw, redrawOnTheme } from './draw.js'
import { typing } from './site.js'

const asTables = new Set()

// What is on the screen is drawn at once, the rest one figure after another while the page can already be used.
let rest = []
let drawing = false

function drawAll() {
  for (const id of asTables) {
    const place = document.getElementById(id)
    if (place?.hidden === false) show(place.closest('[data-twin]'), true)
  }
  const places = [...document.querySelectorAll('[data-figure]')]
  for (const place of places.filter(onScreen)) drawOne(place)
  rest = places.filter(place => !onScreen(place))
  if (!drawing) drawRest()
}

function onScreen(place) {
  const { top, bottom } = place.getBoundingClientRect()
  return top < innerHeight && bottom > 0
}

async function drawRest() {
  drawing = true
  try {
    while (rest.length) {
      await new Promise(idle)
      if (rest.length) await drawOne(rest.shift())
    }
  } finally {
    drawing = false
  }
}

const idle = done => window.requestIdleCallback ? requestIdleCallback(done, { timeout: 500 }) : setTimeout(done, 50)

async function drawOne(place) {
  const figure = JSON.parse(document.getElementById(place.dataset.figure).textContent)
  await draw(place, figure, narrow(place, figure))
  if (place.dataset.open && !place.dataset.listens) {
    place.dataset.listens = 'yes'
    place.on('plotly_click', ({ points }) => {
      const id = points[0]?.customdata
      if (id) location.href = place.dataset.open.replace('ID', id)
    })
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
  if (!table && plot.dataset.drawn) Plotly.Plots.resize(plot)
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
addEventListener('beforeprint', () => rest.splice(0).forEach(drawOne))
redrawOnTheme(drawAll)
drawAll()
