"""Whether two sessions, two periods, or a session and its past differ by more than chance would give."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from scipy.special import stdtrit

from analysis.baseline import ARM_SESSIONS
from analysis.dynamics import MIN_VALUES_SPREAD
from analysis.reliable_change import RELIABLE, reliable_change, unusual_day
from emotrack.mood.queries import SessionPoint
from emotrack.web.timeline import signed
from emotrack.web.words import percent

CONFIDENCE = 0.95

SIDES: dict[tuple[str, int], Promise] = {
    ("valence", -1): gettext_lazy("Lower in B than in A."),
    ("valence", 1): gettext_lazy("Higher in B than in A."),
    ("arousal", -1): gettext_lazy("Calmer in B than in A."),
    ("arousal", 1): gettext_lazy("More agitated in B than in A."),
}

THAN_BEFORE: dict[tuple[str, int], Promise] = {
    ("valence", -1): gettext_lazy("Lower than in the period before."),
    ("valence", 1): gettext_lazy("Higher than in the period before."),
    ("arousal", -1): gettext_lazy("Calmer than in the period before."),
    ("arousal", 1): gettext_lazy("More agitated than in the period before."),
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """B less A. difference, low, high: with their 95 % interval, -2..2; ``None`` where missing says why.

    basis: what chance was measured on (``turns``, ``sessions`` or ``past``).
    """

    basis: str
    difference: float | None = None
    low: float | None = None
    high: float | None = None
    missing: str = ""

    @property
    def sure(self) -> bool:
        return self.low is not None and (self.low > 0 or self.high < 0)


def sessions_compared(
    points: tuple[SessionPoint, SessionPoint], a: Sequence[float], b: Sequence[float]
) -> Verdict:
    """Two sessions by their turns. a, b: (n,) values -1..1, oldest first, NaN for an abstention.

    Reliable change with carry-over allowed for (``analysis.reliable_change``); 5 readings on each side, and
    each session must say enough.
    """
    if not all(point.says_enough for point in points):
        shares = {"a": percent(points[0].coverage), "b": percent(points[1].coverage)}
        return Verdict(
            "turns", missing=_("Of A’s turns %(a)s gave a reading, of B’s %(b)s: too few.") % shares
        )
    found = reliable_change(a, b)
    if found.reason == "too_few_values":
        return Verdict("turns", missing=_few(found.n_earlier, found.n_later, MIN_VALUES_SPREAD, "turns"))
    if found.index is None or found.index == 0:
        return Verdict("turns", found.difference, missing=_("Nothing varies, so chance cannot be measured."))
    return _with_interval("turns", found.difference, RELIABLE * abs(found.difference / found.index))


def periods_compared(a: Sequence[SessionPoint], b: Sequence[SessionPoint]) -> Verdict:
    """Two periods by the means of their sessions, oldest first; 5 sessions that say enough on each side.

    Standard errors allow for carry-over from session to session; the interval is Student's with n + m − 2
    degrees of freedom, as there are few sessions.
    """
    found = reliable_change(_means(a), _means(b))
    if found.reason == "too_few_values":
        return Verdict(
            "sessions", missing=_few(found.n_earlier, found.n_later, MIN_VALUES_SPREAD, "sessions")
        )
    if found.index is None or found.index == 0:
        return Verdict(
            "sessions", found.difference, missing=_("Nothing varies, so chance cannot be measured.")
        )
    t = _student(found.n_earlier + found.n_later - 2)
    return _with_interval("sessions", found.difference, t * abs(found.difference / found.index))


def held_against_past(past: Sequence[SessionPoint], session: SessionPoint) -> Verdict:
    """A session among the person's earlier ones; 8 of them. The interval is that of one day among such days.

    difference ± t·s·√(1 + 1/k), k − 1 degrees of freedom (Crawford & Howell 1998).
    """
    means = _means(past)
    found = unusual_day(means, session.mean if session.says_enough else None)
    if found.reason == "no_session_mean":
        return Verdict(
            "past", missing=_("The session says too little: fewer than 60 % of its turns were read.")
        )
    if found.reason == "too_few_sessions":
        return Verdict(
            "past",
            missing=_("Insufficient data: %(n)d of %(needed)d earlier sessions, %(left)d to go.")
            % {"n": found.n, "needed": ARM_SESSIONS, "left": ARM_SESSIONS - found.n},
        )
    means = means[~np.isnan(means)]
    difference = float(session.mean - means.mean())
    if found.index is None:
        return Verdict("past", difference, missing=_("Nothing varies, so chance cannot be measured."))
    spread = float(means.std(ddof=1)) * math.sqrt(1 + 1 / found.n)
    return _with_interval("past", difference, _student(found.n - 1) * spread)


def _with_interval(basis: str, difference: float, half_width: float) -> Verdict:
    return Verdict(basis, difference, difference - half_width, difference + half_width)


def _student(freedom: int) -> float:
    return float(stdtrit(freedom, 0.5 + CONFIDENCE / 2))


def _means(points: Sequence[SessionPoint]) -> np.ndarray:
    return np.array([p.mean if p.says_enough else np.nan for p in points], dtype=np.float64)


def _few(n: int, m: int, needed: int, what: str) -> str:
    sizes = {"a": n, "b": m, "needed": needed}
    if what == "turns":
        return _("Insufficient data: A has %(a)d, B %(b)d readings; each needs %(needed)d.") % sizes
    return (
        _("Insufficient data: A has %(a)d, B %(b)d sessions that say enough; each needs %(needed)d.") % sizes
    )


def sentence(verdict: Verdict, headline: str, sides: Mapping[tuple[str, int], Promise] = SIDES) -> str:
    """What to read first: which way, and whether chance alone would give as much."""
    if verdict.difference is None or round(verdict.difference, 2) == 0:
        return _("Too little to compare.") if verdict.difference is None else _("The same on both sides.")
    side = str(sides[headline, 1 if verdict.difference > 0 else -1])
    if verdict.low is None:
        return side
    if not verdict.sure:
        return f"{side} {_('Could be chance.')}"
    return f"{side} {_('The difference is larger than chance alone would usually give.')}"


BASES: dict[str, Promise] = {
    "turns": gettext_lazy(
        "Chance is measured from turn to turn within the two sessions; ordinary days differ by more."
    ),
    "sessions": gettext_lazy("Chance is measured from session to session within the two periods."),
    "past": gettext_lazy("Chance is measured by how much this person’s sessions differ anyway."),
}


def figures(verdict: Verdict, dimension: str) -> str:
    """The difference with its interval and what chance was measured on."""
    if verdict.difference is None:
        return verdict.missing
    said = _("%(difference)s in mean %(dimension)s") % {
        "difference": signed(verdict.difference),
        "dimension": dimension,
    }
    if verdict.low is None:
        return f"{said}. {verdict.missing}"
    interval = _("95 %% interval %(low)s to %(high)s") % {
        "low": signed(verdict.low),
        "high": signed(verdict.high),
    }
    return f"{said}, {interval}. {BASES[verdict.basis]}"
