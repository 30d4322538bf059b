"""What each kind of rule watches, which way it looks, and the terms it ships with."""

from __future__ import annotations

from dataclasses import dataclass, field

from emotrack.alerts.models import Kind, Severity


@dataclass(frozen=True, slots=True)
class KindOfRule:
    """measures: ids that a rule of this kind may watch, the default first. above: fires above its threshold.

    defaults: the terms of the rule that every installation starts with, as columns of ``RuleVersion``.
    """

    measures: tuple[str, ...]
    above: bool
    defaults: dict[str, object] = field(default_factory=dict)


KINDS: dict[str, KindOfRule] = {
    Kind.VOLATILITY: KindOfRule(
        measures=("volatility_z", "volatility"),
        above=True,
        defaults={
            "measure": "volatility_z",
            "threshold": 3.0,
            "recovery_threshold": 2.0,
            "for_count": 3,
            "keep_firing_seconds": 120,
            "cool_down_seconds": 24 * 3600,
            "severity": Severity.WARNING,
        },
    ),
    Kind.NEGATIVE_MOOD: KindOfRule(
        measures=("mood_level",),
        above=False,
        defaults={
            "measure": "mood_level",
            "threshold": -0.25,
            "recovery_threshold": -0.2,
            "for_count": 10,
            "keep_firing_seconds": 120,
            "cool_down_seconds": 24 * 3600,
            "usual_spreads": 1.0,
            "severity": Severity.WARNING,
        },
    ),
}
"""Thresholds and *for* as docs/alerts.md explains; recovery, keep-firing and cool-down are first guesses."""

USUAL_OF_MEASURE: dict[str, str] = {
    "volatility_z": "window_distance",
    "volatility": "volatility",
    "mood_level": "valence",
    "activation_level": "arousal",
}
"""Which part of a session's baseline a measure is held against."""

ALREADY_PERSONAL = frozenset({"volatility_z"})
"""Measures that are counted in a person's own spreads: they need a baseline, and no second one."""

ONLY_FULL_WINDOWS = frozenset({"volatility_z", "volatility"})
