"""What the card above a session's chart says: a sentence, and only the figures that can be given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from django.utils.translation import gettext as _

from emotrack.alerts.models import Kind
from emotrack.history.models import Speaker
from emotrack.mood import queries as mood
from emotrack.web import words
from emotrack.web.session_page import SessionPage
from emotrack.web.timeline import Episode, Turn, clock, signed


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
    """What to look at first: what fired, then where the level stood."""
    told = _told(page)
    level = _level(page, after=bool(told))
    return " ".join(part for part in (told, level) if part)


def _told(page: SessionPage) -> str:
    """What the session's alerts say, those on changeability first; without any, where it passed its line."""
    kinds = {kind: [e for e in page.timeline.episodes if e.kind == kind] for kind in Kind}
    said = [_episodes(page, kind, found) for kind, found in kinds.items() if found]
    if not kinds[Kind.VOLATILITY]:
        said.insert(0, _changeable_for_a_moment(page))
    return " ".join(part for part in said if part)


def _episodes(page: SessionPage, kind: str, episodes: Sequence[Episode]) -> str:
    longest = max(episodes, key=lambda e: (e.recovering_s or e.ended_s) - e.pending_s)
    what = words.ALERT_STARTS[kind]
    if len(episodes) > 1:
        what = _("%(what)s %(n)d times, longest") % {"what": what, "n": len(episodes)}
    return _from_to(page, what, longest.pending_s, longest.recovering_s or longest.ended_s)


def _changeable_for_a_moment(page: SessionPage) -> str:
    line = page.timeline.threshold
    beyond = [t for t in page.timeline.turns if line is not None and t.z is not None and t.z > line]
    if not beyond:
        return ""
    peak = max(beyond, key=lambda t: t.z)
    return _("More changeable than usual for a moment, at %(clock)s.") % {"clock": clock(peak.at_s)}


def _level(page: SessionPage, *, after: bool) -> str:
    """Where the level stood against the usual. after: whether something else was said before."""
    if page.mood is None or not page.mood.utterances:
        return _("Nothing read yet.")
    if page.mood.valid < 3:
        return _("Too little to say yet.")
    if (page.mood.coverage or 0) < mood.ENOUGH_COVERAGE:
        return _("Too little to say: few turns gave a reading.")
    if page.timeline.usual is None:
        return _("Too early to hold against a usual.")
    return _against_usual(page, after=after)


def _against_usual(page: SessionPage, *, after: bool) -> str:
    low, high = page.timeline.usual
    read = [t for t in page.timeline.turns if t.read and t.level is not None]
    sides = [1 if t.level > high else -1 if t.level < low else 0 for t in read]
    start, length = _longest_outside(sides)
    if length < 3:
        return _("The level as usual.") if after else _("As usual.")
    side = words.SIDES[page.headline, sides[start]]
    if sides[start] < 0 and _fell_already(page):
        return ""
    if length == len(read):
        return _("%(side)s throughout.") % {"side": side}
    return _from_to(page, side, read[start].at_s, read[start + length - 1].end_s)


def _fell_already(page: SessionPage) -> bool:
    """Whether an alert on a low level was told: the level need not say it twice."""
    return any(e.kind == Kind.NEGATIVE_MOOD for e in page.timeline.episodes)


def _from_to(page: SessionPage, what: str, start_s: float, end_s: float) -> str:
    said = {"what": what, "from": clock(start_s), "to": clock(end_s)}
    if end_s < page.timeline.turns[-1].end_s:
        return _("%(what)s from %(from)s to %(to)s.") % said
    if page.session.ended_at is None:
        return _("%(what)s since %(from)s.") % said
    return _("%(what)s from %(from)s to the end.") % said


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
