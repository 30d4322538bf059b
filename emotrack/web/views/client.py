"""One client across sessions: where they stand, what was heard, what was agreed, and who looked."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

import numpy as np
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from analysis.trend import Trend
from emotrack.accounts.models import User
from emotrack.alerts.models import Alert
from emotrack.audit.models import AuditEvent
from emotrack.history.models import Client, Recognizer, Session
from emotrack.mood import queries as mood
from emotrack.mood.queries import SessionPoint
from emotrack.privacy.models import Consent
from emotrack.web import words
from emotrack.web.client_cards import cards, last_session_words, shift_of
from emotrack.web.client_charts import Line, Meeting, client_figure, cuts_whiskers, limits, mix_figure
from emotrack.web.looked_at import alerts_to_tell, note_look, unseen_alerts
from emotrack.web.timeline import signed

SESSIONS_SHOWN = 30
LOOKS_READ, LOOKS_SHOWN = 60, 8
SURE = 0.05


@dataclass(frozen=True, slots=True)
class SessionLine:
    """A session in the list. mean: ``None`` where it says too little."""

    session: Session
    point: SessionPoint | None
    alerts: int


@dataclass(frozen=True, slots=True)
class Look:
    """One person doing one thing, perhaps several times in a row; at: the last of them."""

    at: datetime
    actor: str
    words: str
    times: int = 1


@login_required
@require_safe
def client(request: HttpRequest, public_id: str) -> HttpResponse:
    found = get_object_or_404(Client.objects.visible_to(request.user), public_id=public_id)
    now = timezone.now()
    may_read = found.content_visible_to(request.user)
    note_look(request.user, "client.read", found, now=now, subject=found.public_id, words=may_read)
    recognizer, others = _series(found, request.GET.get("series", ""))
    context = {
        "active": "caseload",
        "client": found,
        "name": (found.name or "") if may_read else "",
        "may_read": may_read,
        "sessions": Session.objects.filter(client=found).count(),
        "first": Session.objects.filter(client=found).order_by("started_at").first(),
        "consents": Consent.objects.filter(client=found).select_related("app").order_by("-given_at"),
        "unseen": unseen_alerts(request.user).filter(client=found).count(),
        "looks": _looks(found),
        "recognizer": recognizer,
        "other_series": others,
        "voice_line": words.HOW_A_VOICE_MAY_SOUND,
    }
    if recognizer is not None:
        context |= _mood(found, recognizer, request.user, now, may_read)
    return render(request, "web/client.html", context)


def _series(client: Client, wanted: str) -> tuple[Recognizer | None, list[Recognizer]]:
    """The series to show, the latest unless another is asked for, and the others that there are."""
    all_series = list(Recognizer.objects.filter(sessionmood__client=client).distinct().order_by("-pk"))
    if not all_series:
        return None, []
    latest = mood.latest_recognizer(client)
    if wanted:
        chosen = next((r for r in all_series if str(r.pk) == wanted), None)
        if chosen is None:
            raise Http404
    else:
        chosen = latest
    return chosen, [r for r in all_series if r != chosen]


def _mood(client: Client, recognizer: Recognizer, user: User, now: datetime, may_read: bool) -> dict:
    points = mood.session_points(client, recognizer)
    standing = mood.standing(points)
    levels = mood.session_levels(points)
    half_widths = mood.session_half_widths(client, recognizer, points)
    trend = mood.trend_of(points)
    meetings = [_meeting(*row) for row in zip(points, levels, half_widths, strict=True)]
    shift = shift_of(points)
    figure = client_figure(meetings, standing.band, _trend_line(points, trend), shift)
    said = [m for m in meetings if m.mean is not None]
    months, shares = _by_month(points)
    told = alerts_to_tell(user, [p.session for p in points[-1:]]).get(client.pk, [])
    valid, turns = sum(p.valid for p in points), sum(p.utterances for p in points)
    return cards(client, recognizer, points, may_read=may_read) | {
        "headline": recognizer.headline,
        "dimension": words.DIMENSIONS[recognizer.headline],
        "standing": standing,
        "sentence": words.told_sentence(standing, recognizer.headline, told, now),
        "told": told,
        "evidence": _evidence(points, standing, trend, recognizer.headline),
        "coverage": valid / turns if turns else None,
        "valid": valid,
        "turns": turns,
        "figure": figure,
        "cut": cuts_whiskers(said, limits(said, standing.band)),
        "mix": mix_figure(months, shares, _texts(words.CODES), _texts(words.EMOTIONS)) if months else None,
        "mix_rows": [
            (m.replace("<br>", " "), words.distribution(row)) for m, row in zip(months, shares, strict=True)
        ],
        "rows": list(zip(reversed(points), reversed(levels), reversed(half_widths), strict=True)),
        "session_lines": _session_lines(client, points),
        "recognizer_line": words.recognizer_line(recognizer.name, recognizer.version, recognizer.headline),
        "trend_words": trend_words(trend),
        "shift": shift,
        "last_words": last_session_words(points),
    }


def _texts(lazy: dict) -> dict[str, str]:
    return {key: str(value) for key, value in lazy.items()}


def _meeting(point: SessionPoint, level: float | None, half_width: float | None) -> Meeting:
    at = timezone.localtime(point.started_at)
    said = date_format(at, "j M Y")
    coverage = _("%(share)s of turns gave a reading") % {"share": words.percent(point.coverage)}
    if point.says_enough:
        interval = f" ± {half_width:.2f}" if half_width is not None else ""
        hover = f"{said}<br>{signed(point.mean)}{interval}<br>{coverage}"
    else:
        hover = f"{said}<br>{_('Too little to say')}<br>{coverage}"
    return Meeting(at, point.mean if point.says_enough else None, level, half_width, hover, point.session)


def _trend_line(points: Sequence[SessionPoint], trend: Trend) -> Line | None:
    """Through the medians of days and means, as Theil–Sen has it."""
    enough = [p for p in points if p.says_enough]
    if trend.slope_per_week is None:
        return None
    weeks = [p.started_at.timestamp() / (7 * 86400) for p in enough]
    middle_week, middle = statistics.median(weeks), statistics.median(p.mean for p in enough)

    def at(week: float) -> float:
        return middle + trend.slope_per_week * (week - middle_week)

    start, end = timezone.localtime(enough[0].started_at), timezone.localtime(enough[-1].started_at)
    return Line(start, end, at(weeks[0]), at(weeks[-1]))


def trend_words(trend: Trend) -> str:
    if trend.slope_per_week is None:
        return _("Too few sessions for a trend.")
    sizes = {
        "slope": f"{trend.slope_per_week:+.3f}".replace("-", "−"),
        "low": f"{trend.low_per_week:+.3f}".replace("-", "−"),
        "high": f"{trend.high_per_week:+.3f}".replace("-", "−"),
    }
    said = _("Trend %(slope)s a week, 95 %% interval %(low)s to %(high)s.") % sizes
    sure = trend.p is not None and trend.p < SURE
    return f"{said} " + (_("More than chance alone would give.") if sure else _("Could be chance."))


def _evidence(
    points: Sequence[SessionPoint], standing: mood.Standing, trend: Trend, headline: str
) -> list[tuple[str, str, str]]:
    """(figure, words, public id of a session to open) that carry the sentence."""
    found = []
    last = points[-1]
    if last.says_enough:
        aside = words.range_words(standing.band) if standing.band else _("no usual range yet")
        found.append(
            (signed(last.mean), _("in the last session; %(usual)s") % {"usual": aside}, last.session)
        )
    if last.shares and last.says_enough:
        label = words.strongest(last.shares)
        said = _("of the last session may sound %(label)s") % {"label": words.EMOTIONS[label]}
        found.append((words.percent(max(last.shares)), said, ""))
    if trend.slope_per_week is not None:
        said = trend_words(trend)
        found.append(("", said, ""))
    return found


def _by_month(points: Sequence[SessionPoint]) -> tuple[list[str], list[list[float]]]:
    """Mean shares of the last twelve months that have any, each session weighing by its turns."""
    months: dict[tuple[int, int], list[tuple[int, Sequence[float]]]] = defaultdict(list)
    for point in points:
        if point.shares and point.valid:
            at = timezone.localtime(point.started_at)
            months[at.year, at.month].append((point.valid, point.shares))
    kept = sorted(months)[-12:]
    return [_month(y, m, first=i == 0) for i, (y, m) in enumerate(kept)], [_weighted(months[k]) for k in kept]


def _month(year: int, month: int, *, first: bool) -> str:
    """The month's name; the year stands under the first one and under each January."""
    name = date_format(date(year, month, 1), "M")
    return f"{name}<br>{year}" if first or month == 1 else name


def _weighted(rows: Sequence[tuple[int, Sequence[float]]]) -> list[float]:
    return np.average([r[1] for r in rows], axis=0, weights=[r[0] for r in rows]).tolist()


def _session_lines(client: Client, points: Sequence[SessionPoint]) -> list[SessionLine]:
    by_id = {p.session: p for p in points}
    sessions = Session.objects.filter(client=client).order_by("-started_at")[:SESSIONS_SHOWN]
    counts: dict[int, int] = defaultdict(int)
    for session_id in Alert.objects.filter(client=client).standing().values_list("session_id", flat=True):
        counts[session_id] += 1
    return [SessionLine(s, by_id.get(s.public_id), counts[s.pk]) for s in sessions]


def _looks(client: Client) -> list[Look]:
    """Who read what of this client, the newest first."""
    said = {
        "client.read": _("opened this page"),
        "session.read": _("opened a session"),
        "alert.read": _("opened an alert"),
        "utterances.read": _("read a session"),
        "audio.read": _("listened"),
    }
    rows = AuditEvent.objects.filter(client=client.public_id, action__in=said).order_by("-at")
    looks: list[Look] = []
    for row in rows[:LOOKS_READ]:
        if looks and (looks[-1].actor, looks[-1].words) == (row.actor, said[row.action]):
            looks[-1] = replace(looks[-1], times=looks[-1].times + 1)
        else:
            looks.append(Look(row.at, row.actor, said[row.action]))
    return looks[:LOOKS_SHOWN]
