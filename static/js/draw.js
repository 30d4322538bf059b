// Draws figures whose colors are token names, so that one figure serves light and dark alike.
import { say } from './words.js'

const rgba = (hex, alpha) => {
  const part = at => parseInt(hex.slice(at, at + 2), 16)
  return `rgba(${part(1)},${part(3)},${part(5)},${alpha})`
}

export function resolved(value, css = getComputedStyle(document.documentElement)) {
  if (typeof value === 'string' && value[0] === '$') {
    const [name, alpha] = value.slice(1).split('/')
    const color = css.getPropertyValue('--' + name).trim()
    return alpha ? rgba(color, alpha) : color
  }
  if (Array.isArray(value)) return value.map(each => resolved(each, css))
  if (value && typeof value === 'object')
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, resolved(each, css)]))
  return value
}

const font = size => ({ size, color: '$muted' })
const template = () => ({
  layout: {
    font: { ...font(12), family: getComputedStyle(document.body).fontFamily },
    paper_bgcolor: 'rgba(0,0,0,0)', plot_bgcolor: 'rgba(0,0,0,0)',
    margin: { l: 44, r: 16, t: 8, b: 28, pad: 0 },
    showlegend: false, hoverdistance: 40, spikedistance: -1, dragmode: 'pan', bargap: .12, uirevision: 'keep',
    hoverlabel: { bgcolor: '$surface', bordercolor: '$edge', font: { size: 12, color: '$text', family: getComputedStyle(document.body).fontFamily }, align: 'left', namelength: -1 },
    xaxis: {
      showgrid: false, zeroline: false, showline: true, linecolor: '$line', linewidth: 1, ticks: 'outside', ticklen: 4,
      tickcolor: '$line', tickfont: font(12), automargin: false, fixedrange: false,
      showspikes: true, spikemode: 'across', spikethickness: 1, spikedash: 'solid', spikecolor: '$edge', spikesnap: 'data',
    },
    yaxis: {
      gridcolor: '$line', gridwidth: 1, zeroline: false, showline: false, ticks: '', ticklabelstandoff: 6,
      tickfont: font(12), nticks: 5, fixedrange: true, automargin: false,
    },
    annotationdefaults: { showarrow: false, font: font(12) },
    colorway: ['$accent', '$text', '$edge'],
  },
})

const still = matchMedia('(prefers-reduced-motion: reduce)').matches
const options = { displayModeBar: false, responsive: true, displaylogo: false, doubleClick: 'reset', scrollZoom: false }

// Months and days of the axes as a Chinese reader writes them; Plotly itself comes with English alone.
const chinese = document.documentElement.lang.startsWith('zh')
const months = Array.from({ length: 12 }, (_, month) => `${month + 1}月`)
const days = [...'日一二三四五六']
if (chinese) {
  options.locale = 'zh'
  Plotly.register({
    moduleType: 'locale', name: 'zh', dictionary: {},
    format: {
      days: days.map(day => `星期${day}`), shortDays: days.map(day => `周${day}`), months, shortMonths: months,
      date: '%Y-%m-%d', year: '%Y年', month: '%Y年%-m月', dayMonth: '%-m月%-d日', dayMonthYear: '%Y年%-m月%-d日',
    },
  })
}

export async function draw(place, figure, changes = {}) {
  const layout = { ...figure.layout, ...changes, template: template() }
  if (still) layout.transition = { duration: 0 }
  try {
    await Plotly.react(place, resolved(figure.data), resolved(layout), options)
    place.classList.remove('waiting')
    place.dataset.drawn = 'yes'
  } catch (error) {
    place.classList.remove('waiting')
    place.textContent = say('chartFailed')
    throw error
  }
}

// Colors follow when the system or the person changes the theme.
export function redrawOnTheme(again) {
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', again)
}
