// Plays a typical turn of a pattern: one sound at a time, only when asked, and on when the page around it is refreshed.
import { say } from './words.js'

const sound = new Audio()
let address = ''

function show() {
  const playing = !sound.paused && !sound.ended
  for (const button of document.querySelectorAll('[data-hear]'))
    button.querySelector('use').setAttribute('href', playing && button.dataset.hear === address ? '#i-pause' : '#i-play')
}

function tell(text) {
  const place = document.querySelector('[data-hear-state]')
  if (place) place.textContent = text
}

for (const name of ['play', 'pause', 'ended']) sound.addEventListener(name, show)
sound.addEventListener('error', () => tell(say('audioFailed')))
document.addEventListener('refreshed', show)

document.addEventListener('click', async event => {
  const button = event.target.closest('[data-hear]')
  if (!button) return
  if (button.dataset.hear === address && !sound.paused) return sound.pause()
  tell('')
  address = button.dataset.hear
  sound.src = address
  try {
    await sound.play()
  } catch (error) {
    if (error.name !== 'AbortError') tell(say('audioFailed'))
  }
})
