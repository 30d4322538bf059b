// Recordings are sent one after another, each with its own progress; the list below tells what became of them.
import { coalesced } from './site.js'
import { watch } from './watch.js'

const root = document.getElementById('upload')
const form = document.getElementById('form')
const chosen = document.getElementById('chosen')
const list = document.getElementById('list')
const words = JSON.parse(document.getElementById('upload-words').textContent)
const say = (name, values = {}) => words[name].replace(/\{(\w+)\}/g, (_, key) => values[key] ?? '')
const POLL_MS = 1500

const make = (name, given = {}, ...children) => {
  const element = Object.assign(document.createElement(name), given)
  element.append(...children)
  return element
}
const megabytes = bytes => say('MB', { n: (bytes / 1048576).toFixed(bytes < 10485760 ? 1 : 0) })
const local = date => new Date(date - 60_000 * date.getTimezoneOffset()).toISOString().slice(0, 16)

// --- Choosing -----------------------------------------------------------------------------------

let number = 0
const items = new Set()

async function add(file) {
  const item = { file, state: 'waiting' }
  const id = `start-${++number}`
  item.start = make('input', { type: 'datetime-local', id, required: true })
  item.hint = make('span', { className: 'sm mu' })
  item.said = make('span', { className: 'sm mu' })
  item.said.setAttribute('role', 'status')
  item.bar = make('progress', { max: 1, value: 0, hidden: true })
  item.bar.setAttribute('aria-label', file.name)
  item.button = make('button', { type: 'button', className: 'btn sm', textContent: say('remove') })
  item.button.setAttribute('aria-label', say('removeOf', { name: file.name }))
  item.button.addEventListener('click', () => item.request ? item.request.abort() : remove(item))
  item.row = make('li', {},
    make('div', { className: 'row wrap g12' }, make('bdi', { className: 'm5 named', textContent: file.name }), make('span', { className: 'sm mu nw', textContent: megabytes(file.size) }), make('span', { className: 'sp' }), item.button),
    make('div', { className: 'row wrap g6' }, make('label', { className: 'sm', htmlFor: id, textContent: say('startOf', { name: file.name }) }), item.start, item.hint),
    item.bar, item.said)
  items.add(item)
  chosen.append(item.row)
  if (file.size > Number(root.dataset.most)) return fail(item, say('tooLarge'), false)
  await guessStart(item)
}

// A recorder dates its file at the end of the recording.
async function guessStart(item) {
  const seconds = await lengthOf(item.file)
  if (item.start.value) return
  item.start.value = local(new Date(item.file.lastModified - 1000 * (seconds ?? 0)))
  item.hint.textContent = say(seconds === null ? 'fromDateOnly' : 'fromDate')
  item.start.addEventListener('input', () => { item.hint.textContent = '' })
}

function lengthOf(file) {
  return new Promise(done => {
    const sound = new Audio()
    const finish = seconds => { URL.revokeObjectURL(sound.src); done(Number.isFinite(seconds) ? seconds : null) }
    sound.preload = 'metadata'
    sound.onloadedmetadata = () => finish(sound.duration)
    sound.onerror = () => finish(NaN)
    sound.src = URL.createObjectURL(file)
  })
}

function remove(item) {
  items.delete(item)
  item.row.remove()
}

function fail(item, text, again = true) {
  item.state = again ? 'failed' : 'refused'
  item.request = null
  item.said.textContent = text
  item.said.className = 'sm wrong'
  item.bar.hidden = true
  item.button.textContent = say('remove')
}

// --- Sending ------------------------------------------------------------------------------------

function startOf(item) {
  if (!item.start.value) { fail(item, say('needsStart')); return null }
  const start = new Date(item.start.value)
  if (start > new Date()) { fail(item, say('future')); return null }
  return start.toISOString()
}

function send(item) {
  const startedAt = startOf(item)
  if (!startedAt) return Promise.resolve()
  const body = new FormData(form)
  body.delete('audio')
  body.append('started_at', startedAt)
  body.append('audio', item.file, item.file.name)
  item.state = 'sending'
  item.said.className = 'sm mu'
  item.bar.hidden = false
  item.button.textContent = say('cancel')
  return new Promise(done => {
    const request = item.request = new XMLHttpRequest()
    request.open('POST', form.action)
    request.setRequestHeader('X-Requested-With', 'XMLHttpRequest')
    request.responseType = 'json'
    request.upload.onprogress = ({ loaded, total }) => {
      item.bar.value = loaded / total
      item.said.textContent = say('sending', { done: megabytes(loaded), all: megabytes(total) })
    }
    request.onabort = () => { fail(item, say('canceled')); done() }
    request.onerror = () => { fail(item, say('lost')); done() }
    request.onload = () => {
      if (request.status === 202) { remove(item); refresh() }
      else fail(item, request.response?.said ?? say(request.responseURL.includes('/sign-in') ? 'signedOut' : 'lost'))
      done()
    }
    request.send(body)
  })
}

async function sendAll() {
  for (const item of [...items]) if (item.state === 'waiting' || item.state === 'failed') await send(item)
}

// --- What became of them ------------------------------------------------------------------------

async function load() {
  const answer = await fetch(root.dataset.now, { headers: { 'X-Refresh': '1' } })
  if (!answer.ok || answer.redirected) return
  const focused = document.activeElement?.closest?.('[data-job]')?.dataset.job
  list.innerHTML = await answer.text()
  if (focused) list.querySelector(`[data-job="${focused}"] button`)?.focus()
}

const refresh = coalesced(load, 200)
watch.addEventListener('changed', ({ detail }) => {
  if (!detail.client || detail.client === root.dataset.client) refresh()
})
setInterval(() => list.querySelector('[data-changes]') && !document.hidden && refresh(), POLL_MS)

if (form) {
  const files = document.getElementById('files')
  const drop = document.getElementById('drop')
  files.multiple = true
  const take = taken => { for (const file of taken) add(file) }
  files.addEventListener('change', () => { take(files.files); files.value = '' })
  for (const name of ['dragenter', 'dragover']) drop.addEventListener(name, event => { event.preventDefault(); drop.classList.add('over') })
  for (const name of ['dragleave', 'drop']) drop.addEventListener(name, () => drop.classList.remove('over'))
  drop.addEventListener('drop', event => { event.preventDefault(); take(event.dataTransfer.files) })
  form.addEventListener('submit', event => {
    event.preventDefault()
    if (items.size) sendAll()
    else files.focus()
  })
  addEventListener('beforeunload', event => { if ([...items].some(item => item.state === 'sending')) event.preventDefault() })
}
