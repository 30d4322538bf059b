// What a person writes beside the machine: what they heard, notes, marks, their own impression.
import { clock, say } from './words.js'
import { done } from './undo.js'

const root = document.getElementById('session')
const RETRY_MS = 5000
const LETTERS = '0123456789abcdefghjkmnpqrstvwxyz'

const newId = () => [...crypto.getRandomValues(new Uint8Array(20))].map(byte => LETTERS[byte % 32]).join('')

// The answer's JSON; throws a TypeError without a connection and an Error with the words of a refusal.
async function post(address, fields) {
  const token = document.querySelector('[name=csrfmiddlewaretoken]').value
  const answer = await fetch(address, { method: 'POST', body: new URLSearchParams(fields), headers: { 'X-CSRFToken': token } })
  if (answer.redirected) return location.reload()
  const told = await answer.json().catch(() => ({}))
  if (!answer.ok) throw new Error(told.problem ?? say('noteRefused'))
  return told
}

// Keeps a draft in the page until it is saved; without a connection it is sent again by itself.
class Draft {
  #form
  #saved
  #timer = null
  #sending = false

  constructor(form, saved) {
    this.#form = form
    this.#saved = saved
    form.addEventListener('submit', event => { event.preventDefault(); this.send() })
    form.addEventListener('keydown', event => {
      if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) { event.preventDefault(); this.send() }
    })
    addEventListener('online', () => this.#timer && this.send())
    addEventListener('beforeunload', event => { if (this.unsaved) event.preventDefault() })
  }

  get unsaved() { return !this.#form.hidden && this.#form.elements.text.value.trim() !== (this.#form.dataset.before ?? '') }

  async send() {
    const text = this.#form.elements.text.value.trim()
    if (this.#sending || !text) return
    this.#sending = true
    clearTimeout(this.#timer)
    this.#timer = null
    this.#form.dataset.id ||= newId()
    this.#tell(say('saving'))
    const { id, at = 0, kind = 'note' } = this.#form.dataset
    let told = null
    try {
      told = await post(root.dataset.notes.replace('ID', id), { text, at, kind })
    } catch (error) {
      const lost = error instanceof TypeError
      this.#tell(lost ? say('noteNotSaved') : error.message)
      if (lost) this.#timer = setTimeout(() => this.send(), RETRY_MS)
    } finally {
      this.#sending = false
    }
    if (!told) return
    this.forget()
    await this.#saved(told)
  }

  forget() {
    clearTimeout(this.#timer)
    this.#timer = null
    this.#form.elements.text.value = ''
    delete this.#form.dataset.id
    delete this.#form.dataset.before
    this.#tell('')
  }

  #tell(text) { this.#form.querySelector('[data-state]').textContent = text }
}

export class Remarks {
  #form = document.getElementById('note-form')
  #panel = document.getElementById('notes-panel')
  #draft = null
  #changed
  #go

  // changed: fetches the page's parts again; go: moves to that second of the session.
  constructor({ changed, go }) {
    this.#changed = changed
    this.#go = go
    const impression = document.getElementById('impression')
    if (impression) new Draft(impression, () => location.reload())
    if (!this.#panel) return
    this.#draft = new Draft(this.#form, async told => {
      this.#form.hidden = true
      done(told.said)
      await this.#changed()
      this.show(told.id)
    })
    this.#form.querySelector('[data-cancel]').addEventListener('click', () => this.#close())
    this.#form.addEventListener('keydown', event => event.key === 'Escape' && this.#close())
    this.#panel.addEventListener('click', event => this.#clicked(event))
    for (const button of document.querySelectorAll('[data-panel]'))
      button.addEventListener('click', () => this.#open(button.dataset.panel))
  }

  get allowed() { return Boolean(this.#panel) }

  write(atS) {
    this.#open('notes-panel')
    if (this.#draft.unsaved) return this.#form.elements.text.focus()
    this.#edit(atS)
  }

  async mark(atS) {
    const id = newId()
    await this.#try(async () => {
      const { said } = await post(root.dataset.notes.replace('ID', id), { text: '', at: atS.toFixed(2) })
      done(said, () => this.#remove(id))
    })
  }

  // Keeps or takes back what was heard in a turn.
  async hear(turn, label) {
    await this.#try(async () => {
      const { said, before } = await post(`${root.dataset.turn.replace('ID', turn)}/heard`, { label })
      done(said, () => this.hear(turn, before))
    })
  }

  show(id) {
    const line = document.getElementById('note-' + id)
    if (!line) return
    this.#open('notes-panel')
    for (const each of this.#panel.querySelectorAll('.shown')) each.classList.remove('shown')
    line.classList.add('shown')
    line.scrollIntoView({ block: 'nearest' })
  }

  #open(name) {
    for (const button of document.querySelectorAll('[data-panel]')) {
      button.setAttribute('aria-pressed', button.dataset.panel === name)
      document.getElementById(button.dataset.panel).hidden = button.dataset.panel !== name
    }
  }

  #edit(atS, line = null) {
    const { dataset, elements } = this.#form
    this.#draft.forget()
    dataset.at = Number(atS).toFixed(2)
    if (line) dataset.id = line.dataset.note
    dataset.before = elements.text.value = line?.dataset.text ?? ''
    this.#form.querySelector('[data-at]').textContent = clock(atS)
    this.#form.hidden = false
    this.#form.scrollIntoView({ block: 'nearest' })
    elements.text.focus()
  }

  #close() {
    this.#draft.forget()
    this.#form.hidden = true
    document.querySelector('[data-panel=notes-panel]').focus()
  }

  #clicked(event) {
    const line = event.target.closest('[data-note]')
    if (!line) return
    if (event.target.closest('[data-go]')) this.#go(Number(line.dataset.at))
    if (event.target.closest('[data-delete]')) this.#remove(line.dataset.note)
    if (event.target.closest('[data-edit]'))
      this.#draft.unsaved ? done(say('noteOpen')) : this.#edit(line.dataset.at, line)
  }

  async #remove(id) {
    await this.#try(async () => {
      const { said } = await post(`${root.dataset.note.replace('ID', id)}/delete`, {})
      done(said, () => this.#try(async () => done((await post(`${root.dataset.note.replace('ID', id)}/restore`, {})).said)))
    })
  }

  async #try(work) {
    try {
      await work()
      await this.#changed()
    } catch (error) {
      done(error instanceof TypeError ? say('noteRefused') : error.message)
    }
  }
}
