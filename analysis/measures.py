"""The numbers that a rule may watch, by name: what each means, its unit and where it is found."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from analysis.series import MoodValues


class Granularity(StrEnum):
    """When a measure has a value: with an utterance, when a session has ended, on any day, month by month."""

    UTTERANCE = "utterance"
    SESSION = "session"
    DAY = "day"
    MONTH = "month"


class Dimension(StrEnum):
    """The dimension of mood that a measure speaks of."""

    VALENCE = "valence"
    AROUSAL = "arousal"
    DOMINANCE = "dominance"


@dataclass(frozen=True, slots=True)
class Measure:
    """A number that a rule may watch.

    id: stable, stored in rules. label, meaning: plain English; pages translate them by these very strings.
    unit: of a threshold on it. dimension: ``None`` where it speaks of the whole voice; a rule on a dimension
    that is not the recognizer's headline ships switched off.
    field: the attribute that holds it, of ``MoodValues`` or ``RecentValues`` (utterance), ``SessionValues``
    (session), ``AbsenceValues`` (day) or ``RecognizerValues`` (month).
    low, high: the range of thresholds that make sense, ``None`` without a bound.
    """

    id: str
    label: str
    meaning: str
    unit: str
    dimension: Dimension | None
    granularity: Granularity
    field: str
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class SessionValues:
    """What one ended session gives to rules on sessions; ``None`` below the minimum n.

    mean_valence, mean_arousal, mean_dominance: -1..1. rmssd_valence, rmssd_arousal: movement from turn to
    turn. coverage: valid / all, 0..1. reliable_change: of valence against the baseline sessions, in standard
    errors; usual_day: the same in spreads of the baseline sessions.
    trend_per_week: slope of the session means of valence so far; trend_p: of its test, 0..1.
    level_distance: ``control_charts.ewma_chart`` and drop_sum: ``control_charts.cusum`` over the
    ``self_starting_scores`` of the session means of valence.
    movement_margin: ``baseline.own_quantile_margin`` of rmssd_valence.
    """

    mean_valence: float | None
    mean_arousal: float | None
    rmssd_valence: float | None
    coverage: float | None
    mean_dominance: float | None = None
    rmssd_arousal: float | None = None
    reliable_change: float | None = None
    usual_day: float | None = None
    trend_per_week: float | None = None
    trend_p: float | None = None
    level_distance: float | None = None
    drop_sum: float | None = None
    movement_margin: float | None = None


@dataclass(frozen=True, slots=True)
class RecentValues:
    """Shares over the latest 20 utterances of a session, after each (``shares.recent_share``).

    emotion_share: lower bound of the share of the label that the rule names. abstained_share,
    incongruence_share: as they are, 0..1.
    """

    emotion_share: float | None = None
    abstained_share: float | None = None
    incongruence_share: float | None = None


@dataclass(frozen=True, slots=True)
class AbsenceValues:
    """silence: days since the last utterance over the person's own median gap between sessions."""

    silence: float | None = None


@dataclass(frozen=True, slots=True)
class RecognizerValues:
    """label_shift: ``stability.population_stability_index`` of a month's labels against the month before."""

    label_shift: float | None = None


Values = MoodValues | RecentValues | SessionValues | AbsenceValues | RecognizerValues


_ALL = (
    Measure(
        "volatility_z",
        "Changeability against the person's own usual",
        "How much the voice moved over the last 5 turns, in spreads of what is usual for this person.",
        "own spreads",
        None,
        Granularity.UTTERANCE,
        "volatility_z",
        low=0.0,
    ),
    Measure(
        "volatility",
        "Changeability, plain index",
        "The mean distance between the last 5 turns; it means something for one recognizer only.",
        "embedding distance",
        None,
        Granularity.UTTERANCE,
        "volatility",
        low=0.0,
    ),
    Measure(
        "mood_level",
        "Mood level",
        "Where valence has been over the last minutes, the latest turns weighing most.",
        "valence",
        Dimension.VALENCE,
        Granularity.UTTERANCE,
        "level",
        low=-1.0,
        high=1.0,
    ),
    Measure(
        "activation_level",
        "Activation level",
        "How activated the voice has been over the last minutes, the latest turns weighing most.",
        "arousal",
        Dimension.AROUSAL,
        Granularity.UTTERANCE,
        "level_arousal",
        low=-1.0,
        high=1.0,
    ),
    Measure(
        "dominance_level",
        "Dominance level",
        "How firm or yielding the voice has been over the last minutes, the latest turns weighing most.",
        "dominance",
        Dimension.DOMINANCE,
        Granularity.UTTERANCE,
        "level_dominance",
        low=-1.0,
        high=1.0,
    ),
    Measure(
        "session_valence",
        "Mean valence of a session",
        "The mean valence of all turns of a session that gave a reading.",
        "valence",
        Dimension.VALENCE,
        Granularity.SESSION,
        "mean_valence",
        low=-1.0,
        high=1.0,
    ),
    Measure(
        "session_arousal",
        "Mean activation of a session",
        "The mean arousal of all turns of a session that gave a reading.",
        "arousal",
        Dimension.AROUSAL,
        Granularity.SESSION,
        "mean_arousal",
        low=-1.0,
        high=1.0,
    ),
    Measure(
        "session_movement",
        "Movement of valence in a session",
        "How far valence moved from one turn to the next, over a whole session.",
        "valence",
        Dimension.VALENCE,
        Granularity.SESSION,
        "rmssd_valence",
        low=0.0,
        high=2.0,
    ),
    Measure(
        "session_dominance",
        "Mean dominance of a session",
        "The mean dominance of all turns of a session that gave a reading.",
        "dominance",
        Dimension.DOMINANCE,
        Granularity.SESSION,
        "mean_dominance",
        low=-1.0,
        high=1.0,
    ),
    Measure(
        "session_activation_movement",
        "Movement of activation in a session",
        "How far arousal moved from one turn to the next, over a whole session.",
        "arousal",
        Dimension.AROUSAL,
        Granularity.SESSION,
        "rmssd_arousal",
        low=0.0,
        high=2.0,
    ),
    Measure(
        "reliable_change",
        "Change against the usual sessions",
        "How far the mean valence lies from that of the usual sessions, in errors of measurement.",
        "standard errors",
        Dimension.VALENCE,
        Granularity.SESSION,
        "reliable_change",
    ),
    Measure(
        "usual_day",
        "Distance from the usual sessions",
        "How far the mean valence lies from that of the usual sessions, in spreads of those sessions.",
        "own spreads",
        Dimension.VALENCE,
        Granularity.SESSION,
        "usual_day",
    ),
    Measure(
        "trend_per_week",
        "Trend of the session means",
        "How many points a week the session means of valence went up or down so far.",
        "valence a week",
        Dimension.VALENCE,
        Granularity.SESSION,
        "trend_per_week",
        low=-2.0,
        high=2.0,
    ),
    Measure(
        "trend_p",
        "Chance of such a trend",
        "How often chance alone would make a trend like that of the session means of valence.",
        "probability",
        Dimension.VALENCE,
        Granularity.SESSION,
        "trend_p",
        low=0.0,
        high=1.0,
    ),
    Measure(
        "session_coverage",
        "Readable share of a session",
        "The share of the turns of a session that gave a reading.",
        "share",
        None,
        Granularity.SESSION,
        "coverage",
        low=0.0,
        high=1.0,
    ),
    Measure(
        "emotion_share",
        "Share of one emotion",
        "How often one emotion was the strongest in the last 20 turns, the least that chance allows for.",
        "share",
        None,
        Granularity.UTTERANCE,
        "emotion_share",
        low=0.0,
        high=1.0,
    ),
    Measure(
        "abstained_share",
        "Turns without a reading",
        "How many of the last 20 turns gave no reading.",
        "share",
        None,
        Granularity.UTTERANCE,
        "abstained_share",
        low=0.0,
        high=1.0,
    ),
    Measure(
        "incongruence_share",
        "Tone against words",
        "In how many of the last 20 turns tone and words differed, the least that chance allows for.",
        "share",
        None,
        Granularity.UTTERANCE,
        "incongruence_share",
        low=0.0,
        high=1.0,
    ),
    Measure(
        "session_level",
        "Level of the sessions",
        "How far the running mean of the sessions lies from the person's own usual, in its standard errors.",
        "standard errors",
        Dimension.VALENCE,
        Granularity.SESSION,
        "level_distance",
    ),
    Measure(
        "session_drop",
        "Drop since some session",
        "How much lower than usual the sessions have been since some day, summed up.",
        "own spreads",
        Dimension.VALENCE,
        Granularity.SESSION,
        "drop_sum",
        low=0.0,
    ),
    Measure(
        "session_flattening",
        "Movement against the person's own least",
        "How far the movement of valence lies above the lowest twentieth of the person's own sessions.",
        "valence",
        Dimension.VALENCE,
        Granularity.SESSION,
        "movement_margin",
        low=-2.0,
        high=2.0,
    ),
    Measure(
        "silence",
        "Time without a word",
        "Days since the last turn, in the person's own usual gaps between sessions.",
        "usual gaps",
        None,
        Granularity.DAY,
        "silence",
        low=0.0,
    ),
    Measure(
        "label_shift",
        "Shift of the recognizer's labels",
        "How far the shares of the labels have moved from one month to the next, over all clients.",
        "stability index",
        None,
        Granularity.MONTH,
        "label_shift",
        low=0.0,
    ),
)

MEASURES: dict[str, Measure] = {measure.id: measure for measure in _ALL}


def measure(measure_id: str) -> Measure:
    """The measure of that id. Raises ``ValueError`` naming those there are."""
    if measure_id not in MEASURES:
        raise ValueError(f"measure-unknown: {measure_id!r} is none of {', '.join(MEASURES)}")
    return MEASURES[measure_id]


def value_of(measure_id: str, values: Values) -> float | None:
    """The measure's value, or ``None`` where there is none.

    ``volatility`` is read from full windows only: a partial window is shown on pages and never judged.
    Raises ``ValueError`` when the measure is not of this granularity.
    """
    watched = measure(measure_id)
    if not hasattr(values, watched.field):
        raise ValueError(f"measure-granularity: {measure_id} is a measure of a {watched.granularity}")
    if measure_id == "volatility" and values.volatility_partial:
        return None
    return getattr(values, watched.field)
