// The microphone: pieces of sound at its own rate, or the reason why there are none.
export class MicrophoneTrouble extends Error {}

const REASONS = { NotAllowedError: 'denied', SecurityError: 'denied', NotFoundError: 'none', OverconstrainedError: 'none' }

// What a browser does to make speech pleasant would change how a voice sounds.
const AS_IT_IS = { channelCount: 1, echoCancellation: false, noiseSuppression: false, autoGainControl: false }

export class Microphone extends EventTarget {
  #context = null
  #stream = null

  get rate() { return this.#context.sampleRate }
  get on() { return this.#stream !== null }

  // Fires `piece` with { sound, peak, rms } every tenth of a second, and `gone` when it is unplugged.
  async open(worklet) {
    if (!navigator.mediaDevices?.getUserMedia) throw new MicrophoneTrouble(isSecureContext ? 'unsupported' : 'insecure')
    if (!window.AudioWorkletNode) throw new MicrophoneTrouble('unsupported')
    try {
      this.#stream = await navigator.mediaDevices.getUserMedia({ audio: AS_IT_IS })
    } catch (error) {
      throw new MicrophoneTrouble(REASONS[error.name] ?? 'busy')
    }
    this.#stream.getAudioTracks()[0].addEventListener('ended', () => this.dispatchEvent(new Event('gone')))
    this.#context = new AudioContext({ latencyHint: 'interactive' })
    await this.#context.audioWorklet.addModule(worklet)
    const recorder = new AudioWorkletNode(this.#context, 'recorder', { numberOfOutputs: 0 })
    recorder.port.onmessage = ({ data }) => this.dispatchEvent(new CustomEvent('piece', { detail: data }))
    this.#context.createMediaStreamSource(this.#stream).connect(recorder)
    await Promise.race([this.#context.resume(), new Promise(done => setTimeout(done, 700))])
    if (this.#context.state !== 'running') {
      this.close()
      throw new MicrophoneTrouble('click')
    }
  }

  close() {
    this.#stream?.getTracks().forEach(track => track.stop())
    this.#context?.close()
    this.#stream = this.#context = null
  }
}
