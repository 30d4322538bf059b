"""How often trend and change are seen in histories that have none, and how short a half-life looks.

    python -m benchmarks.false_alarms [--histories 1000]

docs/measures.md quotes what this prints.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

import numpy as np

from analysis.changes import changes
from analysis.control_charts import CUSUM_LIMIT, EWMA_WIDTH, cusum, ewma_chart, self_starting_scores
from analysis.inertia import inertia
from analysis.reliable_change import reliable_change, unusual_day
from analysis.trend import mann_kendall

TURNS, GAP_S = 30, 60.0
TURN_SD, DAY_SD = 0.2, 0.08
"""Of valence from turn to turn and from day to day, as in the invented histories."""

RNG = np.random.default_rng(20)


def carried(n: int, phi: float) -> np.ndarray:
    """(n,) noise of SD 1 that carries over from one value to the next."""
    noise = RNG.normal(size=n + 60)
    for i in range(1, len(noise)):
        noise[i] = phi * noise[i - 1] + np.sqrt(1 - phi**2) * noise[i]
    return noise[60:]


def timed(n: int, half_life_s: float) -> tuple[np.ndarray, np.ndarray]:
    """(n,) values and times of a mood with that half-life, a minute apart on average."""
    gaps = RNG.gamma(4, GAP_S / 4, n)
    kept, x = 2.0 ** (-gaps / half_life_s), RNG.normal(size=n)
    for i in range(1, n):
        x[i] = kept[i] * x[i - 1] + np.sqrt(1 - kept[i] ** 2) * x[i]
    return x, np.cumsum(gaps)


def rate(histories: int, seen: Callable[[], bool]) -> float:
    return float(np.mean([seen() for _ in range(histories)]))


def trends(histories: int) -> None:
    print("trend at p < .05, 50 session means      plain   MK-AR1")
    for phi in (0.0, 0.3, 0.5, 0.7):
        series = [carried(50, phi) for _ in range(histories)]
        plain, careful = (
            np.mean([mann_kendall(range(50), y, carry_over=allow).p < 0.05 for y in series])
            for allow in (False, True)
        )
        print(f"  carry-over {phi:.1f}                      {plain:8.1%} {careful:8.1%}")


def change_points(histories: int) -> None:
    print("any change point                        n = 30   n = 60  n = 200")
    for phi in (0.0, 0.2, 0.5, 0.8):
        found = [
            rate(histories, lambda n=n, phi=phi: bool(changes(carried(n, phi)).at)) for n in (30, 60, 200)
        ]
        print(f"  carry-over {phi:.1f}                      {found[0]:8.1%} {found[1]:8.1%} {found[2]:8.1%}")
    for jump in (1.0, 2.0, 3.0):
        found = [rate(histories, lambda n=n, jump=jump: _near_middle(n, jump)) for n in (30, 60, 200)]
        print(
            f"  a jump by {jump:.0f} SD is found within 3     {found[0]:8.1%} {found[1]:8.1%} {found[2]:8.1%}"
        )


def _near_middle(n: int, jump: float) -> bool:
    series = RNG.normal(size=n) + jump * (np.arange(n) >= n // 2)
    return any(abs(at - n // 2) <= 3 for at in changes(series).at)


def reliable(histories: int) -> None:
    print("|RCI| > 1.96, sessions of 30 turns      1 before  8 before")
    for phi in (0.0, 0.3, 0.6):
        for day_sd in (0.0, DAY_SD):
            found = [rate(histories, lambda s=s, p=phi, d=day_sd: _changed(s, p, d)) for s in (1, 8)]
            print(f"  carry-over {phi:.1f}, days differ by SD {day_sd:.2f}  {found[0]:8.1%} {found[1]:8.1%}")


def _changed(sessions: int, phi: float, day_sd: float) -> bool:
    heard = [TURN_SD * carried(TURNS, phi) + RNG.normal(0, day_sd) for _ in range(sessions + 1)]
    ids = np.repeat(np.arange(sessions), TURNS)
    return reliable_change(np.concatenate(heard[:-1]), heard[-1], ids).reliable


def unusual_days(histories: int) -> None:
    print("unusual day at p < .05                  8 before 20 before")
    for phi in (0.0, 0.6):
        for day_sd in (0.0, DAY_SD):
            found = [rate(histories, lambda s=s, p=phi, d=day_sd: _unusual(s, p, d)) for s in (8, 20)]
            print(f"  carry-over {phi:.1f}, days differ by SD {day_sd:.2f}  {found[0]:8.1%} {found[1]:8.1%}")


def _unusual(sessions: int, phi: float, day_sd: float) -> bool:
    means = [TURN_SD * carried(TURNS, phi).mean() + RNG.normal(0, day_sd) for _ in range(sessions + 1)]
    return unusual_day(means[:-1], means[-1]).p < 0.05


def charts(histories: int) -> None:
    """A year of weekly sessions after 8 earlier ones; a drop is planted after 26 and looked for in 12."""
    print("low mood of sessions, 52 sessions            EWMA    CUSUM")
    for phi in (0.0, 0.3, 0.5):
        found = np.array([_signals(carried(60, phi)) for _ in range(histories)])
        started = (found[:, :, 1:] & ~found[:, :, :-1]).sum(axis=2)
        print(
            "  carry-over {:.1f}: signals a person and year  {:.2f}     {:.2f}".format(phi, *started.mean(0))
        )
    for drop in (1.0, 1.5, 2.0):
        planted = drop * (np.arange(60) >= 34)
        seen = np.array([_signals(carried(60, 0.0) - planted)[:, 34:46] for _ in range(histories)])
        after = [np.median(np.argmax(one[one.any(axis=1)], axis=1)) + 1 for one in seen.swapaxes(0, 1)]
        shares = seen.any(axis=2).mean(axis=0)
        told = ", ".join(f"{share:.0%} (session {at:.0f})" for share, at in zip(shares, after, strict=True))
        print(f"  a drop by {drop:.1f} SD is found in 12 sessions    {told}")


def _signals(means: np.ndarray) -> np.ndarray:
    scores = self_starting_scores(means)
    return np.stack([ewma_chart(scores) < -EWMA_WIDTH, cusum(scores) > CUSUM_LIMIT])


def half_lives(histories: int) -> None:
    print("half-life found, true 2 min, 10 sessions  median (middle 80 %)")
    for turns in (15, 30, 100, 300):
        found = []
        for _ in range(max(histories // 10, 20)):
            heard = [timed(turns, 120.0) for _ in range(10)]
            values = np.concatenate([x for x, _ in heard])
            times = np.concatenate([t + 604_800.0 * i for i, (_, t) in enumerate(heard)])
            found.append(inertia(values, times, np.repeat(np.arange(10), turns)).half_life_min)
        low, middle, high = np.quantile([x for x in found if x is not None], [0.1, 0.5, 0.9])
        print(f"  {turns} turns a session  {middle:.2f} min ({low:.2f} to {high:.2f})")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--histories", type=int, default=1000)
    given = parser.parse_args()
    for table in (trends, change_points, reliable, unusual_days, charts, half_lives):
        table(given.histories)


if __name__ == "__main__":
    main()
