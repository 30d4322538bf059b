// Runs beside the page: turns what the microphone gives into 16-bit pieces of a tenth of a second.
class Recorder extends AudioWorkletProcessor {
  constructor() {
    super()
    this.piece = new Int16Array(Math.round(sampleRate / 10))
    this.filled = 0
    this.peak = 0
    this.squares = 0
  }

  process([input]) {
    const channels = input.length
    const length = channels ? input[0].length : 0
    for (let i = 0; i < length; i++) {
      let sample = 0
      for (let c = 0; c < channels; c++) sample += input[c][i]
      sample = Math.max(-1, Math.min(1, sample / channels))
      this.peak = Math.max(this.peak, Math.abs(sample))
      this.squares += sample * sample
      this.piece[this.filled++] = Math.max(-32768, Math.min(32767, Math.round(sample * 32768)))
      if (this.filled === this.piece.length) this.#pass()
    }
    return true
  }

  #pass() {
    const { piece, peak, squares } = this
    this.piece = new Int16Array(piece.length)
    this.filled = this.peak = this.squares = 0
    this.port.postMessage({ sound: piece.buffer, peak, rms: Math.sqrt(squares / piece.length) }, [piece.buffer])
  }
}

registerProcessor('recorder', Recorder)
