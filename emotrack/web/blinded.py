"""Listening first: the session without any reading, until who listens has said what they heard."""

from __future__ import annotations

from dataclasses import replace

from django.utils.translation import gettext as _

from analysis.baseline import SessionBaseline
from emotrack.accounts.models import User
from emotrack.web.lane_words import hidden_words
from emotrack.web.session_page import Row, SessionPage
from emotrack.web.timeline import Mark, Timeline, Turn, clock


def is_hidden(page: SessionPage, viewer: User) -> bool:
    """Whether the viewer listens first and has not yet written an impression of this session."""
    written = any(note.own and note.impression for note in page.notes)
    return page.may_read and viewer.listens_first and not written


def without_readings(page: SessionPage) -> SessionPage:
    """The page as a listener sees it who has not judged yet: words, sound, and the turns they have judged.

    What is left out is in no part of the answer: labels, shares, curves, alerts, other people's words.
    """
    rows = [_alone(row) if _judged(row) else _plain(row) for row in page.rows]
    judged = {row.id for row in rows if _judged(row)}
    timeline = Timeline(
        turns=[_shown(turn) if turn.id in judged else _place(turn) for turn in page.timeline.turns],
        duration_s=page.timeline.duration_s,
        words=hidden_words(),
        wave=page.timeline.wave,
        notes=[Mark(n.at_s, n.sign, n.id) for n in page.notes if n.own and not n.impression],
        hidden=True,
    )
    return replace(
        page,
        hidden=True,
        rows=rows,
        timeline=timeline,
        mood=None,
        baseline=SessionBaseline(),
        notes=[note for note in page.notes if note.own],
        beside=0,
    )


def _judged(row: Row) -> bool:
    return any(heard.own for heard in row.heard)


def _plain(row: Row) -> Row:
    return Row(
        id=row.id,
        kind="turn" if row.kind == "gap" else row.kind,
        at_s=row.at_s,
        end_s=row.end_s,
        text=row.text,
        speaker=row.speaker,
        reason=row.reason if row.kind in ("waiting", "failed") else "",
        audio=row.audio,
        gone_at=row.gone_at,
    )


def _alone(row: Row) -> Row:
    """A judged turn's own reading, without what its neighbors have to do with."""
    return replace(row, level=None, z=None, z_fires=False)


def _place(turn: Turn) -> Turn:
    """Where a turn lies, and nothing else."""
    hover = f"{clock(turn.at_s)}  {_('What do you hear?')}"
    return Turn(at_s=turn.at_s, end_s=turn.end_s, id=turn.id, reading="", hover=hover)


def _shown(turn: Turn) -> Turn:
    """A judged turn: its own reading, without the curves that run through its neighbors."""
    hover = "<br>".join(turn.hover.split("<br>")[:2])
    return replace(turn, level=None, half_width=None, z=None, index=None, hover=hover)
