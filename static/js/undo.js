// Says what was done and offers to take it back, until the next thing is done or it is closed.
const place = document.getElementById('undo')
let takeBack = null

export function done(text, undo = null) {
  takeBack = undo
  place.querySelector('span').textContent = text
  place.querySelector('[data-undo]').hidden = !undo
  place.hidden = false
}

export async function undo() {
  const work = takeBack
  takeBack = null
  place.hidden = true
  if (work) await work()
}

place?.querySelector('[data-undo]').addEventListener('click', undo)
place?.querySelector('[data-close]').addEventListener('click', () => { place.hidden = true })
