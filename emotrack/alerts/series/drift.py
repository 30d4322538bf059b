"""Whether a recognizer hands out its labels as it did the month before, over all clients together."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from analysis.stability import population_stability_index
from analysis.values import LABELS
from emotrack.history.models import Utterance

Month = tuple[int, int]
"""Year and month, in UTC."""


@dataclass(frozen=True)
class Months:
    """One recognizer. at: (n,) seconds, the ends of whole months, oldest first. values: (n,) the stability
    index of each month against the one before; NaN where either has too few utterances."""

    recognizer: int
    at: np.ndarray
    values: np.ndarray


def months(since: datetime, until: datetime) -> list[Months]:
    """Each recognizer's whole months from the span's first on; each is held against the one before."""
    first, last = _month(since), _month(until)
    counts = _counts(_start(_before(first)), _start(last))
    return [_series(recognizer, by_month, first, last) for recognizer, by_month in sorted(counts.items())]


def _counts(since: datetime, until: datetime) -> dict[int, dict[Month, np.ndarray]]:
    rows = Utterance.objects.of_series().filter(
        occurred_at__gte=since, occurred_at__lt=until, scores__isnull=False, recognizer__isnull=False
    )
    counts: dict[int, dict[Month, np.ndarray]] = defaultdict(
        lambda: defaultdict(lambda: np.zeros(len(LABELS)))
    )
    for recognizer, at, scores in rows.values_list("recognizer_id", "occurred_at", "scores").iterator(5000):
        counts[recognizer][_month(at)][int(np.argmax(scores))] += 1
    return counts


def _series(recognizer: int, counts: dict[Month, np.ndarray], first: Month, last: Month) -> Months:
    at, values, month = [], [], first
    while month < last:
        before, here = counts.get(_before(month)), counts.get(month)
        known = before is not None and here is not None
        index = population_stability_index(before, here).value if known else None
        at.append(_start(_after(month)).timestamp())
        values.append(np.nan if index is None else index)
        month = _after(month)
    return Months(recognizer, np.array(at), np.array(values, dtype=np.float64))


def _month(at: datetime) -> Month:
    at = at.astimezone(UTC)
    return at.year, at.month


def _start(month: Month) -> datetime:
    return datetime(*month, 1, tzinfo=UTC)


def _after(month: Month) -> Month:
    return (month[0] + 1, 1) if month[1] == 12 else (month[0], month[1] + 1)


def _before(month: Month) -> Month:
    return (month[0] - 1, 12) if month[1] == 1 else (month[0], month[1] - 1)
