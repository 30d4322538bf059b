"""What a report says of a session or a client: words first, figures for paper, and how sure all of it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
from django.db.models import Count, Q
from django.http import QueryDict
from django.utils.formats import date_format
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from analysis.values import LABELS
from emotrack.accounts.models import User
from emotrack.alerts.models import Alert
from emotrack.alerts.models.reactions import Judgment
from emotrack.history.listening import waits
from emotrack.history.models import Client, Session
from emotrack.history.remark_models import Note
from emotrack.mood.queries import SessionPoint, session_points
from emotrack.web import session_page, words
from emotrack.web.charts import STACK_ORDER, session_figure
from emotrack.web.client_frame import series_of
from emotrack.web.client_page import mood_of
from emotrack.web.figure_svg import figure_svg
from emotrack.web.session_page import SessionPage
from emotrack.web.session_summary import facts, sentence

WIDTH = 680
"""px of a figure; the sheet scales it."""

SESSION_HEIGHT, CLIENT_HEIGHT = 400, 230
LEAST_SHARE = 0.03
"""A label below it in all columns has no row."""


@dataclass(frozen=True, slots=True)
class Share:
    """One label's row. shares: one per column, ``None`` without any."""

    label: str
    shares: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """What the reader chose for this one report. words: their own, kept nowhere. notes: with those kept."""

    words: str = ""
    notes: bool = False


def session_context(found: Session, asked: Asked, *, may_read: bool) -> dict:
    """What the template needs of one session."""
    page = session_page.load(found, may_read=may_read)
    own = Note.objects.filter(session=found)
    alerts = Alert.objects.standing().filter(session=found)
    return {
        **_shared(found.client, asked, own, alerts, may_read=may_read),
        "session": found,
        "number": Session.objects.filter(client=found.client, started_at__lte=found.started_at).count(),
        "sentence": sentence(page),
        "facts": [fact for fact in facts(page) if fact.name != _("In a sentence")],
        "session_figure": _session_svg(page) if page.timeline.turns else "",
        "columns": [_("this session")],
        "shares": _rows([page.mood.mean_scores if page.mood else None]),
        "valid": page.mood.valid if page.mood else 0,
        "turns": page.mood.utterances if page.mood else 0,
        "coverage": page.mood.coverage if page.mood else None,
        "usual": words.baseline_state(page.baseline.n) if page.recognizer else "",
        **_recognizer(page.recognizer),
    }


def client_context(
    client: Client, viewer: User, query: QueryDict, asked: Asked, *, now: datetime, may_read: bool
) -> dict:
    """What the template needs of a client. query: the chosen period, as on the client's page."""
    recognizer, others = series_of(client, query.get("series", ""))
    own, alerts = Note.objects.filter(client=client), Alert.objects.standing().filter(client=client)
    found = {"others": others, **_recognizer(recognizer)}
    if recognizer is not None:
        mood = mood_of(client, recognizer, viewer, query, now=now, may_read=may_read)
        span = mood["period"].span
        own, alerts = span.of(own, "at"), span.of(alerts, "fired_at")
        points = [p for p in session_points(client, recognizer) if span.holds(p.started_at)]
        found |= mood | _client_parts(client, mood, points, viewer, may_read=may_read)
    return found | _shared(client, asked, own, alerts, may_read=may_read)


def _client_parts(
    client: Client, mood: dict, points: Sequence[SessionPoint], viewer: User, *, may_read: bool
) -> dict:
    """The figures, and what was heard in the last session beside what was heard before."""
    if not points:
        return {}
    last = Session.objects.select_related("client").get(public_id=points[-1].session)
    page = session_page.load(last, may_read=may_read)
    hidden = waits(last, viewer)
    days = (points[0].started_at, points[-1].started_at)
    return {
        "days_shown": days,
        "mood_figure": _svg(mood["figure"], _("Mood across sessions"), "mood", CLIENT_HEIGHT),
        "last": last,
        "last_sentence": "" if hidden else sentence(page),
        "session_figure": _session_svg(page) if page.timeline.turns and not hidden else "",
        "columns": [_("before"), date_format(points[-1].started_at, "j M")],
        "shares": _rows([_mean_shares(points[:-1]), points[-1].shares]),
    }


def _shared(client: Client, asked: Asked, notes, alerts, *, may_read: bool) -> dict:
    judged = alerts.aggregate(
        all=Count("pk", distinct=True),
        useful=Count("pk", filter=Q(verdicts__judgment=Judgment.USEFUL), distinct=True),
    )
    shown = []
    if may_read and asked.notes:
        shown = list(notes.select_related("author", "session").order_by("at", "id"))
        for note in shown:
            note.client = client  # one key unwrapped for all rows
    return {
        "client": client,
        "name": (client.name or "") if may_read else "",
        "may_read": may_read,
        "asked": asked,
        "notes": [note for note in shown if note.text],
        "notes_on_record": notes.count() if may_read else 0,
        "alerts": judged["all"],
        "alerts_useful": judged["useful"],
        "voice_line": words.HOW_A_VOICE_MAY_SOUND,
    }


def _recognizer(recognizer) -> dict:
    if recognizer is None:
        return {"recognizer": None}
    said = words.recognizer_line(recognizer.name, recognizer.version, recognizer.headline)
    return {"recognizer": recognizer, "recognizer_line": said}


# --- Figures ----------------------------------------------------------------------------------------------


def _session_svg(page: SessionPage) -> SafeString:
    figure = session_figure(replace(page.timeline, wave=()), WIDTH - 144)  # paper cannot be clicked to play
    return _svg(
        figure, _("The session: mood, what may be heard, volatility, alerts"), "session", SESSION_HEIGHT
    )


def _svg(figure: dict, label: str, name: str, height: int) -> SafeString:
    drawn = figure_svg(figure, WIDTH, label=label, name=name, date_words=_date_words, height=height)
    return SafeString(drawn)  # every word in it was escaped


def _date_words(at: datetime, months: bool) -> str:
    if not months:
        return date_format(at, "j M")
    name = date_format(at, "M")
    return f"{name}<br>{at.year}" if at.month == 1 else name


# --- What was heard ---------------------------------------------------------------------------------------


def _mean_shares(points: Sequence[SessionPoint]) -> list[float] | None:
    """Each session weighing by its turns."""
    said = [p for p in points if p.shares and p.valid]
    if not said:
        return None
    return np.average([p.shares for p in said], axis=0, weights=[p.valid for p in said]).tolist()


def _rows(columns: Sequence[Sequence[float] | None]) -> list[Share]:
    """The labels in the order of every stack; ``[]`` where no column has any."""
    rows = []
    for label in STACK_ORDER:
        k = LABELS.index(label)
        shares = tuple(None if column is None else column[k] for column in columns)
        if any(share is not None and share >= LEAST_SHARE for share in shares):
            rows.append(Share(label, shares))
    return rows
