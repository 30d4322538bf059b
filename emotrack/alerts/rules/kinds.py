"""What each kind of rule watches, which way it looks, and the terms it ships with."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from emotrack.alerts.models import Kind, Severity, Told

DAY_S = 24 * 3600


class Runs(StrEnum):
    """At which occasion a kind of rule judges, and so what its series is made of."""

    TURN = "turn"
    SESSION = "session"
    CLOCK = "clock"
    MONTH = "month"


@dataclass(frozen=True, slots=True)
class KindOfRule:
    """measures: ids that a rule of this kind may watch, the default first. above: fires above its threshold.

    ships_on: false for one that alerts too often to be started unasked (docs/alerts.md).
    defaults: the terms of the rule that every installation starts with, as columns of ``RuleVersion``.
    """

    measures: tuple[str, ...]
    above: bool
    runs: Runs = Runs.TURN
    ships_on: bool = True
    defaults: dict[str, object] = field(default_factory=dict)


KINDS: dict[str, KindOfRule] = {
    Kind.VOLATILITY: KindOfRule(
        measures=("volatility_z", "volatility"),
        above=True,
        defaults={
            "measure": "volatility_z",
            "threshold": 3.0,
            "recovery_threshold": 2.0,
            "for_count": 4,
            "keep_firing_seconds": 120,
            "cool_down_seconds": DAY_S,
            "severity": Severity.WARNING,
        },
    ),
    Kind.NEGATIVE_MOOD: KindOfRule(
        measures=("mood_level",),
        above=False,
        defaults={
            "measure": "mood_level",
            "threshold": -0.3,
            "recovery_threshold": -0.25,
            "for_count": 12,
            "keep_firing_seconds": 120,
            "cool_down_seconds": DAY_S,
            "usual_spreads": 1.0,
            "severity": Severity.WARNING,
        },
    ),
    Kind.LOW_SESSION: KindOfRule(
        measures=("session_level",),
        above=False,
        runs=Runs.SESSION,
        defaults={
            "measure": "session_level",
            "threshold": -2.86,
            "recovery_threshold": -1.5,
            "for_count": 1,
            "cool_down_seconds": 7 * DAY_S,
            "severity": Severity.WARNING,
        },
    ),
    Kind.SUDDEN_DROP: KindOfRule(
        measures=("session_drop",),
        above=True,
        runs=Runs.SESSION,
        defaults={
            "measure": "session_drop",
            "threshold": 4.1,
            "recovery_threshold": 2.0,
            "for_count": 1,
            "cool_down_seconds": 7 * DAY_S,
            "severity": Severity.WARNING,
        },
    ),
    Kind.EMOTION_SHARE: KindOfRule(
        measures=("emotion_share",),
        above=True,
        ships_on=False,
        defaults={
            "measure": "emotion_share",
            "label": "sad",
            "threshold": 0.5,
            "recovery_threshold": 0.4,
            "for_count": 1,
            "keep_firing_seconds": 120,
            "cool_down_seconds": DAY_S,
            "severity": Severity.INFO,
        },
    ),
    Kind.TREND: KindOfRule(
        measures=("trend_per_week",),
        above=False,
        runs=Runs.SESSION,
        defaults={
            "measure": "trend_per_week",
            "threshold": -0.01,
            "recovery_threshold": -0.005,
            "for_count": 2,
            "cool_down_seconds": 28 * DAY_S,
            "severity": Severity.INFO,
        },
    ),
    Kind.RELIABLE_CHANGE: KindOfRule(
        measures=("usual_day",),
        above=False,
        runs=Runs.SESSION,
        ships_on=False,
        defaults={
            "measure": "usual_day",
            "threshold": -1.96,
            "recovery_threshold": -1.0,
            "for_count": 1,
            "severity": Severity.INFO,
        },
    ),
    Kind.FLATTENING: KindOfRule(
        measures=("session_flattening",),
        above=False,
        runs=Runs.SESSION,
        defaults={
            "measure": "session_flattening",
            "threshold": 0.0,
            "recovery_threshold": 0.0,
            "for_count": 2,
            "cool_down_seconds": 28 * DAY_S,
            "severity": Severity.INFO,
        },
    ),
    Kind.LOW_QUALITY: KindOfRule(
        measures=("abstained_share",),
        above=True,
        defaults={
            "measure": "abstained_share",
            "threshold": 0.5,
            "recovery_threshold": 0.4,
            "for_count": 5,
            "keep_firing_seconds": 300,
            "cool_down_seconds": DAY_S,
            "severity": Severity.INFO,
            "tells": [Told.ADMINS.value],
        },
    ),
    Kind.SILENCE: KindOfRule(
        measures=("silence",),
        above=True,
        runs=Runs.CLOCK,
        ships_on=False,
        defaults={
            "measure": "silence",
            "threshold": 2.0,
            "recovery_threshold": 2.0,
            "for_count": 1,
            "severity": Severity.INFO,
        },
    ),
    Kind.RECOGNIZER_DRIFT: KindOfRule(
        measures=("label_shift",),
        above=True,
        runs=Runs.MONTH,
        defaults={
            "measure": "label_shift",
            "threshold": 0.2,
            "recovery_threshold": 0.1,
            "for_count": 1,
            "severity": Severity.WARNING,
            "tells": [Told.ADMINS.value],
        },
    ),
    Kind.INCONGRUENCE: KindOfRule(
        measures=("incongruence_share",),
        above=True,
        ships_on=False,
        defaults={
            "measure": "incongruence_share",
            "threshold": 0.3,
            "recovery_threshold": 0.2,
            "for_count": 5,
            "keep_firing_seconds": 300,
            "cool_down_seconds": DAY_S,
            "severity": Severity.INFO,
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

MAY_BE_PERSONAL = frozenset({"volatility", "mood_level", "activation_level"})
"""Measures with an absolute line that may be held a person's own spreads off their median as well."""

ALREADY_PERSONAL = frozenset({"volatility_z"})
"""Measures that are counted in a person's own spreads: they need a baseline, and no second one."""

ONLY_FULL_WINDOWS = frozenset({"volatility_z", "volatility"})
