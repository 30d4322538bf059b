"""The words behind each "?": what a measure says, what it needs, and where it misleads."""

from __future__ import annotations

import re
from dataclasses import astuple, dataclass
from functools import lru_cache
from pathlib import Path

from django.utils.translation import gettext

MEASURES = Path(__file__).resolve().parents[2] / "docs" / "measures.md"

TITLES = {
    "valence": "Valence, arousal, dominance",
    "reading": "Reading",
    "mood-level": "Mood level",
    "volatility": "Changeability (volatility)",
    "usual": "Usual",
    "mean-and-spread": "Mean, median, spread",
    "movement": "Movement (MSSD, RMSSD)",
    "leaps": "Leaps (probability of acute change)",
    "carry-over": "Carry-over (inertia)",
    "mix": "Mix and what follows what",
    "home-base": "Home base",
    "trend": "Trend",
    "change": "Change against earlier sessions",
    "change-points": "Change points",
    "low-spells": "Low spells (control charts)",
    "flattening": "Flattening",
    "recent-shares": "Shares of the latest turns",
    "recognizer-shift": "Shift of a recognizer",
    "patterns": "Patterns",
    "tone-and-words": "Tone against words",
}
"""Name of a help text in a page to its section of docs/measures.md."""


@dataclass(frozen=True, slots=True)
class Help:
    """One measure in a reader's words; minimum and limits are empty where the notes name none."""

    title: str
    sentence: str
    minimum: str
    limits: str


def help_on(topic: str) -> Help:
    """In the reader's language. Raises ``KeyError`` for a topic without a section."""
    said = _sections()[TITLES[topic]]
    return Help(*(gettext(part) if part else "" for part in astuple(said)))


@lru_cache(maxsize=1)
def _sections() -> dict[str, Help]:
    parts = re.split(r"^## ", MEASURES.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    found = (parsed(part) for part in parts)
    return {section.title: section for section in found if section.sentence}


def parsed(section: str) -> Help:
    """A section of the notes, its title in the first line."""
    title, _, body = section.partition("\n")
    paragraphs = [" ".join(part.split()) for part in re.split(r"\n\s*\n|^\* ", body, flags=re.MULTILINE)]
    return Help(
        title.strip(),
        _first(r"\*\*In a sentence:\*\* (.*)", paragraphs),
        _first(r"Minimum: (.*?)(?= Limits: |$)", paragraphs),
        _first(r"Limits: (.*)", paragraphs),
    )


def _first(pattern: str, paragraphs: list[str]) -> str:
    found = (re.search(pattern, paragraph) for paragraph in paragraphs)
    said = next((match[1] for match in found if match), "")
    plain = re.sub(r"[`*]", "", said)
    return plain[:1].upper() + plain[1:]
