"""What the card above a session's chart says: a sentence, and only the figures that can be given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from django.utils.translation import gettext as _

from emotrack.history.models import Speaker
from emotrack.mood import queries as mood
from emotrack.web import words
from emotrack.web.session_page import SessionPage
from emotrack.web.timeline import Turn, clock, signed


@dataclass(frozen=True, slots=True)
class Fact:
    name: str
    value: str
    aside: str = ""


def facts(page: SessionPage) -> list[Fact]:
    """What the card above the chart says; only what can be said."""
    found = [Fact(_("In a sentence"), sentence(page))]
    read = [t for t in page.timeline.turns if t.read]
    if len(read) >= 6:
        found.append(_begin_and_end(page, read))
    if read:
        found.append(_extreme(page, read))
    found += _talked(page)
    if page.mood and page.mood.utterances:
        aside = _("%(valid)d of %(all)d turns") % {"valid": page.mood.valid, "all": page.mood.utterances}
        found.append(Fact(_("Coverage"), words.percent(page.mood.coverage), aside))
    return found


def sentence(page: SessionPage) -> str:
    if page.mood is None or not page.mood.utterances:
        return _("Nothing read yet.")
    if page.mood.valid < 3:
        return _("Too little to say yet.")
    if (page.mood.coverage or 0) < mood.ENOUGH_COVERAGE:
        return _("Too little to say: few turns gave a reading.")
    if page.timeline.usual is None:
        return _("Too early to hold against a usual.")
    return _against_usual(page)


def _against_usual(page: SessionPage) -> str:
    low, high = page.timeline.usual
    read = [t for t in page.timeline.turns if t.read and t.level is not None]
    sides = [1 if t.level > high else -1 if t.level < low else 0 for t in read]
    start, length = _longest_outside(sides)
    if length < 3:
        return _("As usual.")
    said = {
        "side": words.SIDES[page.headline, sides[start]],
        "from": clock(read[start].at_s),
        "to": clock(read[start + length - 1].end_s),
    }
    if length == len(read):
        return _("%(side)s throughout.") % said
    if start + length == len(read):
        return _("%(side)s from %(from)s to the end.") % said
    return _("%(side)s from %(from)s to %(to)s.") % said


def _longest_outside(sides: Sequence[int]) -> tuple[int, int]:
    best, start = (0, 0), 0
    for i in range(1, len(sides) + 1):
        if i == len(sides) or sides[i] != sides[start]:
            if sides[start] and i - start > best[1]:
                best = (start, i - start)
            start = i
    return best


def _begin_and_end(page: SessionPage, read: Sequence[Turn]) -> Fact:
    fifth = max(3, len(read) // 5)
    first, last = (float(np.mean([t.value for t in part])) for part in (read[:fifth], read[-fifth:]))
    aside = ""
    if page.timeline.usual:
        low, high = page.timeline.usual
        inside = low <= last <= high
        aside = _("ends within usual") if inside else _("ends outside usual")
    return Fact(_("Begin → end"), f"{signed(first)} → {signed(last)}", aside)


def _extreme(page: SessionPage, read: Sequence[Turn]) -> Fact:
    leveled = [t for t in read if t.level is not None]
    lowest = page.headline == "valence"
    turn = (min if lowest else max)(leveled, key=lambda t: t.level)
    name = _("Lowest moment") if lowest else _("Most agitated moment")
    return Fact(name, signed(turn.level), _("at %(clock)s") % {"clock": clock(turn.at_s)})


def _talked(page: SessionPage) -> list[Fact]:
    client = str(Speaker.CLIENT.label)
    seconds = {True: 0.0, False: 0.0}
    for row in page.rows:
        seconds[row.speaker == client] += row.end_s - row.at_s
    total = seconds[True] + seconds[False]
    if not seconds[False] or not total:
        return []
    return [Fact(_("Client talked"), words.percent(seconds[True] / total))]
