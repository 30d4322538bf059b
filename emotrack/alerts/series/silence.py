"""How long each client has not been heard, in their own usual gaps, as a series for the state machine."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from operator import itemgetter

import numpy as np
from django.db.models import Max, Q, QuerySet

from analysis.baseline import ARM_SESSIONS
from emotrack.alerts.models import Alert, Kind
from emotrack.history.models import Client, Session

DAY_S = 86_400.0
SHORTEST_GAP_DAYS = 7.0
"""A usual gap counts as at least this long, so that twice a usual gap is never less than two weeks."""


@dataclass(frozen=True)
class Absences:
    """The sessions of one client, oldest first, n of them. starts, ends: (n,) seconds, the first and the last
    turn; ends never fall."""

    client: int
    ids: Sequence[int]
    starts: np.ndarray
    ends: np.ndarray

    @property
    def armed(self) -> bool:
        return len(self.ids) >= ARM_SESSIONS

    def series(self, until: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(m,) seconds, (m,) values and (m,) places of sessions: a point each day without a word.

        The value is the days since the last turn over the median of the gaps before, which count as a week at
        least; a new session brings it back to 0. Nothing is told before 8 sessions.
        """
        gaps = (self.starts[1:] - self.ends[:-1]) / DAY_S
        at, values, places = [], [], []
        for i in range(ARM_SESSIONS - 1, len(self.ids)):
            usual = max(float(np.median(gaps[:i])), SHORTEST_GAP_DAYS)
            following = self.starts[i + 1] if i + 1 < len(self.ids) else until
            days = np.arange(0, max(following - self.ends[i], 0) // DAY_S + 1)
            at.append(np.maximum(self.ends[i], self.starts[i]) + days * DAY_S)
            values.append(days / usual)
            places.append(np.full(len(days), i))
        if not at:
            return np.empty(0), np.empty(0), np.empty(0, dtype=np.int64)
        return np.maximum.accumulate(np.concatenate(at)), np.concatenate(values), np.concatenate(places)


def absences(clients: QuerySet[Client], until: datetime) -> Iterator[Absences]:
    """One client after the other, in one query; sessions without a turn, or after ``until``, are left out."""
    rows = (
        Session.objects.filter(client__in=clients, started_at__lt=until)
        .annotate(last=Max("utterances__occurred_at", filter=Q(utterances__speaker="client")))
        .filter(last__isnull=False)
        .order_by("client_id", "started_at", "id")
        .values_list("client_id", "id", "started_at", "last")
    )
    for client, group in groupby(rows.iterator(chunk_size=5000), key=itemgetter(0)):
        sessions = list(group)
        yield Absences(
            client,
            [row[1] for row in sessions],
            np.array([row[2].timestamp() for row in sessions]),
            np.maximum.accumulate([row[3].timestamp() for row in sessions]),
        )


def maybe_silent(now: datetime) -> QuerySet[Client]:
    """Clients whose last session is long enough ago for any rule, and those with such an alert going on."""
    quiet_since = now - timedelta(days=SHORTEST_GAP_DAYS)
    latest = Client.objects.annotate(latest=Max("sessions__started_at"))
    told = Alert.objects.standing().filter(resolved_at=None, rule__kind=Kind.SILENCE)
    return latest.filter(Q(latest__lt=quiet_since) | Q(pk__in=told.values("client")), erased_at__isnull=True)
