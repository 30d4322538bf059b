// The line to /ws/listen: keeps what was said until the server has it, and sends it again when the line breaks.
const MOST_KEPT_MS = 600_000
const SLOWEST_MS = 8_000
const MOST_ON_THE_WAY = 1 << 20
const FINAL_CODES = new Set([1000, 4400, 4401, 4403, 4404, 4409, 4413])

export class Line extends EventTarget {
  #socket = null
  #pieces = []      // { start, end, sound, speaker }, in order; those before #sent are on their way
  #sent = 0
  #told = {}        // what the server was told last: rate, speaker, and the time of the next sample
  #tries = 0
  #ready = false
  #closing = false
  #closeTold = false
  #timer = 0
  #pumping = 0
  lostMs = 0
  since = null      // since when there is no line

  constructor(session) {
    super()
    this.session = session
  }

  get live() { return this.#ready }
  get waitingMs() { return this.#pieces.reduce((sum, piece) => sum + piece.end - piece.start, 0) }

  open(rate) {
    this.rate = rate
    this.#closing = false
    this.#connect()
  }

  // startMs: time on the session's axis of the first sample.
  add(sound, startMs, lengthMs, speaker) {
    this.#pieces.push({ start: startMs, end: startMs + lengthMs, sound, speaker })
    while (this.#pieces.at(-1).end - this.#pieces[0].start > MOST_KEPT_MS) {
      const dropped = this.#pieces.shift()
      if (this.#sent > 0) this.#sent--
      else this.lostMs += dropped.end - dropped.start
    }
    this.#pump()
  }

  // Everything is sent and kept before the promise holds.
  finish() {
    this.#closing = true
    this.#pump()
    return new Promise(done => this.addEventListener('finished', done, { once: true }))
  }

  drop() {
    clearTimeout(this.#timer)
    const socket = this.#socket
    this.#socket = null
    this.#ready = false
    socket?.close()
  }

  #connect() {
    const scheme = location.protocol === 'https:' ? 'wss' : 'ws'
    const socket = this.#socket = new WebSocket(`${scheme}://${location.host}/ws/listen?session=${this.session}`)
    socket.binaryType = 'arraybuffer'
    socket.onmessage = ({ data }) => socket === this.#socket && this.#hear(JSON.parse(data))
    socket.onclose = ({ code }) => socket === this.#socket && this.#closed(code)
  }

  #hear(message) {
    if (message.type === 'session.created') this.#begin(message.committed_ms)
    if ('committed_ms' in message) this.#kept(message.committed_ms)
    if (message.type === 'session.closed') {
      this.#pieces = []
      this.#ready = false
    }
    this.dispatchEvent(new CustomEvent('message', { detail: message }))
  }

  #begin(committedMs) {
    this.#tries = 0
    this.#ready = true
    this.since = null
    this.#sent = 0
    this.#told = {}
    this.#closeTold = false
    this.committedMs = committedMs
    this.dispatchEvent(new Event('state'))
    this.#kept(committedMs)
    this.#pump()
  }

  #kept(committedMs) {
    let gone = 0
    while (gone < this.#pieces.length && this.#pieces[gone].end <= committedMs) gone++
    this.#pieces.splice(0, gone)
    this.#sent = Math.max(0, this.#sent - gone)
  }

  #closed(code) {
    const wasReady = this.#ready
    this.#ready = false
    if (code === 1000 && this.#closing) {
      this.dispatchEvent(new Event('finished'))
      return
    }
    this.since ??= new Date()
    if (wasReady || this.#tries === 0) this.dispatchEvent(new Event('state'))
    if (FINAL_CODES.has(code)) return
    const wait = Math.min(SLOWEST_MS, 300 * 2 ** this.#tries++) * (.75 + Math.random() / 2)
    this.#timer = setTimeout(() => this.#connect(), wait)
  }

  #pump() {
    clearTimeout(this.#pumping)
    if (!this.#ready) return
    while (this.#sent < this.#pieces.length) {
      if (this.#socket.bufferedAmount > MOST_ON_THE_WAY) {
        this.#pumping = setTimeout(() => this.#pump(), 50)
        return
      }
      this.#send(this.#pieces[this.#sent++])
    }
    if (this.#closing && !this.#closeTold) {
      this.#closeTold = true
      this.#socket.send(JSON.stringify({ type: 'session.close' }))
    }
  }

  #send(piece) {
    const update = {}
    if (this.#told.rate !== this.rate) update.rate = this.rate
    if (this.#told.speaker !== piece.speaker) update.speaker = piece.speaker
    if (this.#told.next !== piece.start) update.audio_start_ms = piece.start
    if (Object.keys(update).length) this.#socket.send(JSON.stringify({ type: 'session.update', ...update }))
    this.#told = { rate: this.rate, speaker: piece.speaker, next: piece.end }
    this.#socket.send(piece.sound)
  }
}
