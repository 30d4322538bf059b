"""What the card above a session's chart says: a sentence, and only the figures that can be given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from django.utils.translation import gettext as _

from analysis.reliable_change import RELIABLE, reliable_change
from emotrack.alerts.models import Kind
from emotrack.history.models import Speaker
from emotrack.mood import queries as mood
from emotrack.web import words
from emotrack.web.session_page import SessionPage
from emotrack.web.timeline import Episode, Turn, clock, signed

QUARTER_LEAST = 3
"""Readings below which a quarter's mean is not said."""

LEAST_SPREAD = 0.2
"""Quarters closer together than this are drawn as close as they are."""

SILENCE_S = 10
"""A drawing choice: shorter pauses are part of talking."""


@dataclass(frozen=True, slots=True)
class Fact:
    name: str
    value: str
    aside: str = ""


def facts(page: SessionPage) -> list[Fact]:
    """What the card above the chart says; only what can be said."""
    if page.hidden:
        hidden = Fact(_("In a sentence"), _("Hidden until you have written your own impression."))
        return [hidden, *_talked(page), *_silences(page)]
    found = [Fact(_("In a sentence"), sentence(page))]
    read = [t for t in page.timeline.turns if t.read]
    if read:
        found += [_begin_and_end(page), _extreme(page, read)]
    found += [*_talked(page), *_silences(page)]
    if page.mood and page.mood.utterances:
        aside = _("%(valid)d of %(all)d turns") % {"valid": page.mood.valid, "all": page.mood.utterances}
        found.append(Fact(_("Coverage"), words.percent(page.mood.coverage), aside))
    return found


@dataclass(frozen=True, slots=True)
class Quarter:
    """A quarter of the session's time. mean: of the headline dimension, ``None`` below ``QUARTER_LEAST``.

    readings: how many it rests on. side: -1 lower than usual, 1 higher, 0 within it or not known.
    y: where it stands in a drawing 20 high; of four that can be said the lowest at 17, the highest at 3.
    """

    clock: str
    readings: int
    mean: float | None
    side: int = 0
    y: float = 10.0


def quarters(page: SessionPage) -> list[Quarter]:
    """The four quarters; empty while the session goes on or where nothing was read."""
    if page.hidden or page.session.ended_at is None or not page.timeline.turns:
        return []
    parts = _quarters_of(page)
    means = [float(np.mean([t.value for t in p])) if len(p) >= QUARTER_LEAST else None for p in parts]
    said = [mean for mean in means if mean is not None]
    if not said:
        return []
    low, spread = min(said), max(max(said) - min(said), LEAST_SPREAD)
    quarter_s = page.duration_s / 4
    return [
        Quarter(
            clock=f"{clock(i * quarter_s)}–{clock((i + 1) * quarter_s)}",
            readings=len(part),
            mean=mean,
            side=0 if mean is None else _side(page, mean),
            y=10.0 if mean is None else 17.0 - 14.0 * (mean - low) / spread,
        )
        for i, (part, mean) in enumerate(zip(parts, means, strict=True))
    ]


def _quarters_of(page: SessionPage) -> list[list[Turn]]:
    parts: list[list[Turn]] = [[], [], [], []]
    for turn in page.timeline.turns:
        if turn.read:
            parts[min(int(4 * turn.at_s / max(page.duration_s, 1e-9)), 3)].append(turn)
    return parts


def _side(page: SessionPage, mean: float) -> int:
    if page.timeline.usual is None:
        return 0
    low, high = page.timeline.usual
    return 1 if mean > high else -1 if mean < low else 0


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


def _begin_and_end(page: SessionPage) -> Fact:
    """The last quarter against the first, with the 95 % interval of the shift."""
    first, *_middle, last = ([t.value for t in part] for part in _quarters_of(page))
    shift = reliable_change(first, last)
    name = _("Begin → end")
    if shift.reason == "too_few_values":
        rest_on = {"n": shift.n_earlier, "m": shift.n_later}
        return Fact(name, _("too little to say"), _("%(n)d and %(m)d readings") % rest_on)
    means = {"first": signed(float(np.mean(first))), "last": signed(float(np.mean(last)))}
    if not shift.index:
        return Fact(name, str(words.SHIFTS[page.headline, 0]), _("%(first)s → %(last)s") % means)
    side = 0 if not shift.reliable else 1 if shift.difference > 0 else -1
    half = RELIABLE * shift.difference / shift.index
    shifted = {"low": signed(shift.difference - half), "high": signed(shift.difference + half)}
    aside = _("%(first)s → %(last)s, shift %(low)s to %(high)s") % (means | shifted)
    return Fact(name, str(words.SHIFTS[page.headline, side]), aside)


def _extreme(page: SessionPage, read: Sequence[Turn]) -> Fact:
    leveled = [t for t in read if t.level is not None]
    lowest = page.headline == "valence"
    turn = (min if lowest else max)(leveled, key=lambda t: t.level)
    name = _("Lowest moment") if lowest else _("Most agitated moment")
    return Fact(name, signed(turn.level), _("at %(clock)s") % {"clock": clock(turn.at_s)})


def _talked(page: SessionPage) -> list[Fact]:
    """Shares of speaking time; nothing where only one side was recorded."""
    client = str(Speaker.CLIENT.label)
    seconds = {True: 0.0, False: 0.0}
    for row in page.rows:
        seconds[row.speaker == client] += row.end_s - row.at_s
    total = seconds[True] + seconds[False]
    if not seconds[False] or not seconds[True]:
        return []
    others = _("others %(share)s") % {"share": words.percent(seconds[False] / total)}
    return [Fact(_("Client talked"), words.percent(seconds[True] / total), others)]


def _silences(page: SessionPage) -> list[Fact]:
    """Times in which nobody spoke.

    Nothing where only one side was recorded, for the other may have talked, or where turns were written.
    """
    written = any(row.end_s <= row.at_s for row in page.rows)
    if written or len({row.speaker for row in page.rows}) < 2:
        return []
    silences, heard_until = [], page.rows[0].end_s
    for row in page.rows[1:]:
        if row.at_s - heard_until >= SILENCE_S:
            silences.append((row.at_s - heard_until, heard_until))
        heard_until = max(heard_until, row.end_s)
    name = _("Silences of %(n)d s or more") % {"n": SILENCE_S}
    if not silences:
        return [Fact(name, _("none"))]
    longest, at = max(silences)
    aside = _("longest %(length)s at %(at)s") % {"length": clock(longest), "at": clock(at)}
    return [Fact(name, str(len(silences)), aside)]
