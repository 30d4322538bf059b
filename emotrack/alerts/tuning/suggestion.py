"""What threshold the verdicts speak for: one that keeps the useful alerts and drops most of the others.

Alerts that never fired were never judged, so verdicts can only speak for a stricter line, never a looser one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from emotrack.alerts.judging.decide import Terms, episodes

LEAST_VERDICTS = 10
LEAST_OF_EACH = 3
MAY_LOSE = 0.05
"""Share of the useful alerts that a stricter line may cost at most."""


@dataclass(frozen=True, slots=True)
class Judged:
    """An alert that was judged useful or not. reach: the strictest line short of which it still fires."""

    reach: float
    useful: bool


@dataclass(frozen=True, slots=True)
class Suggestion:
    """threshold: on the scale of the measure. Of the judged alerts it keeps so many useful ones and drops so
    many that were not."""

    threshold: float
    keeps: int
    useful: int
    drops: int
    not_useful: int


class NoSuggestion(StrEnum):
    """Why the verdicts speak for no line; pages turn each into a sentence."""

    TOO_FEW = "too_few"
    TOO_FEW_OF_EACH = "too_few_of_each"
    NOT_SEPARABLE = "not_separable"
    NOT_FOR_KIND = "not_for_kind"


def reach(at: Sequence[float], values: Sequence[float], terms: Terms) -> float | None:
    """The strictest line for which a series would still have fired, judged by the rule's own state machine.

    at: (n,) seconds, oldest first. values: (n,) of the episode, NaN for no reading. It fires for every line
    short of the result, and for none from there on. ``None`` where it fires for none at all.
    """
    values = np.asarray(values, dtype=np.float64)
    strictest_first = np.unique(values[~np.isnan(values)])
    if terms.above:
        strictest_first = strictest_first[::-1]
    low, high = 0, len(strictest_first)
    while low < high:
        middle = (low + high) // 2
        if _fires(at, values, terms, float(strictest_first[middle])):
            high = middle
        else:
            low = middle + 1
    return float(strictest_first[low]) if low < len(strictest_first) else None


def _fires(at: Sequence[float], values: np.ndarray, terms: Terms, value: float) -> bool:
    """Whether it fires when the line lies by the least step short of ``value``."""
    line = float(np.nextafter(value, -math.inf if terms.above else math.inf))
    found = episodes(at, values, replace(terms, threshold=line, recovery=line))
    return any(episode.fired for episode in found)


def suggest(judged: Sequence[Judged], *, current: float, above: bool) -> Suggestion | NoSuggestion:
    """The least strict round line that drops as many alerts as possible that were not useful.

    It keeps at least 95 % of the useful ones: all of them up to 19. Alerts that would no longer fire at
    ``current`` are left out. Needs 10 verdicts, 3 of each kind.
    """
    sign = 1.0 if above else -1.0
    reaches = [(sign * one.reach, one.useful) for one in judged if sign * one.reach > sign * current]
    useful = sorted(value for value, was_useful in reaches if was_useful)
    others = sorted(value for value, was_useful in reaches if not was_useful)
    if len(reaches) < LEAST_VERDICTS:
        return NoSuggestion.TOO_FEW
    if min(len(useful), len(others)) < LEAST_OF_EACH:
        return NoSuggestion.TOO_FEW_OF_EACH
    first_kept = useful[int(MAY_LOSE * len(useful))]
    dropped = [value for value in others if value < first_kept]
    if not dropped:
        return NoSuggestion.NOT_SEPARABLE
    line = _round_between(dropped[-1], first_kept)
    return Suggestion(
        threshold=sign * line,
        keeps=sum(value > line for value in useful),
        useful=len(useful),
        drops=sum(value <= line for value in others),
        not_useful=len(others),
    )


def _round_between(low: float, high: float) -> float:
    """The first number with the fewest decimals in [low, high); numbers below one keep two decimals."""
    for decimals in range(1 if abs(low) >= 1 else 2, 16):
        rounded = math.ceil(round(low * 10**decimals, 9)) / 10**decimals
        if low <= rounded < high:
            return rounded
    return low
