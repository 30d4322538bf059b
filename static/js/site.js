// What every page does: say whether it is live, count unseen alerts, refresh what changed, list the keys.
import { watch } from './watch.js'
import { say } from './words.js'
import { exchanged, writing } from './keep.js'

const banner = document.getElementById('notlive')
watch.addEventListener('state', ({ detail }) => {
  banner.hidden = detail.live
  const time = detail.since.toLocaleTimeString(document.documentElement.lang, { hour: '2-digit', minute: '2-digit' })
  banner.querySelector('span').textContent = detail.live ? '' : say('notLive', { time })
})

async function countAlerts() {
  const answer = await fetch(document.getElementById('addresses').dataset.unseen)
  if (!answer.ok) return
  const { count } = await answer.json()
  for (const place of document.querySelectorAll('[data-unseen-count]')) place.textContent = count || ''
  for (const link of document.querySelectorAll('.alertlink')) link.classList.toggle('has', count > 0)
}

// A page with a [data-live] part is fetched again, through its own permissions, and that part exchanged.
async function refresh(part) {
  // Whoever writes is not disturbed: it waits until they have left the field.
  if (writing(part)) await new Promise(left => part.addEventListener('focusout', left, { once: true }))
  const answer = await fetch(location.href, { headers: { 'X-Refresh': '1' } })
  if (!answer.ok) return
  // The fresh page has a nonce of its own: its style elements would break the policy of this one.
  const html = (await answer.text()).replace(/<style\b[\s\S]*?<\/style>/g, '')
  const page = new DOMParser().parseFromString(html, 'text/html')
  const fresh = page.querySelector(`[data-live="${part.dataset.live}"]`)
  if (!fresh) return
  exchanged(part, fresh)
  const state = page.querySelector('.nav .state')
  if (state) document.querySelector('.nav .state')?.replaceWith(state)
  window.htmx?.process(part)
  document.dispatchEvent(new CustomEvent('refreshed'))
}

// The part of this page that stays live, at once: after something was done here.
export const refreshNow = () => part && refresh(part)

// One change after another becomes one request: the first soon, the rest after it has come back.
export function coalesced(work, restMs) {
  let wanted = false
  let running = false
  const run = async () => {
    if (running) return
    running = true
    while (wanted) {
      wanted = false
      await new Promise(done => setTimeout(done, restMs))
      try { await work() } catch (error) { console.error(error) }
    }
    running = false
  }
  return () => { wanted = true; run() }
}

const part = document.querySelector('[data-live]')
const refreshSoon = part && coalesced(() => refresh(part), part.dataset.live === 'alerts' ? 150 : 2500)
const countSoon = coalesced(countAlerts, 150)
watch.addEventListener('changed', ({ detail }) => {
  const { what, client } = detail
  if (what === 'alert' || what === 'resync') countSoon()
  const concerns = !part?.dataset.client || !client || client === part.dataset.client
  const matters = part?.dataset.live !== 'alerts' || what === 'alert' || what === 'resync'
  if (part && concerns && matters) refreshSoon()
})
watch.start()

const keys = document.getElementById('keys')
for (const button of document.querySelectorAll('[data-keys]')) button.addEventListener('click', () => keys.showModal())
document.addEventListener('keydown', event => {
  if (event.key === '?' && !typing(event) && !keys.open) keys.showModal()
})

export const typing = event =>
  event.ctrlKey || event.metaKey || event.altKey || event.target.matches('input:not([type=checkbox]), select, textarea, [contenteditable]') || keys.open
