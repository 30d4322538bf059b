// The client's page: n leads to a new note.
import { typing } from './site.js'

document.addEventListener('keydown', event => {
  const field = document.getElementById('note-text')
  if (event.key !== 'n' || typing(event) || !field) return
  event.preventDefault()
  field.focus()
  field.scrollIntoView({ block: 'center' })
})
