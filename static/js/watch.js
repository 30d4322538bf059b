// Listens for "something changed"; says what is missing when it cannot. Never carries data: pages fetch it.
const SILENCE_MS = 30_000
const SLOWEST_MS = 30_000
const SIGNED_OUT = 4401

export class Watch extends EventTarget {
  #socket = null
  #seq = null
  #tries = 0
  #heardAt = Date.now()
  #openedAt = Date.now()
  #live = true
  #first = true

  start() {
    this.#connect()
    setInterval(() => this.#checkSilence(), 1000)
    addEventListener('online', () => this.#socket?.readyState > 1 && this.#connect())
    document.addEventListener('visibilitychange', () => !document.hidden && this.#checkSilence())
    return this
  }

  #connect() {
    const scheme = location.protocol === 'https:' ? 'wss' : 'ws'
    const socket = this.#socket = new WebSocket(`${scheme}://${location.host}/ws/watch`)
    socket.onopen = () => {
      this.#tries = 0
      this.#seq = null
      this.#openedAt = Date.now()
      // Also the first time: something may have changed between the page's making and now.
      this.#changed({ what: 'resync', first: this.#first })
      this.#first = false
    }
    socket.onmessage = event => this.#message(JSON.parse(event.data))
    socket.onclose = ({ code }) => {
      if (socket !== this.#socket) return
      if (code === SIGNED_OUT) return location.reload()
      const wait = Math.min(SLOWEST_MS, 500 * 2 ** this.#tries++) * (.75 + Math.random() / 2)
      setTimeout(() => this.#connect(), wait)
    }
  }

  #message(message) {
    this.#heard()
    const gap = this.#seq !== null && message.seq !== this.#seq + 1
    this.#seq = message.seq
    if (gap) this.#changed({ what: 'resync' })
    if (message.what !== 'beat') this.#changed(message)
  }

  #changed(message) {
    this.dispatchEvent(new CustomEvent('changed', { detail: message }))
  }

  #heard() {
    this.#heardAt = Date.now()
    this.#state(true)
  }

  #checkSilence() {
    if (Date.now() - this.#heardAt < SILENCE_MS) return
    this.#state(false)
    const patience = Date.now() - this.#openedAt > SILENCE_MS
    if (patience && this.#socket?.readyState === WebSocket.OPEN) this.#socket.close()
  }

  #state(live) {
    if (live === this.#live) return
    this.#live = live
    this.dispatchEvent(new CustomEvent('state', { detail: { live, since: new Date(this.#heardAt) } }))
  }
}

export const watch = new Watch()
