// Plays a typical turn of a pattern; one sound at a time, and only when asked.
import { say } from './words.js'

let button = null

function show(playing) {
  button?.querySelector('use').setAttribute('href', playing ? '#i-pause' : '#i-play')
}

function listen(sound) {
  if (sound.dataset.listens) return
  sound.dataset.listens = 'yes'
  sound.addEventListener('play', () => show(true))
  for (const name of ['pause', 'ended']) sound.addEventListener(name, () => show(false))
  sound.addEventListener('error', () => {
    show(false)
    document.querySelector('[data-hear-state]').textContent = say('audioFailed')
  })
}

async function toggle(pressed) {
  const sound = document.querySelector('[data-hear-sound]')
  listen(sound)
  if (pressed === button && !sound.paused) return sound.pause()
  show(false)
  document.querySelector('[data-hear-state]').textContent = ''
  button = pressed
  sound.src = pressed.dataset.hear
  try {
    await sound.play()
  } catch (error) {
    if (error.name !== 'AbortError') show(false)
  }
}

document.addEventListener('click', event => {
  const pressed = event.target.closest('[data-hear]')
  if (pressed) toggle(pressed)
})
