"""Dates in Simplified Chinese: a page names the English form, and this says how the same is written here."""

SHORTENED = {
    "D j M": "n月j日 D",
    "D j M Y": "Y年n月j日 D",
    "D j M Y, H:i": "Y年n月j日 D H:i",
    "D j M, H:i": "n月j日 D H:i",
    "M": "n月",
    "M Y": "Y年n月",
    "F Y": "Y年n月",
    "j F": "n月j日",
    "j F Y": "Y年n月j日",
    "j M": "n月j日",
    "j M Y": "Y年n月j日",
    "j M Y, H:i": "Y年n月j日 H:i",
    "j M Y, H:i:s": "Y年n月j日 H:i:s",
    "j M, H:i:s": "n月j日 H:i:s",
    "j M, H:i": "n月j日 H:i",
    "l j F": "n月j日 l",
    "l j F Y": "Y年n月j日 l",
}
globals().update(SHORTENED)
