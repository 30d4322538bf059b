// The live page: the microphone goes out over the line, what was read comes back as a part of the page.
import { Line } from './live-line.js'
import { Microphone, MicrophoneTrouble } from './microphone.js'
import { coalesced, typing } from './site.js'
import { watch } from './watch.js'
import { clock } from './words.js'

const root = document.getElementById('live')
const words = JSON.parse(document.getElementById('live-words').textContent)
const say = (name, values = {}) => words[name].replace(/\{(\w+)\}/g, (_, key) => values[key] ?? '')
const at = id => document.getElementById(id)
const token = root.querySelector('[name=csrfmiddlewaretoken]').value
const PIECE_MS = 100
const LEVEL_EVERY_MS = 1000
const BARS = 44

const line = new Line(root.dataset.session)
let microphone = null
let paused = false
let mine = false
let ending = false
let nextMs = null       // time of the next piece on the session's axis
let openedAt = 0        // performance.now() at time zero of that axis

// --- What is said about the state ---------------------------------------------------------------

function tell(text, kind = '') {
  at('state').textContent = text
  at('state').className = `chip ${kind}`
  root.classList.toggle('on', kind === 'ok')
}

function trouble(text) {
  at('trouble').hidden = !text
  at('trouble').querySelector('span').textContent = text
}

const seconds = ms => String(Math.round(ms / 1000))
const time = date => date.toLocaleTimeString(document.documentElement.lang, { hour: '2-digit', minute: '2-digit' })

function showState() {
  const said = []
  if (!line.live && line.since) said.push(say('notLive', { time: time(line.since), seconds: seconds(line.waitingMs) }))
  if (line.lostMs) said.push(say('lost', { seconds: seconds(line.lostMs) }))
  if (ending && line.waitingMs) said.push(say('ending', { seconds: seconds(line.waitingMs) }))
  trouble(said.join(' '))
  if (!at('hurdle').hidden) return
  if (paused) tell(say('paused'), 'warning')
  else if (line.live) tell(say('listening'), 'ok')
  else if (line.since) tell(say('notLive', { time: time(line.since), seconds: seconds(line.waitingMs) }), 'warning')
}

function hurdle(name, values = {}) {
  at('hurdle-title').textContent = say(`${name}Title`)
  at('hurdle-words').textContent = say(name, values)
  at('again').querySelector('span').textContent = say(name === 'click' ? 'startNow' : 'start')
  at('hurdle').hidden = false
  at('pause').disabled = true
  tell(say(`${name}Title`), name === 'click' ? '' : 'warning')
}

// --- The sound ----------------------------------------------------------------------------------

async function start() {
  at('hurdle').hidden = true
  tell(say('starting'))
  microphone = new Microphone()
  microphone.addEventListener('piece', ({ detail }) => heard(detail))
  microphone.addEventListener('gone', () => { stop(); hurdle('unplugged') })
  try {
    await microphone.open(root.dataset.worklet)
  } catch (error) {
    microphone = null
    if (!(error instanceof MicrophoneTrouble)) throw error
    return hurdle(error.message)
  }
  at('pause').disabled = false
  line.open(microphone.rate)
  stayAwake()
  showState()
}

function stop() {
  microphone?.close()
  microphone = null
  at('pause').disabled = true
}

// A piece ends now. While the line has never been open its place is not known yet, so that it waits.
const early = []
function heard({ sound, peak, rms }) {
  showLevel(peak, rms)
  if (paused || ending) return
  const endedAt = performance.now()
  if (nextMs === null) {
    early.push({ sound, endedAt, speaker: speaker() })
    return
  }
  place(sound, endedAt, speaker())
}

const speaker = () => mine ? 'counselor' : 'client'

function place(sound, endedAt, who) {
  // The clock of the sound rules; it is set anew only after a pause, when it has fallen behind by a second.
  const startMs = Math.max(0, Math.round(endedAt - openedAt - PIECE_MS))
  if (startMs - nextMs > 1000) nextMs = startMs
  line.add(sound, nextMs, PIECE_MS, who)
  nextMs += PIECE_MS
}

line.addEventListener('message', ({ detail: message }) => {
  if (message.type === 'session.created' && nextMs === null) begin(message)
  if (message.type === 'measurement' || message.type === 'alert') refresh()
  if (message.type === 'error' && message.closing) refused(message.error)
})
line.addEventListener('state', showState)

// A session that goes on after a reload takes its place on the axis from the server's clock.
function begin({ committed_ms: committedMs, elapsed_ms: sinceFirstMs }) {
  const elapsedMs = Math.max(committedMs, sinceFirstMs ?? 0)
  const first = early[0]?.endedAt ?? performance.now()
  openedAt = first - PIECE_MS - elapsedMs
  nextMs = Math.round(elapsedMs)
  for (const piece of early.splice(0)) place(piece.sound, piece.endedAt, piece.speaker)
}

function refused(problem) {
  const slug = problem.type.split('/').at(-1)
  stop()
  if (slug === 'session-ended') { location.assign(root.dataset.after); return }
  if (`${slug}Title` in words) hurdle(slug)
  else hurdle('failed', { detail: problem.detail })
}

// --- The level ----------------------------------------------------------------------------------

const bars = at('bars')
const heights = Array(BARS).fill(0)
const calm = matchMedia('(prefers-reduced-motion: reduce)')
let loudest = 0
let softest = []
for (let i = 0; i < BARS; i++) {
  const bar = document.createElementNS('http://www.w3.org/2000/svg', 'rect')
  bar.setAttribute('x', i * 5)
  bar.setAttribute('width', 3)
  bar.setAttribute('rx', 1.5)
  bars.append(bar)
}
drawLevel()

function showLevel(peak, rms) {
  loudest = Math.max(loudest, peak)
  softest.push(rms)
  heights.shift()
  heights.push(paused ? 0 : Math.min(1, Math.sqrt(rms * 6)))
  if (!calm.matches) drawLevel()
}

function drawLevel() {
  heights.forEach((height, i) => {
    const tall = 2 + 28 * height
    bars.children[i].setAttribute('height', tall)
    bars.children[i].setAttribute('y', 16 - tall / 2)
  })
}

setInterval(() => {
  if (!microphone) { at('level-words').textContent = ''; return }
  const name = softest.length === 0 || loudest === 0 ? 'levelNone' : loudest > .98 ? 'levelHigh' : loudest < .02 ? 'levelLow' : 'levelGood'
  at('level-words').textContent = say(name)
  root.dataset.level = name
  loudest = 0
  softest = []
  if (calm.matches) drawLevel()
}, LEVEL_EVERY_MS)

// --- What was read ------------------------------------------------------------------------------

async function load() {
  const answer = await fetch(root.dataset.now, { headers: { 'X-Refresh': '1' } })
  if (answer.redirected) return trouble(say('signedOut'))
  if (!answer.ok) return
  const open = at('now').querySelector('details')?.open
  at('now').innerHTML = await answer.text()
  if (open) at('now').querySelector('details')?.setAttribute('open', '')
  root.dataset.fresh = Number(root.dataset.fresh ?? 0) + 1
}

const refresh = coalesced(load, 10)
watch.addEventListener('changed', ({ detail }) => {
  if (!detail.client || detail.client === root.dataset.client) refresh()
})

const started = performance.now() - 1000 * Number(root.dataset.elapsed)
setInterval(() => {
  at('elapsed').textContent = clock((performance.now() - started) / 1000)
  if (!line.live || ending) showState()
}, 1000)

// --- What a person does -------------------------------------------------------------------------

function pause() {
  if (at('pause').disabled) return
  paused = !paused
  at('pause').querySelector('span').textContent = say(paused ? 'resume' : 'pause')
  at('pause').setAttribute('aria-pressed', paused)
  showState()
}

function speaking() {
  mine = !mine
  at('mine').setAttribute('aria-pressed', mine)
}

async function end() {
  ending = true
  at('end').disabled = true
  stop()
  showState()
  if (line.live || line.waitingMs) await line.finish()
  const answer = await fetch(root.dataset.end, { method: 'POST', headers: { 'X-CSRFToken': token, 'Content-Type': 'application/json' }, body: '{}' })
  if (answer.ok) return location.assign(root.dataset.after)
  ending = false
  at('end').disabled = false
  hurdle('failed', { detail: (await answer.json()).detail ?? '' })
}

function view(name) {
  root.classList.toggle('quiet', name === 'quiet')
  for (const button of root.querySelectorAll('[data-view]')) button.setAttribute('aria-pressed', button.dataset.view === name)
  localStorage.setItem('liveView', name)
}

let noteAt = null
async function keepNote(text) {
  const body = { text, session: root.dataset.session, at: (noteAt ?? new Date()).toISOString() }
  const answer = await fetch(root.dataset.notes, {
    method: 'POST', headers: { 'X-CSRFToken': token, 'Content-Type': 'application/json' }, body: JSON.stringify(body),
  }).catch(() => null)
  at('note-state').textContent = say(answer?.ok ? 'noteKept' : 'noteFailed')
  if (answer?.ok) noteAt = null
  return answer?.ok
}

at('note').addEventListener('input', () => { noteAt = at('note').value ? noteAt ?? new Date() : null })
at('keep-note').addEventListener('click', async () => {
  const text = at('note').value.trim()
  if (text && await keepNote(text)) at('note').value = ''
})
at('mark').addEventListener('click', () => { noteAt = null; keepNote(say('marked')) })
at('pause').addEventListener('click', pause)
at('mine').addEventListener('click', speaking)
at('end').addEventListener('click', end)
at('again').addEventListener('click', () => { line.drop(); start() })
for (const button of root.querySelectorAll('[data-view]')) button.addEventListener('click', () => view(button.dataset.view))
view(localStorage.getItem('liveView') ?? 'quiet')

document.addEventListener('keydown', event => {
  if (typing(event)) return
  const does = { p: pause, c: speaking, m: () => at('mark').click(), n: () => at('note').focus(), q: () => view(root.classList.contains('quiet') ? 'full' : 'quiet') }[event.key]
  if (!does) return
  event.preventDefault()
  does()
})

addEventListener('beforeunload', event => { if (microphone || line.waitingMs) event.preventDefault() })

async function stayAwake() {
  try {
    await navigator.wakeLock?.request('screen')
  } catch (error) {
    console.info('the screen may go dark:', error.name)
  }
}

start()
