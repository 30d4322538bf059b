"""What the page of a session says while it goes on: one sentence, the last ten minutes, the last turns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from django.utils.translation import gettext as _

from emotrack.mood.queries import ENOUGH_COVERAGE
from emotrack.web import words
from emotrack.web.session_page import Row, SessionPage
from emotrack.web.timeline import Turn, clock

SHOWN_S = 600.0
RECENT_TURNS, RECENT_S = 5, 180.0
"""The sentence speaks of so many turns at most, and of none that lies further back."""
ENOUGH_TURNS = 3
TURNS_LISTED = 6
BREAK_S = 75.0
WIDTH, HEIGHT = 860.0, 200.0
SHORTEST_AXIS_S = 60.0


@dataclass(frozen=True, slots=True)
class Curve:
    """Points of the level in the picture's own units; bands: outlines of its 95 % intervals."""

    lines: Sequence[str]
    bands: Sequence[str]
    gaps: Sequence[tuple[float, float]]
    dots: Sequence[tuple[float, float]]
    last: tuple[float, float] | None
    usual: tuple[float, float] | None
    """Top edge and height."""
    from_minutes: int


@dataclass(frozen=True, slots=True)
class LiveView:
    sentence: str
    aside: str
    curve: Curve | None
    rows: Sequence[Row]
    table: Sequence[Turn]


def live_view(page: SessionPage, at_s: float) -> LiveView:
    """at_s: seconds since the session began, which is the right edge of the picture."""
    turns = page.timeline.turns
    shown = [turn for turn in turns if turn.end_s >= at_s - SHOWN_S]
    return LiveView(
        sentence=_sentence(page, at_s),
        aside=_aside(page),
        curve=_curve(page, shown, at_s) if any(turn.level is not None for turn in shown) else None,
        rows=list(reversed(page.rows))[:TURNS_LISTED],
        table=list(reversed(shown)),
    )


def _sentence(page: SessionPage, at_s: float) -> str:
    """How the last turns may sound, and where the level stands against the usual."""
    read = [turn for turn in page.timeline.turns if turn.read][-RECENT_TURNS:]
    recent = [turn for turn in read if turn.end_s >= at_s - RECENT_S]
    if not page.rows:
        return _("Listening. Nothing said yet.")
    if page.hidden:
        return _("Listening. Readings wait until you have written your own impression.")
    if len(recent) < ENOUGH_TURNS:
        return _("Listening. Too little heard lately to say.")
    shares = np.mean([turn.shares for turn in recent], axis=0)
    label = words.EMOTIONS[words.strongest(shares)]
    level, usual = recent[-1].level, page.timeline.usual
    if usual is None or level is None:
        return _("May sound %(label)s. No usual to hold it against yet.") % {"label": label}
    if usual[0] <= level <= usual[1]:
        return _("May sound %(label)s, near the usual.") % {"label": label}
    side = words.SIDES[page.headline, 1 if level > usual[1] else -1]
    return _("%(side)s. May sound %(label)s.") % {"side": side, "label": label}


def _aside(page: SessionPage) -> str:
    if page.mood is None or not page.mood.utterances:
        return ""
    told = {
        "valid": page.mood.valid,
        "all": page.mood.utterances,
        "share": words.percent(page.mood.coverage),
    }
    said = _("%(valid)d of %(all)d turns gave a reading (%(share)s).") % told
    few = (page.mood.coverage or 0) < ENOUGH_COVERAGE
    return said + (" " + _("That is few: look at the sound before the reading.") if few else "")


def _curve(page: SessionPage, turns: Sequence[Turn], at_s: float) -> Curve:
    span_s = min(SHOWN_S, max(SHORTEST_AXIS_S, at_s))
    start_s = at_s - span_s
    usual = page.timeline.usual
    levels = [turn for turn in turns if turn.level is not None]
    ends = [turn.level + sign * (turn.half_width or 0) for turn in levels for sign in (-1, 1)]
    low, high = min([*ends, *(usual or ())]), max([*ends, *(usual or ())])
    room = max(0.25 - (high - low) / 2, 0.05)
    low, high = low - room, high + room

    def x(seconds: float) -> float:
        return round(WIDTH * min(max((seconds - start_s) / span_s, 0.0), 1.0), 1)

    def y(value: float) -> float:
        return round(HEIGHT * (high - value) / (high - low), 1)

    runs = _runs([turn for turn in levels if turn.read])
    lines = [" ".join(f"{x(t.at_s)},{y(t.level)}" for t in run) for run in runs if len(run) > 1]
    last = runs[-1][-1] if runs else None
    return Curve(
        lines=lines,
        bands=[_band(known, x, y) for run in runs if len(known := _with_interval(run)) > 1],
        gaps=[
            (x(before[-1].end_s), max(0.0, x(after[0].at_s) - x(before[-1].end_s)))
            for before, after in pairwise(runs)
        ],
        dots=[(x(t.at_s), y(t.level)) for run in runs for t in run if len(run) == 1],
        last=(x(last.at_s), y(last.level)) if last else None,
        usual=(y(usual[1]), y(usual[0]) - y(usual[1])) if usual else None,
        from_minutes=round(span_s / 60),
    )


def _runs(turns: Sequence[Turn]) -> list[list[Turn]]:
    """Readings without a long silence between them; a line never crosses one."""
    runs: list[list[Turn]] = []
    for turn in turns:
        if runs and turn.at_s - runs[-1][-1].end_s <= BREAK_S:
            runs[-1].append(turn)
        else:
            runs.append([turn])
    return runs


def _with_interval(run: Sequence[Turn]) -> list[Turn]:
    """The first turns of a session have none: a band that narrowed to the line there would look certain."""
    return [turn for turn in run if turn.half_width is not None]


def _band(run: Sequence[Turn], x: Callable[[float], float], y: Callable[[float], float]) -> str:
    upper = [f"{x(t.at_s)},{y(t.level + t.half_width)}" for t in run]
    lower = [f"{x(t.at_s)},{y(t.level - t.half_width)}" for t in reversed(run)]
    return " ".join(upper + lower)


def live_words() -> dict[str, str]:
    """What the script of this page says."""
    return {
        "starting": _("Starting the microphone …"),
        "listening": _("Live"),
        "behind": _("Live, {seconds} s behind"),
        "paused": _("Paused. Nothing is recorded."),
        "notLive": _(
            "Not live since {time}. This window keeps {seconds} s and sends them when the line is back."
        ),
        "lost": _("{seconds} s could not be kept in this window and are lost."),
        "signedOut": _("You were signed out. Sign in again in another window: what was said is kept here."),
        "ending": _("Ending. {seconds} s are still to be sent; keep this window open."),
        "levelNone": _("No sound arrives"),
        "levelLow": _("Very quiet: move the microphone closer"),
        "levelGood": _("Level is good"),
        "levelHigh": _("Too loud: move the microphone away"),
        "pause": _("Pause"),
        "resume": _("Go on"),
        "noteKept": _("Note kept."),
        "noteFailed": _("The note could not be kept. It is still here: try again."),
        "marked": _("Marked"),
        "deniedTitle": _("The microphone is not allowed"),
        "denied": _("Allow it for this site in the browser’s address bar, then start again."),
        "noneTitle": _("No microphone found"),
        "none": _("Connect one, or choose one in the system’s sound settings, then start again."),
        "busyTitle": _("The microphone cannot be used now"),
        "busy": _("Another program may hold it. Close that program, then start again."),
        "insecureTitle": _("The browser gives no microphone to this address"),
        "insecure": _("Open EmoTrack over https:// or on this machine itself."),
        "unsupportedTitle": _("This browser cannot record"),
        "unsupported": _("Use a current Firefox, Chrome, Edge or Safari, or upload a recording instead."),
        "unpluggedTitle": _("The microphone is gone"),
        "unplugged": _("Connect it again, then start again. What was said before is kept."),
        "clickTitle": _("Ready to listen"),
        "click": _("The browser waits for your word before it listens."),
        "consent-requiredTitle": _("The client’s consent ended"),
        "consent-required": _("Nothing more is recorded. What was said before stands in the session."),
        "access-revokedTitle": _("You may not listen to this session any more"),
        "access-revoked": _("Nothing more is recorded."),
        "stream-supersededTitle": _("Another window listens to this session now"),
        "stream-superseded": _("Close one of them. To go on here, start again."),
        "failedTitle": _("Listening stopped"),
        "failed": _("{detail} What was kept stands in the session. Start again to go on."),
        "start": _("Start again"),
        "startNow": _("Start listening"),
    }


def elapsed(seconds: float) -> str:
    return clock(max(0.0, seconds))
