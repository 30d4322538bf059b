// Exchanges a part of a page and keeps what its reader opened, scrolled, typed or stood on.
const OPEN = '[id]:popover-open, details[id][open]'

const drafts = part => [...part.querySelectorAll('textarea[id], input[id]:not([type=hidden], [type=checkbox], [type=radio])')]
  .filter(field => field.value !== field.defaultValue)

const place = element => element.id ? `#${CSS.escape(element.id)}`
  : element.getAttribute('popovertarget') ? `[popovertarget="${CSS.escape(element.getAttribute('popovertarget'))}"]`
  : element.getAttribute('href') ? `a[href="${CSS.escape(element.getAttribute('href'))}"]` : ''

export const writing = part => part.contains(document.activeElement) && document.activeElement.matches('textarea, input, select')

export function exchanged(part, fresh) {
  const opened = [...part.querySelectorAll(OPEN)].map(element => element.id)
  const scrolled = [...part.querySelectorAll('[tabindex="0"][role=region]')].map(box => [box.scrollTop, box.scrollLeft])
  const typed = drafts(part).map(field => [field.id, field.value])
  const focus = part.contains(document.activeElement) ? place(document.activeElement) : ''
  part.replaceChildren(...fresh.childNodes)
  for (const [id, value] of typed) {
    const field = document.getElementById(id)
    if (field) field.value = value
  }
  part.querySelectorAll('[tabindex="0"][role=region]').forEach((box, i) => {
    [box.scrollTop, box.scrollLeft] = scrolled[i] ?? [0, 0]
  })
  if (focus) part.querySelector(focus)?.focus({ preventScroll: true })
  for (const element of opened.map(id => document.getElementById(id)).filter(Boolean)) {
    if (element.matches('details')) element.open = true
    else element.showPopover()
  }
}
