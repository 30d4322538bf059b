"""The usual of a series at each of its sessions: the last 200 values of the sessions before it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db.models import Q, QuerySet

from analysis.baseline import BASELINE_VALUES, SessionBaseline, Usual, session_baseline, usual
from analysis.volatility import WINDOW_PAIRS
from emotrack.history.models import Client, Recognizer
from emotrack.mood.models import MoodPoint, SessionMood

OF_POINTS = ("valence", "arousal", "dominance", "volatility", "window_distance")
FULL_WINDOWS_ONLY = frozenset({"volatility", "window_distance"})


def _latest() -> deque[float]:
    return deque(maxlen=BASELINE_VALUES)


@dataclass(slots=True)
class Earlier:
    """What a series held before one of its sessions: all that its baseline is made of.

    values: the last 200 of each column of points. means: of the sessions' valence.
    fresh: how many of each have passed since the last session whose points may have changed.
    """

    values: dict[str, deque[float]] = field(default_factory=lambda: {name: _latest() for name in OF_POINTS})
    means: deque[float] = field(default_factory=_latest)
    fresh: dict[str, int] = field(default_factory=lambda: dict.fromkeys(OF_POINTS, 0))

    def baseline(self) -> SessionBaseline:
        return session_baseline(
            session_valence=list(self.means), **{k: list(v) for k, v in self.values.items()}
        )

    def usual_sessions(self) -> Usual:
        """The part of the baseline that is made of session means."""
        return usual(list(self.means))

    def pass_by(self, points: Iterable[MoodPoint], mean_valence: float | None, *, changed: bool) -> None:
        """A session's points, oldest first, are earlier ones from now on."""
        if changed:
            self.fresh = dict.fromkeys(OF_POINTS, 0)
        for point in points:
            for name in OF_POINTS:
                value = getattr(point, name)
                if value is None or (name in FULL_WINDOWS_ONLY and point.window_pairs != WINDOW_PAIRS):
                    continue
                self.values[name].append(value)
                self.fresh[name] += not changed
        self.pass_mean(mean_valence)

    def pass_mean(self, mean_valence: float | None) -> None:
        if mean_valence is not None:
            self.means.append(mean_valence)

    @property
    def settled(self) -> bool:
        """Whether no value that changed is left, so that the usual of points is what it was."""
        return min(self.fresh.values()) >= BASELINE_VALUES


def earlier_than(client: Client, recognizer: Recognizer, before: Q) -> Earlier:
    """What the series holds before a place (``before``: over its sessions), in six queries."""
    points = MoodPoint.objects.filter(before, client=client, recognizer=recognizer).order_by(
        "-session__started_at", "-session_id", "-occurred_at", "-utterance_id"
    )
    full = points.filter(window_pairs=WINDOW_PAIRS)
    moods = SessionMood.objects.filter(before, client=client, recognizer=recognizer).order_by(
        "-session__started_at", "-session_id"
    )
    earlier = Earlier(means=_last(moods, "mean_valence"))
    for name in OF_POINTS:
        earlier.values[name] = _last(full if name in FULL_WINDOWS_ONLY else points, name)
    return earlier


def _last(rows: QuerySet, column: str) -> deque[float]:
    """The last 200 values of a column, oldest first."""
    values = rows.filter(**{f"{column}__isnull": False}).values_list(column, flat=True)
    return deque(list(values[:BASELINE_VALUES])[::-1], maxlen=BASELINE_VALUES)


def baseline_from(stored: dict | None) -> SessionBaseline | None:
    """What ``SessionMood.baseline`` holds, as the analysis knows it."""
    if stored is None:
        return None
    return SessionBaseline(
        **{name: Usual(**value) if isinstance(value, dict) else value for name, value in stored.items()}
    )
