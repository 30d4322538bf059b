// The button prints the sheet; everything else on the page works without a script.
document.getElementById('print').addEventListener('click', () => print())
