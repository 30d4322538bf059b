"""W3C EmotionML 1.0: one emotion per reading, with its nine shares and its place in pleasure and arousal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from xml.sax.saxutils import escape, quoteattr

from analysis.values import LABELS
from emotrack.exports.rows import About, Line, Sitting
from emotrack.exports.tiers import xml_text

PAD = "http://www.w3.org/TR/emotion-voc/xml#pad-dimensions"
"""Pleasure, arousal and dominance, in the vocabularies that W3C published for EmotionML."""


def emotionml(about: About, sittings: Iterable[Sitting]) -> Iterator[bytes]:
    """Values run from 0 to 1, as EmotionML has it: a valence of -1 is a pleasure of 0. Only readings."""
    items = "".join(f'<item name="{label}"/>' for label in LABELS)
    yield (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<emotionml version="1.0" xmlns="http://www.w3.org/2009/10/emotionml" '
        f'category-set="#labels" dimension-set="{PAD}">\n'
        f"<info><generator>EmoTrack</generator><client>{about.code}</client></info>\n"
        f'<vocabulary type="category" id="labels">{items}</vocabulary>\n'
    ).encode()
    for sitting in sittings:
        yield "".join(_emotion(about, sitting, line) for line in sitting.lines if line.read).encode()
    yield b"</emotionml>\n"


def _emotion(about: About, sitting: Sitting, line: Line) -> str:
    start = round(1000 * line.at.timestamp())
    end = start + round(1000 * (line.end_s - line.start_s))
    places = {"pleasure": line.valence, "arousal": line.arousal, "dominance": line.dominance}
    dimensions = "".join(
        f'<dimension name="{name}" value="{(value + 1) / 2:.4f}"/>'
        for name, value in places.items()
        if value is not None
    )
    shares = "".join(
        f'<category name="{label}" value="{share:.4f}"/>'
        for label, share in zip(LABELS, line.shares, strict=True)
    )
    through = "text" if line.source == "text" else "voice"
    recognizer = quoteattr(xml_text(f"{line.recognizer} {line.version}"))
    sound = quoteattr(f"{about.base}api/v1/utterances/{line.id}/audio")
    return (
        f'<emotion id="u-{line.id}" start="{start}" end="{end}" expressed-through="{through}">'
        f"<info><recognizer name={recognizer}/><session>{escape(sitting.id)}</session></info>"
        f"{shares}{dimensions}<reference uri={sound}/></emotion>\n"
    )
