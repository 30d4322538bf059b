"""A client's measures in figures: each with what it rests on, or why there is none yet."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from analysis.dynamics import MIN_PAIRS, MIN_VALUES, MIN_VALUES_SPREAD, Figure
from analysis.inertia import MIN_PAIRS as MIN_PAIRS_INERTIA
from analysis.inertia import Inertia
from analysis.movement import MIN_PAIRS_ACUTE
from analysis.profile import DimensionProfile
from analysis.shares import Share
from emotrack.web.timeline import signed
from emotrack.web.words import percent


@dataclass(frozen=True, slots=True)
class FigureLine:
    """One measure. value: empty where there is none, and then reason says why. rests: on how much it rests.

    topic: of its help.
    """

    name: str
    value: str
    rests: str
    reason: str
    topic: str


def figure_lines(dimension: DimensionProfile) -> list[FigureLine]:
    """Middle and width first: what moves adds little to them."""
    said = dimension.headline
    return [
        _line(_("Mean"), said.mean, MIN_VALUES, "mean-and-spread", signed),
        _line(_("Spread (SD)"), said.sd, MIN_VALUES_SPREAD, "mean-and-spread", _plain),
        _line(_("Movement from turn to turn"), said.rmssd, MIN_PAIRS, "movement", _plain, pairs=True),
        _inertia_line(dimension.inertia),
        _leaps_line(dimension.acute),
    ]


def _plain(value: float) -> str:
    return f"{value:.2f}"


def _line(name: str, found: Figure, needed: int, topic: str, written, *, pairs: bool = False) -> FigureLine:
    rests = pairs_words(found.n) if pairs else turns_words(found.n)
    if found.value is None:
        return FigureLine(name, "", rests, too_few(found.n, needed, pairs=pairs), topic)
    return FigureLine(name, written(found.value), rests, "", topic)


def _inertia_line(found: Inertia) -> FigureLine:
    name, rests = _("Half of a mood has worn off after"), pairs_words(found.n)
    if found.half_life_min is not None:
        value = _("%(n)s min") % {"n": f"{found.half_life_min:.1f}"}
        return FigureLine(name, value, rests, "", "carry-over")
    reasons = {
        "too_few_pairs": too_few(found.n, MIN_PAIRS_INERTIA, pairs=True),
        "no_variation": _("Every turn of a session reads the same."),
        "no_carry_over": _("Gone before the next turn."),
        "longer_than_a_session": _("Longer than a session."),
    }
    return FigureLine(name, "", rests, reasons[found.reason], "carry-over")


def _leaps_line(found: Share) -> FigureLine:
    name, rests = _("Leaps from one turn to the next"), pairs_words(found.n)
    if found.value is None:
        return FigureLine(name, "", rests, too_few(found.n, MIN_PAIRS_ACUTE, pairs=True), "leaps")
    interval = _("95 %% interval %(low)s to %(high)s") % {
        "low": percent(found.low),
        "high": percent(found.high),
    }
    return FigureLine(name, percent(found.value), f"{rests}, {interval}", "", "leaps")


def turns_words(n: int) -> str:
    return ngettext("%(n)d turn", "%(n)d turns", n) % {"n": n}


def pairs_words(n: int) -> str:
    return ngettext("%(n)d pair of turns", "%(n)d pairs of turns", n) % {"n": n}


def too_few(n: int, needed: int, *, pairs: bool) -> str:
    sizes = {"n": n, "needed": needed, "left": needed - n}
    if pairs:
        return _("Insufficient data: %(n)d of %(needed)d pairs of turns, %(left)d to go.") % sizes
    return _("Insufficient data: %(n)d of %(needed)d turns, %(left)d to go.") % sizes
