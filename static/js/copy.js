// Copies the field that a button names by data-copy, and says so on the button.
import { say } from './words.js'

document.addEventListener('click', async event => {
  const button = event.target.closest('[data-copy]')
  if (!button) return
  const field = document.getElementById(button.dataset.copy)
  field.select?.()
  try {
    await navigator.clipboard.writeText(field.value ?? field.textContent)
    button.lastChild.textContent = say('copied')
  } catch {
    button.lastChild.textContent = say('copyByHand')
  }
})
