"""Reads of the mood for pages: a session's curve, a client's year, and where a whole caseload stands."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import numpy as np
from django.db.models import Count, Max, TextField
from django.db.models.functions import Cast, Coalesce

from analysis.affect import calibrate
from analysis.baseline import ARM_SESSIONS, usual
from analysis.series import Level
from analysis.trend import Trend, mann_kendall, session_trend
from emotrack.history.models import Client, Recognizer, Session
from emotrack.mood.models import MoodPoint, ResponsePolicy, SessionMood

ENOUGH_COVERAGE = 0.6
"""Below this share of turns with a reading, a session says too little (analysis.md, section 3)."""

SESSION_HALF_LIFE_S = 7 * 86400.0
JUMP = 3.0
"""Own spreads by which a session must leave the usual to be called a change."""

STEADY_SESSIONS = 4
"""Sessions in a row on one side of the usual range that are called a steady change.

Both are choices. On histories without any change they call one in 65 clients changed after 40 sessions, one
in 30 after 20, one in 12 after 12 (independent normal session means, simulated).
"""

SURE_TREND = 0.01
"""A trend must be this far beyond chance to be named on a caseload, where many clients are looked at."""

CASELOAD_DAYS = 365

CARRY_OVER_READINGS = 10_000
"""More of them would move an interval by a hundredth, and a long history would open more slowly."""


def response_policy() -> Mapping:
    """The newest wording that an admin saved, as overrides of the shipped one; empty without any."""
    newest = ResponsePolicy.objects.order_by("-id").first()
    return {} if newest is None else newest.policy


def main_recognizer(session: Session) -> Recognizer | None:
    """The recognizer that read most of the session; of equals the newest. Series are never mixed."""
    found = (
        MoodPoint.objects.filter(session=session)
        .values("recognizer")
        .annotate(turns=Count("id"))
        .order_by("-turns", "-recognizer")
        .first()
    )
    return None if found is None else Recognizer.objects.get(pk=found["recognizer"])


def recognizer_before(session: Session) -> Recognizer | None:
    """``main_recognizer`` of the client's session before this one; ``None`` where nothing was read before."""
    earlier = MoodPoint.objects.filter(client=session.client_id, session__started_at__lt=session.started_at)
    newest = earlier.order_by("-session__started_at", "-session_id").first()
    return None if newest is None else main_recognizer(newest.session)


def latest_recognizer(client: Client) -> Recognizer | None:
    """The recognizer of the client's most recent session."""
    newest = (
        SessionMood.objects.filter(client=client)
        .select_related("recognizer")
        .order_by("-started_at", "-id")
        .first()
    )
    return None if newest is None else newest.recognizer


def calibrated_shares(scores: Sequence[float] | np.ndarray | None, temperature: float) -> np.ndarray | None:
    """(9,) calibrated shares of stored raw scores, or ``None`` without any."""
    return None if scores is None else calibrate(np.asarray(scores, dtype=np.float64), temperature)


def level_interval(
    at_s: Sequence[float], values: Sequence[float | None], half_life_s: float = 300.0
) -> list[float | None]:
    """Half-widths of a 95 % interval around the running level, one per value, ``None`` below 5 values' worth.

    at_s: seconds, oldest first. values: -1..1, ``None`` where missing. With weights w = 2^(-Δt/h) the
    half-width is 1.96 · s · √Σw² / Σw, s the weighted spread around the level: the standard error of a
    weighted mean. Turns are taken as independent, so it is the narrowest honest band.
    """
    weight = squares = total = total2 = 0.0
    last: float | None = None
    widths: list[float | None] = []
    for at, value in zip(at_s, values, strict=True):
        if value is None:
            widths.append(None)
            continue
        kept = 1.0 if last is None else 2.0 ** ((last - at) / half_life_s)
        weight, squares = weight * kept + 1.0, squares * kept**2 + 1.0
        total, total2 = total * kept + value, total2 * kept + value * value
        last = at
        spread = math.sqrt(max(total2 / weight - (total / weight) ** 2, 0.0))
        enough = weight**2 / squares >= 5.0 - 1e-9
        widths.append(1.96 * spread * math.sqrt(squares) / weight if enough else None)
    return widths


class SessionPoint(NamedTuple):
    """One session of one series. mean: of the headline dimension, -1..1. coverage: 0..1.

    A tuple, because a caseload makes ten thousands of them.
    """

    session: str
    started_at: datetime
    mean: float | None
    sd: float | None
    valid: int
    utterances: int
    shares: Sequence[float] | None = None
    peak_z: float | None = None

    @property
    def coverage(self) -> float | None:
        return self.valid / self.utterances if self.utterances else None

    @property
    def says_enough(self) -> bool:
        if self.mean is None or not self.utterances:
            return False
        return self.valid / self.utterances >= ENOUGH_COVERAGE


def session_points(client: Client, recognizer: Recognizer) -> list[SessionPoint]:
    """Every session of the client in this series, oldest first."""
    headline = recognizer.headline
    rows = (
        SessionMood.objects.filter(client=client, recognizer=recognizer)
        .order_by("started_at", "session_id")
        .values_list(
            "session__public_id",
            "started_at",
            f"mean_{headline}",
            f"sd_{headline}",
            "valid",
            "utterances",
            "mean_scores",
            "peak_volatility_z",
        )
    )
    return [SessionPoint(*row) for row in rows]


def session_half_widths(
    client: Client, recognizer: Recognizer, points: Sequence[SessionPoint]
) -> list[float | None]:
    """Half-widths of the 95 % interval of each session's mean; ``None`` where it says too little.

    1.96 · s / √n_eff with n_eff = n(1−φ)/(1+φ), φ the lag-1 autocorrelation pooled within sessions over the
    newest 10,000 readings, clipped to [0, .95]: turns of one session resemble one another (analysis.md,
    section 6).
    """
    phi = _pooled_carry_over(client, recognizer)
    shrink = math.sqrt((1 + phi) / (1 - phi))
    return [
        1.96 * p.sd / math.sqrt(p.valid) * shrink if p.says_enough and p.sd is not None else None
        for p in points
    ]


def _pooled_carry_over(client: Client, recognizer: Recognizer) -> float:
    newest = (
        MoodPoint.objects.filter(client=client, recognizer=recognizer, reading="ok")
        .order_by("-occurred_at", "-utterance_id")
        .values_list("session_id", recognizer.headline)[:CARRY_OVER_READINGS]
    )
    sessions: dict[int, list[float]] = defaultdict(list)
    for session_id, value in reversed(newest):
        sessions[session_id].append(value)
    products = squares = 0.0
    for values in sessions.values():
        deviations = np.asarray(values) - sum(values) / len(values)
        products += float(deviations[:-1] @ deviations[1:])
        squares += float(deviations @ deviations)
    return min(max(products / squares, 0.0), 0.95) if squares > 0 else 0.0


def trend_of(points: Sequence[SessionPoint]) -> Trend:
    """The slope of the sessions that say enough, per week, with its interval and test."""
    enough = [p for p in points if p.says_enough]
    return session_trend(_days(enough), [p.mean for p in enough])


def _days(points: Sequence[SessionPoint]) -> list[float]:
    return [p.started_at.timestamp() / 86400 for p in points]


def session_levels(points: Sequence[SessionPoint]) -> list[float | None]:
    """The level after each session: a mean of session means whose weight halves every 7 days."""
    level, levels = Level(), []
    for point in points:
        if point.says_enough:
            level = level.after(point.mean, point.started_at.timestamp(), SESSION_HALF_LIFE_S)
        levels.append(level.value if point.says_enough else None)
    return levels


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a client stands against their own usual.

    kind: ``usual``, ``jump``, ``steady``, ``trend`` or ``little``. side: -1 lower, 1 higher, 0 as usual.
    sessions: how many in a row stand there; for ``little`` how many say enough so far.
    band: usual range of session means, ``None`` while it is forming. since: start of the first of them.
    slope: per week, for ``trend``.
    distances: (n,) session means in own spreads from the own median, ``None`` where a session says too little
    or the usual is not known.
    """

    kind: str
    side: int = 0
    sessions: int = 0
    band: tuple[float, float] | None = None
    since: datetime | None = None
    slope: float | None = None
    distances: tuple[float | None, ...] = ()


def standing(points: Sequence[SessionPoint]) -> Standing:
    """Hold the last sessions against all that came before them; oldest first."""
    enough = [p for p in points if p.says_enough]
    recent = STEADY_SESSIONS if len(enough) >= ARM_SESSIONS + STEADY_SESSIONS else 1
    ruler = usual([p.mean for p in enough[:-recent]])
    band = ruler.band()
    if ruler.n < ARM_SESSIONS or band is None or not ruler.scale:
        return Standing("little", sessions=len(enough))
    median, scale = ruler.median, ruler.scale
    distances = tuple((p.mean - median) / scale if p.says_enough else None for p in points)
    if not points[-1].says_enough:
        return Standing("little", sessions=len(enough), band=band, distances=distances)
    return _change(enough, band, distances)


def _change(
    enough: Sequence[SessionPoint], band: tuple[float, float], distances: tuple[float | None, ...]
) -> Standing:
    side, run = _run_outside(enough, band)
    if side and run >= STEADY_SESSIONS:
        return Standing("steady", side, run, band, enough[-run].started_at, None, distances)
    if side and abs(distances[-1]) > JUMP:
        return Standing("jump", side, 1, band, enough[-1].started_at, None, distances)
    trend = trend_of(enough) if side and _may_be_sure(enough) else None
    if trend and trend.p is not None and trend.p < SURE_TREND and trend.slope_per_week * side > 0:
        first = enough[0].started_at
        return Standing("trend", side, len(enough), band, first, trend.slope_per_week, distances)
    return Standing("usual", 0, 0, band, None, None, distances)


def _may_be_sure(enough: Sequence[SessionPoint]) -> bool:
    """Whether the plain test is sure; allowing for carry-over, which takes longer, only makes it less so."""
    test = mann_kendall(_days(enough), [p.mean for p in enough], carry_over=False)
    return test is not None and test.p < SURE_TREND


def _run_outside(enough: Sequence[SessionPoint], band: tuple[float, float]) -> tuple[int, int]:
    """Which side of the range the last session lies on (0 within), and for how many in a row."""
    low, high = band
    sides = [1 if p.mean > high else -1 if p.mean < low else 0 for p in reversed(enough)]
    return sides[0], next((i for i, side in enumerate(sides) if side != sides[0]), len(sides))


@dataclass(frozen=True, slots=True)
class CaseRow:
    """One client on the caseload. points: of the last year, in the series of the latest session.

    waits: whether a newer session was left out.
    """

    client: Client
    recognizer: Recognizer | None
    points: Sequence[SessionPoint]
    standing: Standing
    last_contact: datetime | None
    waits: bool = False

    @property
    def last(self) -> SessionPoint | None:
        return self.points[-1] if self.points else None


def without_newest(row: CaseRow) -> CaseRow:
    """The row as it stood before its newest session."""
    earlier = row.points[:-1]
    return replace(row, points=earlier, standing=standing(earlier), waits=True)


def caseload(clients: Iterable[Client], *, now: datetime) -> list[CaseRow]:
    """Where each of the clients stands; four queries, however many clients there are."""
    clients = list(clients)
    recent = _recent_moods([c.pk for c in clients], now - timedelta(days=CASELOAD_DAYS))
    recognizers = Recognizer.objects.in_bulk({rows[-1][1] for rows in recent.values()})
    shares = _last_shares([rows[-1][0] for rows in recent.values()])
    contacts = dict(
        Session.objects.filter(client__in=[c.pk for c in clients])
        .values_list("client")
        .annotate(last=Max(Coalesce("ended_at", "last_activity_at")))
    )
    return [
        _case_row(client, recent.get(client.pk, []), recognizers, shares, contacts.get(client.pk))
        for client in clients
    ]


def _recent_moods(client_ids: Sequence[int], since: datetime) -> dict[int, list[tuple]]:
    """Client to mood rows (id, recognizer, session, time, means, spreads, counts), oldest first.

    The times come as text: of ten thousands of rows, most of the time would go into Django's conversion.
    """
    rows = (
        SessionMood.objects.filter(client__in=client_ids, started_at__gte=since)
        .annotate(start=Cast("started_at", TextField()))
        .order_by("started_at", "session_id", "id")
        .values_list(
            "client_id", "id", "recognizer_id", "session__public_id", "start",
            "mean_valence", "sd_valence", "mean_arousal", "sd_arousal", "valid", "utterances",
        )
    )  # fmt: skip
    found: dict[int, list[tuple]] = defaultdict(list)
    for client_id, *row in rows:
        found[client_id].append(tuple(row))
    return found


def _last_shares(mood_ids: Sequence[int]) -> dict[int, Sequence[float] | None]:
    return dict(SessionMood.objects.filter(pk__in=mood_ids).values_list("pk", "mean_scores"))


def _case_row(
    client: Client,
    rows: Sequence[tuple],
    recognizers: Mapping[int, Recognizer],
    shares: Mapping[int, Sequence[float] | None],
    last_contact: datetime | None,
) -> CaseRow:
    recognizer = recognizers[rows[-1][1]] if rows else None
    first = 4 if recognizer is None or recognizer.headline == "valence" else 6
    series = recognizer.pk if recognizer else None
    points = [
        SessionPoint(row[2], _moment(row[3]), row[first], row[first + 1], row[8], row[9], shares.get(row[0]))
        for row in rows
        if row[1] == series
    ]
    return CaseRow(client, recognizer, points, standing(points), last_contact)


def _moment(written: str) -> datetime:
    """A moment as a database writes it: PostgreSQL with its zone, SQLite in UTC and without."""
    at = datetime.fromisoformat(written)
    return at if at.tzinfo else at.replace(tzinfo=UTC)
