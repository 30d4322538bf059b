// Boxes that are chosen together, and a field that narrows a list of them.
for (const form of document.querySelectorAll('[data-choose]')) {
  const all = form.querySelector('[data-choose-all]')
  const boxes = [...form.querySelectorAll('input[type=checkbox][name]')]
  all?.addEventListener('change', () => {
    for (const box of boxes) if (!box.closest('[hidden]')) box.checked = all.checked
  })
  const find = form.querySelector('[data-narrow]')
  find?.addEventListener('input', () => {
    const wanted = find.value.trim().toLocaleLowerCase()
    for (const box of boxes) {
      const entry = box.closest('label')
      entry.hidden = !entry.textContent.toLocaleLowerCase().includes(wanted)
    }
  })
}
