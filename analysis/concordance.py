"""Which of two numbers is larger, counted over all pairs of a long series without looking at each pair."""

from __future__ import annotations

import numpy as np

PAIRWISE_POINTS = 1_000
"""Up to so many values the slopes of all pairs are listed; beyond, the slope asked for is searched for."""

COMPARED = 64
"""Ranks of a group that are compared pair by pair: a power of two, at most 256."""

SEARCH_STEPS = 60
"""Halvings of the interval that holds a slope: what is left of it is below the precision of a float."""


def inversions(values: np.ndarray) -> int:
    """Pairs in which the earlier value is larger; ties count for none. O(n log n).

    values: (n,) without NaN. Ranks are split bit by bit, highest first: within a group of ranks that agree so
    far, an earlier rank with the bit set is larger than a later one without it. Padding to a power of two
    makes every group equally long, so a level is a few operations on the whole array. In groups of
    ``COMPARED`` ranks every pair is compared.
    """
    return _inversions_of(_order(values))


def _inversions_of(order: np.ndarray) -> int:
    """Of the values that stand in this order when sorted."""
    ranks = _ranks(order)
    if len(ranks) <= COMPARED:
        return int(np.count_nonzero(np.triu(ranks[:, None] > ranks, 1)))
    found, bit = 0, len(ranks) >> 1
    while bit >= COMPARED:
        set_ = (ranks & bit) != 0
        groups = len(ranks) // (2 * bit)
        low = ~set_
        found += _set_before(np.flatnonzero(low), groups, bit)
        split = np.empty((groups, 2, bit), dtype=ranks.dtype)
        split[:, 0], split[:, 1] = ranks[low].reshape(groups, bit), ranks[set_].reshape(groups, bit)
        ranks, bit = split.ravel(), bit >> 1
    return found + _compared((ranks & (COMPARED - 1)).astype(np.uint8).reshape(-1, min(COMPARED, len(ranks))))


def _compared(groups: np.ndarray) -> int:
    """Inversions within the rows of (groups, size), each pair of columns compared."""
    columns = np.ascontiguousarray(groups.T)
    size = len(columns)
    return sum(int(np.count_nonzero(columns[:-lag] > columns[lag:])) for lag in range(1, size))


def _set_before(low: np.ndarray, groups: int, half: int) -> int:
    """Over all positions ``low`` without the bit: how many with it stand before them in their own group."""
    before = int(low.sum()) - len(low) * (len(low) - 1) // 2
    return before - half * half * (groups * (groups - 1) // 2)


def _order(values: np.ndarray) -> np.ndarray:
    """Positions of the values from the lowest to the highest, of equals the earlier one first."""
    order = np.argsort(values)
    ordered = values[order]
    if (ordered[1:] == ordered[:-1]).any():  # sorting that keeps the order of equals takes longer
        return np.argsort(values, kind="stable")
    return order


def _ranks(order: np.ndarray) -> np.ndarray:
    """Ranks 0..n−1, padded to a power of two with ranks still higher."""
    n = len(order)
    size = 1 << max(n - 1, 0).bit_length()
    ranks = np.arange(size, dtype=np.int32 if size < 2**31 else np.int64)
    ranks[order] = np.arange(n)
    return ranks


def tied_pairs(values: np.ndarray) -> int:
    """Pairs of equal values."""
    return pairs_in(tie_sizes(np.sort(values)))


def tie_sizes(ordered: np.ndarray) -> np.ndarray:
    """How many equals there are of each value, lowest first. ordered: (n,), sorted."""
    return _runs(ordered[1:] == ordered[:-1]) if len(ordered) else np.zeros(0, np.int64)


def pairs_in(sizes: np.ndarray) -> int:
    return int((sizes * (sizes - 1) // 2).sum())


def _runs(same: np.ndarray) -> np.ndarray:
    """Lengths of the runs of equals: ``same`` tells of each element but the first if it equals the last."""
    return np.diff(np.flatnonzero(np.concatenate([[True], ~same, [True]])))


def rising_less_falling(times: np.ndarray, values: np.ndarray) -> tuple[int, np.ndarray]:
    """Kendall's S, rising pairs less falling ones, and the sizes of the groups of equal values. O(n log n).

    times, values: (n,), sorted by time and, at one time, by value; pairs at one time count for neither.
    """
    n = len(values)
    order = _order(values)
    ties = tie_sizes(values[order])
    together = times[1:] == times[:-1]
    at_one_time = 0
    if together.any():
        at_one_time = pairs_in(_runs(together)) - pairs_in(_runs(together & (values[1:] == values[:-1])))
    return n * (n - 1) // 2 - at_one_time - pairs_in(ties) - 2 * _inversions_of(order), ties


class PairSlopes:
    """The slopes of all pairs at different times, sorted, of which one can be asked for.

    times, values: (n,), sorted by time and, at one time, by value. Up to 1,000 values they are listed.
    Beyond, the k-th is found by halving an interval: a slope b has as many smaller ones as
    ``values − b·times`` has inversions, so memory stays O(n); the answer is exact to about 15 digits
    of the largest slope.
    """

    def __init__(self, times: np.ndarray, values: np.ndarray) -> None:
        self._times, self._values = times - times[:1], values
        self._listed = _all_slopes(times, values) if len(times) <= PAIRWISE_POINTS else None
        n = len(times)
        self._count = n * (n - 1) // 2 - tied_pairs(times) if self._listed is None else len(self._listed)

    def __len__(self) -> int:
        return self._count

    def at(self, k: int) -> float:
        """The k-th smallest slope, from 0."""
        return self._searched(k) if self._listed is None else float(self._listed[k])

    def median(self) -> float:
        middle = self._count // 2
        return self.at(middle) if self._count % 2 else (self.at(middle - 1) + self.at(middle)) / 2

    def _searched(self, k: int) -> float:
        low, high = -self._steepest(), self._steepest()
        for _ in range(SEARCH_STEPS):
            middle = (low + high) / 2
            if inversions(self._values - middle * self._times) > k:
                high = middle
            else:
                low = middle
        return (low + high) / 2

    def _steepest(self) -> float:
        """No pair is steeper than the steepest step between neighbors in time."""
        run = np.diff(np.unique(self._times))
        return float(np.ptp(self._values) / run.min()) * (1 + 1e-9)


def _all_slopes(times: np.ndarray, values: np.ndarray) -> np.ndarray:
    i, j = np.triu_indices(len(times), 1)
    run = times[j] - times[i]
    apart = run > 0
    return np.sort((values[j] - values[i])[apart] / run[apart])
