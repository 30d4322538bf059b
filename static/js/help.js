// Places the text of a "?" beside its button and gives it the focus; opening, Esc and a click elsewhere are the browser's.
const GAP = 6

function place(text, button) {
  const at = button.getBoundingClientRect()
  const { width, height } = text.getBoundingClientRect()
  const below = at.bottom + GAP + height <= innerHeight
  text.style.left = `${Math.max(GAP, Math.min(at.left, innerWidth - width - GAP))}px`
  text.style.top = `${below ? at.bottom + GAP : Math.max(GAP, at.top - GAP - height)}px`
}

const buttonOf = text => document.querySelector(`[popovertarget="${text.id}"]`)

document.addEventListener('toggle', ({ target, newState }) => {
  if (!target.matches?.('.help-text') || newState !== 'open') return
  place(target, buttonOf(target))
  target.focus({ preventScroll: true })
}, true)

function follow() {
  const text = document.querySelector('.help-text:popover-open')
  if (text) place(text, buttonOf(text))
}
addEventListener('scroll', follow, { passive: true, capture: true })
addEventListener('resize', follow)
