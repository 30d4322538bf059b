"""Whether a rule may judge a session yet, and by which line: one that knows too little says so and waits."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from analysis.baseline import SessionBaseline, Usual
from analysis.measures import MEASURES
from emotrack.alerts.judging.decide import Terms
from emotrack.alerts.rules.kinds import ALREADY_PERSONAL, KINDS, USUAL_OF_MEASURE

if TYPE_CHECKING:
    from emotrack.alerts.models import RuleVersion


class WhyNot(StrEnum):
    """Why a rule does not judge a session; pages turn each into a sentence."""

    SWITCHED_OFF = "switched_off"
    OFF_HEADLINE = "off_headline"
    BASELINE_FORMING = "baseline_forming"


@dataclass(frozen=True, slots=True)
class Line:
    """What a session is judged by. usual: the person's own, where the rule needs it."""

    terms: Terms
    usual: Usual | None

    def as_json(self) -> dict[str, object]:
        """The rule's own copy, kept with the alert: lines in force, and n, median and mad of the usual."""
        lines = {"threshold": self.terms.threshold, "recovery": self.terms.recovery}
        return lines | (asdict(self.usual) if self.usual else {})


def line_of(
    version: RuleVersion, kind: str, *, headline: str, baseline: SessionBaseline | None
) -> Line | WhyNot:
    """The line of a session, or why there is none.

    headline: the dimension that the session's recognizer reads best. baseline: as it stood when the session
    began. With ``usual_spreads`` k the threshold lies at least k · 1.4826·MAD off the person's own median,
    and the recovery line keeps its distance to it.
    """
    if is_off_headline(version, headline):
        return WhyNot.OFF_HEADLINE
    usual = _usual(version, baseline)
    if needs_usual(version) and (usual is None or not usual.armed):
        return WhyNot.BASELINE_FORMING
    return Line(_terms(version, kind, usual), usual if needs_usual(version) else None)


def session_line(version: RuleVersion, kind: str, *, headline: str) -> Line | WhyNot:
    """The line of a rule on sessions: what it watches is counted in the person's own usual already."""
    if is_off_headline(version, headline):
        return WhyNot.OFF_HEADLINE
    return Line(_terms(version, kind, None), None)


def is_off_headline(version: RuleVersion, headline: str) -> bool:
    dimension = MEASURES[version.measure].dimension
    return dimension is not None and dimension != headline and not version.also_off_headline


def needs_usual(version: RuleVersion) -> bool:
    """Whether the terms say nothing without the person's own usual of turns."""
    return version.measure in ALREADY_PERSONAL or version.usual_spreads is not None


def usual_range(version: RuleVersion, baseline: SessionBaseline | None) -> tuple[float, float] | None:
    """What a rule on turns watches, as it usually is of the person; ``None`` while that is still forming, and
    of a measure that has no usual."""
    usual = _usual(version, baseline)
    if usual is None or not usual.armed:
        return None
    return (-1.0, 1.0) if version.measure in ALREADY_PERSONAL else usual.band()


def _usual(version: RuleVersion, baseline: SessionBaseline | None) -> Usual | None:
    part = USUAL_OF_MEASURE.get(version.measure)
    return None if baseline is None or part is None else getattr(baseline, part)


def _terms(version: RuleVersion, kind: str, usual: Usual | None) -> Terms:
    above = KINDS[kind].above
    line = version.threshold
    if version.usual_spreads is not None and usual is not None:
        low, high = usual.band(version.usual_spreads)
        line = max(line, high) if above else min(line, low)
    return Terms(
        threshold=line,
        recovery=line + (version.recovery_threshold - version.threshold),
        above=above,
        for_count=version.for_count,
        for_seconds=version.for_seconds,
        keep_firing_seconds=version.keep_firing_seconds,
    )
