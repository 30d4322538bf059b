"""What a client's page says of the mood: where they stand, the curve of the chosen time, its footing."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import numpy as np
from django.http import QueryDict
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from analysis.trend import Trend
from emotrack.accounts.models import User
from emotrack.alerts.models import Alert
from emotrack.history.listening import waiting
from emotrack.history.models import Client, Recognizer, Session
from emotrack.mood import queries as mood
from emotrack.mood.movement import Span
from emotrack.mood.queries import SessionPoint
from emotrack.web import comparison, words
from emotrack.web.client_bins import LONGEST_STEP, bins_of
from emotrack.web.client_cards import cards, last_session_words, shift_of
from emotrack.web.client_charts import Line, client_figure, cuts_whiskers, limits, mix_figure
from emotrack.web.looked_at import alerts_to_tell
from emotrack.web.period import AGAINST, CUSTOM, RANGES, STEPS, Period, PeriodForm, period_of
from emotrack.web.timeline import signed
from emotrack.web.volatility_card import volatility_card

SESSIONS_SHOWN = 30
SURE = 0.05


@dataclass(frozen=True, slots=True)
class SessionLine:
    """A session in the list. point: ``None`` where the series has no reading of it."""

    session: Session
    point: SessionPoint | None
    alerts: int


def mood_of(
    client: Client, recognizer: Recognizer, viewer: User, query: QueryDict, *, now: datetime, may_read: bool
) -> dict:
    """What the template needs of one series. query: period, resolution and comparison, as in the address."""
    everything = mood.session_points(client, recognizer)
    waits = bool(waiting(viewer, [everything[-1].session]))
    known = everything[:-1] if waits else everything
    period, form = period_of(query, [p.started_at for p in everything], now)
    standing = mood.standing(known)
    told = alerts_to_tell(viewer, [p.session for p in everything[-1:]], now=now).get(client.pk, [])
    points = [p for p in known if period.span.holds(p.started_at)]
    trend = mood.trend_of(points)
    found = {
        "headline": recognizer.headline,
        "dimension": words.DIMENSIONS[recognizer.headline],
        "standing": standing,
        "waits": everything[-1] if waits else None,
        "sentence": _("The newest session waits for your own impression.")
        if waits and not told
        else words.told_sentence(standing, recognizer.headline, told, now),
        "told": told,
        "evidence": _evidence(None if waits else everything[-1], standing, trend, recognizer.headline),
        "recognizer_line": words.recognizer_line(recognizer.name, recognizer.version, recognizer.headline),
        "last_words": "" if waits else last_session_words(everything),
        "session_lines": _session_lines(client, points, period),
        "shown": len(points),
        **_choices(period, form),
        **_coverage(points),
    }
    if not points:
        return found
    return (
        found
        | _curve(client, recognizer, known, points, period, standing, trend)
        | _mix(points)
        | {"volatility": volatility_card(client, everything, points)}
        | cards(client, recognizer, points, _known_span(period, found["waits"]), may_read=may_read)
    )


def _known_span(period: Period, waits: SessionPoint | None) -> Span:
    """The time shown, without the newest session where its readings wait."""
    if waits is None or not period.span.holds(waits.started_at):
        return period.span
    return Span(period.span.after, waits.started_at)


def _choices(period: Period, form: PeriodForm) -> dict:
    return {
        "period": period,
        "period_form": form,
        "ranges": [(name, title) for name, (title, _length) in RANGES.items()],
        "custom": period.name == CUSTOM or any(name in form.errors for name in ("first", "last", "range")),
        "steps": STEPS.items(),
        "against": AGAINST.items(),
        "days": period.days(),
    }


def _coverage(points: Sequence[SessionPoint]) -> dict:
    valid, turns = sum(p.valid for p in points), sum(p.utterances for p in points)
    return {"coverage": valid / turns if turns else None, "valid": valid, "turns": turns}


# --- The curve --------------------------------------------------------------------------------------------


def _curve(
    client: Client,
    recognizer: Recognizer,
    everything: Sequence[SessionPoint],
    points: Sequence[SessionPoint],
    period: Period,
    standing: mood.Standing,
    trend: Trend,
) -> dict:
    levels = dict(zip((p.session for p in everything), mood.session_levels(everything), strict=True))
    half_widths = mood.session_half_widths(client, recognizer, points)
    rows = [(p, levels[p.session], half) for p, half in zip(points, half_widths, strict=True)]
    bins = bins_of(rows, period.by)
    meetings = [b.meeting for b in bins]
    shift = shift_of(everything)
    if shift is not None and not period.span.holds(shift.start):
        shift = None
    earlier = _earlier(everything, period) if period.against == "before" else None
    figure = client_figure(
        meetings,
        standing.band,
        _trend_line(points, trend),
        shift,
        longest_step=LONGEST_STEP.get(period.by),
        ghost=_moved(earlier, period) if earlier else (),
    )
    said = [m for m in meetings if m.mean is not None]
    return {
        "figure": figure,
        "bins": list(reversed(bins)),
        "cut": cuts_whiskers(said, limits(said, standing.band)),
        "trend_words": trend_words(trend),
        "shift": shift,
        **_against(earlier, points, period, recognizer.headline),
    }


def _earlier(everything: Sequence[SessionPoint], period: Period) -> list[SessionPoint]:
    before = period.before
    return [p for p in everything if before is not None and before.holds(p.started_at)]


def _moved(earlier: Sequence[SessionPoint], period: Period) -> list[tuple[datetime, float | None]]:
    """The earlier sessions as if they were of the period that is shown."""
    length = period.span.before - period.span.after
    return [(timezone.localtime(p.started_at + length), p.mean if p.says_enough else None) for p in earlier]


def _against(
    earlier: Sequence[SessionPoint] | None, points: Sequence[SessionPoint], period: Period, headline: str
) -> dict:
    """Words on the period before, where that was asked for."""
    if earlier is None:
        return {}
    if period.before is None:
        return {"compared": _("There is no period before all there is: choose a stretch of time.")}
    verdict = comparison.periods_compared(earlier, points)
    said = comparison.sentence(verdict, headline, comparison.THAN_BEFORE)
    return {"compared": f"{said} {comparison.figures(verdict, str(words.DIMENSIONS[headline]))}"}


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


# --- What carries the sentence ----------------------------------------------------------------------------


def _evidence(
    last: SessionPoint | None, standing: mood.Standing, trend: Trend, headline: str
) -> list[tuple[str, str, str]]:
    """(figure, words, public id of a session to open) behind the sentence. last: ``None`` where it waits."""
    found = []
    if last is not None and last.says_enough:
        aside = words.range_words(standing.band) if standing.band else _("no usual range yet")
        found.append(
            (signed(last.mean), _("in the last session; %(usual)s") % {"usual": aside}, last.session)
        )
    if last is not None and last.shares and last.says_enough:
        label = words.strongest(last.shares)
        said = _("of the last session may sound %(label)s") % {"label": words.EMOTIONS[label]}
        found.append((words.percent(max(last.shares)), said, ""))
    if trend.slope_per_week is not None:
        found.append(("", trend_words(trend), ""))
    return found


# --- By month, and one by one -----------------------------------------------------------------------------


def _mix(points: Sequence[SessionPoint]) -> dict:
    months, shares = _by_month(points)
    if not months:
        return {"mix": None}
    return {
        "mix": mix_figure(months, shares, _texts(words.CODES), _texts(words.EMOTIONS)),
        "mix_rows": [
            (m.replace("<br>", " "), words.distribution(row)) for m, row in zip(months, shares, strict=True)
        ],
    }


def _texts(lazy: dict) -> dict[str, str]:
    return {key: str(value) for key, value in lazy.items()}


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


def _session_lines(client: Client, points: Sequence[SessionPoint], period: Period) -> list[SessionLine]:
    by_id = {p.session: p for p in points}
    sessions = period.span.of(Session.objects.filter(client=client), "started_at")
    counts: dict[int, int] = defaultdict(int)
    for session_id in Alert.objects.filter(client=client).standing().values_list("session_id", flat=True):
        counts[session_id] += 1
    return [
        SessionLine(s, by_id.get(s.public_id), counts[s.pk])
        for s in sessions.order_by("-started_at")[:SESSIONS_SHOWN]
    ]
