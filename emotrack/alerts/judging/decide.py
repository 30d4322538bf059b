"""Decides from a series of numbers when an alert begins, fires and ends, live and in a preview alike.

``normal → pending → firing → recovering → normal``: a *for* that must be sustained, a second line to recover
behind (hysteresis), and a time to keep firing after recovery. With minute points and a single line it gives
what Prometheus gives for ``for`` and ``keep_firing_for``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np


class State(StrEnum):
    NORMAL = "normal"
    PENDING = "pending"
    FIRING = "firing"
    RECOVERING = "recovering"


class EndReason(StrEnum):
    """Why an episode is over."""

    RECOVERED = "recovered"
    NOT_SUSTAINED = "not_sustained"
    SESSION_ENDED = "session_ended"


@dataclass(frozen=True, slots=True)
class Terms:
    """When to fire and when to stop.

    threshold: fires strictly beyond it. recovery: a firing episode goes on while strictly beyond this one; on
    the threshold's safe side or equal to it. above: whether beyond means above or below.
    for_count: consecutive valid values beyond the threshold. for_seconds: or this long beyond it, from the
    first to the latest such value. With both, whichever comes first; with neither, the first value fires.
    keep_firing_seconds: how long it goes on firing after the first value that has recovered.

    Raises ``ValueError`` for lines that are not finite or stand in the wrong order, and for negative times.
    """

    threshold: float
    recovery: float
    above: bool = True
    for_count: int | None = None
    for_seconds: float | None = None
    keep_firing_seconds: float = 0.0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.threshold) and math.isfinite(self.recovery)):
            raise ValueError("terms-lines: threshold and recovery must be finite")
        if self.recovery != self.threshold and not _beyond(self.threshold, self.recovery, self.above):
            raise ValueError("terms-order: recovery lies beyond the threshold")
        if self.for_count is not None and self.for_count < 1:
            raise ValueError("terms-for: at least one value must lie beyond the threshold")
        seconds = (self.for_seconds or 0.0, self.keep_firing_seconds)
        if not all(math.isfinite(s) and s >= 0 for s in seconds):
            raise ValueError("terms-times: times must be finite and not negative")

    def fires_at(self, value: float) -> bool:
        return _beyond(value, self.threshold, self.above)

    def holds_at(self, value: float) -> bool:
        """Whether a firing episode goes on at this value."""
        return _beyond(value, self.recovery, self.above)

    def sustained(self, count: int, seconds: float) -> bool:
        if self.for_count is None and self.for_seconds is None:
            return True
        enough_values = self.for_count is not None and count >= self.for_count
        return enough_values or (self.for_seconds is not None and seconds >= self.for_seconds)


def _beyond(value: float, line: float, above: bool) -> bool:
    return value > line if above else value < line


@dataclass(frozen=True, slots=True)
class Episode:
    """One excursion beyond the threshold. Times are seconds on the clock of the points; indexes count points.

    pending_at: its first value beyond. fired_at, fired_index: where it had been sustained; ``None`` if never.
    recovering_at: first value of the recovery that is under way or that ended it.
    ended_at, end_reason: ``None`` while it goes on. peak, peak_index: the most extreme value so far.
    count: consecutive valid values beyond the threshold before it fired.
    """

    pending_at: float
    pending_index: int
    count: int
    peak: float
    peak_index: int
    fired_at: float | None = None
    fired_index: int | None = None
    recovering_at: float | None = None
    ended_at: float | None = None
    end_reason: EndReason | None = None

    @property
    def fired(self) -> bool:
        return self.fired_at is not None

    @property
    def state(self) -> State:
        if self.ended_at is not None:
            return State.NORMAL
        if self.fired_at is None:
            return State.PENDING
        return State.FIRING if self.recovering_at is None else State.RECOVERING


def advance(current: Episode | None, terms: Terms, *, index: int, at: float, value: float) -> Episode | None:
    """The episode after one more valid value; it may be an ended one, which the next value must not see.

    current: the episode that goes on, or ``None`` in the normal state.
    """
    if current is None:
        return _begun(terms, index, at, value) if terms.fires_at(value) else None
    current = _with_peak(current, terms, index, value)
    if current.fired:
        return _firing_on(current, terms, at, value)
    if not terms.fires_at(value):
        return replace(current, ended_at=at, end_reason=EndReason.NOT_SUSTAINED)
    return _fired_if_sustained(replace(current, count=current.count + 1), terms, index, at)


def _begun(terms: Terms, index: int, at: float, value: float) -> Episode:
    pending = Episode(pending_at=at, pending_index=index, count=1, peak=value, peak_index=index)
    return _fired_if_sustained(pending, terms, index, at)


def _fired_if_sustained(pending: Episode, terms: Terms, index: int, at: float) -> Episode:
    if terms.sustained(pending.count, at - pending.pending_at):
        return replace(pending, fired_at=at, fired_index=index)
    return pending


def _firing_on(firing: Episode, terms: Terms, at: float, value: float) -> Episode:
    if terms.holds_at(value):
        return replace(firing, recovering_at=None) if firing.recovering_at is not None else firing
    since = at if firing.recovering_at is None else firing.recovering_at
    if at - since >= terms.keep_firing_seconds:
        return replace(firing, recovering_at=since, ended_at=at, end_reason=EndReason.RECOVERED)
    return replace(firing, recovering_at=since)


def _with_peak(episode: Episode, terms: Terms, index: int, value: float) -> Episode:
    if _beyond(value, episode.peak, terms.above):
        return replace(episode, peak=value, peak_index=index)
    return episode


@dataclass(frozen=True, slots=True)
class Values:
    """The valid values of one series, oldest first, as plain lists: every rule that watches it shares them.

    at: seconds. values: finite. index: the place of each among all points of the series, missing ones too.
    last_at: seconds of the last point, valid or not.
    """

    at: list[float]
    values: list[float]
    index: list[int]
    last_at: float = 0.0


def valid_values(at: Sequence[float] | np.ndarray, values: Sequence[float] | np.ndarray) -> Values:
    """at: (n,) seconds, oldest first. values: (n,); NaN is a missing reading.

    Raises ``ValueError`` for times out of order, unequal lengths and infinite values.
    """
    at, values = np.asarray(at, dtype=np.float64), np.asarray(values, dtype=np.float64)
    if at.ndim != 1 or at.shape != values.shape:
        raise ValueError("points-shape: needs as many times as values")
    if not np.isfinite(at).all() or np.isinf(values).any():
        raise ValueError("points-finite: times must be finite, values finite or NaN")
    if (np.diff(at) < 0).any():
        raise ValueError("points-order: times must come oldest first")
    valid = np.flatnonzero(~np.isnan(values))
    last_at = float(at[-1]) if len(at) else 0.0
    return Values(at[valid].tolist(), values[valid].tolist(), valid.tolist(), last_at)


def episodes(
    at: Sequence[float] | np.ndarray,
    values: Sequence[float] | np.ndarray,
    terms: Terms | Sequence[Terms | None],
    *,
    ends_at: float | None = None,
) -> list[Episode]:
    """All episodes of one series, oldest first; those that never fired are among them.

    at: (n,) seconds, oldest first. values: (n,); NaN is a missing reading, which neither counts nor resets.
    terms: of the whole series, or (n,) one per point, where ``None`` is a point that is not judged.
    ends_at: when the session ended; an episode that still goes on then ends as ``session_ended``, or as
    ``not_sustained`` when it had not fired. Indexes in the result count all n points, missing ones too.
    Raises ``ValueError`` for times out of order, unequal lengths and infinite values.
    """
    return episodes_in(valid_values(at, values), terms, ends_at=ends_at)


def episodes_in(
    series: Values, terms: Terms | Sequence[Terms | None], *, ends_at: float | None = None
) -> list[Episode]:
    """As ``episodes``, for values that were made ready before."""
    whole = _under(series, terms) if isinstance(terms, Terms) else _under_each(series, terms)
    found, current = whole
    if current is not None:
        found.append(current if ends_at is None else _cut(current, max(ends_at, series.last_at)))
    return found


def _under(series: Values, terms: Terms) -> tuple[list[Episode], Episode | None]:
    """From the normal state only a value beyond the threshold matters, so all others are passed over."""
    found, current = [], None
    threshold, above = terms.threshold, terms.above
    for place, value in enumerate(series.values):
        if current is None and not (value > threshold if above else value < threshold):
            continue
        current = advance(current, terms, index=series.index[place], at=series.at[place], value=value)
        if current is not None and current.ended_at is not None:
            found.append(current)
            current = None
    return found, current


def _under_each(series: Values, terms: Sequence[Terms | None]) -> tuple[list[Episode], Episode | None]:
    found, current = [], None
    for place, value in enumerate(series.values):
        index = series.index[place]
        if terms[index] is None:
            continue
        current = advance(current, terms[index], index=index, at=series.at[place], value=value)
        if current is not None and current.ended_at is not None:
            found.append(current)
            current = None
    return found, current


def _cut(episode: Episode, at: float) -> Episode:
    reason = EndReason.SESSION_ENDED if episode.fired else EndReason.NOT_SUSTAINED
    return replace(episode, ended_at=at, end_reason=reason)
