// Plays one turn at a time and knows where that is in the session.
import { say } from './words.js'

const SPEEDS = [1, 1.25, 1.5, 2, 0.75]

export class Player {
  #audio = document.getElementById('audio')
  #state = document.getElementById('audio-state')
  #button = document.getElementById('play')
  #address
  #row = null
  #moved

  constructor(address, { moved, finished }) {
    this.#address = address
    this.#moved = moved
    this.#audio.addEventListener('timeupdate', moved)
    this.#audio.addEventListener('seeked', moved)
    this.#audio.addEventListener('ended', finished)
    this.#audio.addEventListener('error', () => {
      if (this.#audio.getAttribute('src')) this.#say('audioFailed')
    })
    for (const name of ['play', 'pause', 'ended']) this.#audio.addEventListener(name, () => this.#showButton())
  }

  get playing() { return !this.#audio.paused && !this.#audio.ended }

  // Seconds since the session's start, or null before any turn is chosen.
  get atS() { return this.#row ? Number(this.#row.dataset.at) + this.#audio.currentTime : null }

  load(row, from = 0) {
    const kept = row.dataset.audio === 'kept'
    this.#audio.pause()
    this.#row = row
    if (kept) this.#audio.src = this.#address.replace('ID', row.dataset.id)
    else this.#audio.removeAttribute('src')
    this.#audio.load()
    if (kept && from) this.#audio.currentTime = from
    this.#say(kept ? '' : row.dataset.audio === 'gone' ? 'audioGone' : 'audioNone', { day: row.dataset.gone })
    this.#button.disabled = !kept
    this.#moved()
  }

  async play() {
    if (!this.#audio.getAttribute('src')) return
    try {
      await this.#audio.play()
    } catch (error) {
      if (error.name !== 'AbortError') this.#say('audioFailed')
    }
  }

  toggle() { this.playing ? this.#audio.pause() : this.play() }

  // To that second of the turn.
  seek(seconds) {
    if (this.#audio.getAttribute('src')) this.#audio.currentTime = seconds
    else this.#moved()
  }

  // The next speed, in words.
  faster() {
    const next = SPEEDS[(SPEEDS.indexOf(this.#audio.defaultPlaybackRate) + 1) % SPEEDS.length]
    this.#audio.defaultPlaybackRate = this.#audio.playbackRate = next
    return `${next}×`
  }

  #say(name, values = {}) {
    this.#state.textContent = name ? say(name, values) : ''
    const hints = document.getElementById('key-hints')
    hints.hidden = Boolean(name)
  }

  #showButton() {
    this.#button.querySelector('use').setAttribute('href', this.playing ? '#i-pause' : '#i-play')
    this.#button.setAttribute('aria-label', say(this.playing ? 'pause' : 'play'))
  }
}
