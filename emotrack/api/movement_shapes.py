"""What is answered about moods that moved and patterns that recur, for the documentation."""

from __future__ import annotations

from rest_framework import serializers

from analysis.clusters import Reason
from analysis.values import LABELS
from emotrack.api.shapes import Matrix, SeriesAnswer, _maybe, _words

FIGURE_HELP = "Null where there is too little to say; `reason` says why."


class MoodPointAnswer(serializers.Serializer):
    """An utterance, a session or a day; means over its utterances with a reading."""

    at = serializers.DateTimeField()
    until = serializers.DateTimeField()
    session = _maybe(serializers.CharField)
    utterance = _maybe(serializers.CharField)
    utterances = serializers.IntegerField()
    valid = serializers.IntegerField()
    coverage = serializers.FloatField(help_text="Share of the client's utterances with a reading.")
    valence = _maybe(serializers.FloatField, min_value=-1, max_value=1)
    arousal = _maybe(serializers.FloatField, min_value=-1, max_value=1)
    dominance = _maybe(serializers.FloatField, min_value=-1, max_value=1)
    level = _maybe(serializers.FloatField, help_text="Running valence; of utterances only.")
    level_arousal = _maybe(serializers.FloatField)
    volatility = _maybe(serializers.FloatField)
    peak_volatility_z = _maybe(serializers.FloatField)


class MoodAnswer(serializers.Serializer):
    client = serializers.CharField()
    series = _maybe(SeriesAnswer)
    resolution = _words(["utterance", "session", "day"])
    after = _maybe(serializers.DateTimeField)
    before = _maybe(serializers.DateTimeField)
    points_total = serializers.IntegerField(help_text="Before thinning to max_points.")
    coverage = _maybe(serializers.FloatField)
    points = MoodPointAnswer(many=True)


class FigureAnswer(serializers.Serializer):
    value = _maybe(serializers.FloatField, help_text=FIGURE_HELP)
    n = serializers.IntegerField(help_text="Values or pairs that it rests on.")
    reason = _maybe(serializers.CharField)


class ShareAnswer(FigureAnswer):
    low = _maybe(serializers.FloatField)
    high = _maybe(serializers.FloatField)


class AcuteChangesAnswer(ShareAnswer):
    """Share of steps that are leaps."""

    step = serializers.FloatField(help_text="The least step from turn to turn that is called a leap.")
    step_source = _words(["population", "fallback"])


class InertiaAnswer(serializers.Serializer):
    half_life_min = _maybe(serializers.FloatField, help_text="Minutes until half of a deviation is gone.")
    carry_over = _maybe(serializers.FloatField)
    n = serializers.IntegerField()
    reason = _maybe(serializers.CharField)


class HomeBaseAnswer(serializers.Serializer):
    low = serializers.FloatField()
    high = serializers.FloatField()


class HomeAnswer(serializers.Serializer):
    """Where the mood dwells, and how it is displaced from there."""

    base = _maybe(HomeBaseAnswer)
    n = serializers.IntegerField()
    home_share = _maybe(serializers.FloatField)
    mean_peak = _maybe(serializers.FloatField)
    mean_length = _maybe(serializers.FloatField)
    rise_rate = _maybe(serializers.FloatField)
    recovery_rate = _maybe(serializers.FloatField)
    low = serializers.IntegerField(help_text="Displacements below the home base.")
    high = serializers.IntegerField(help_text="Displacements above the home base.")
    reason = _maybe(serializers.CharField)


class DimensionAnswer(serializers.Serializer):
    mean = FigureAnswer()
    median = FigureAnswer()
    sd = FigureAnswer()
    mssd = FigureAnswer()
    rmssd = FigureAnswer()
    tmssd = FigureAnswer()
    acute_changes = AcuteChangesAnswer()
    inertia = InertiaAnswer()
    home = HomeAnswer()


class TransitionsAnswer(serializers.Serializer):
    labels = serializers.ListField(child=serializers.CharField())
    counts = Matrix(help_text="From row to column, staying included.")
    shares = serializers.JSONField(help_text="Rows adding up to 1; null below 10 exits.")
    reason = _maybe(serializers.CharField)


class DynamicsWindowAnswer(serializers.Serializer):
    after = _maybe(serializers.DateTimeField)
    before = _maybe(serializers.DateTimeField)
    utterances = serializers.IntegerField()
    valid = serializers.IntegerField()
    coverage = _maybe(serializers.FloatField)
    sufficient = serializers.BooleanField(help_text="False: too few readings for the figures to be shown.")
    valence = DimensionAnswer()
    arousal = DimensionAnswer()
    dominance = DimensionAnswer()
    mix = FigureAnswer(help_text="How mixed the labels are over time, 0 to 1.")
    transitions = TransitionsAnswer()


class TrendAnswer(serializers.Serializer):
    """Of session means of the series' headline dimension."""

    slope_per_week = _maybe(serializers.FloatField)
    low_per_week = _maybe(serializers.FloatField)
    high_per_week = _maybe(serializers.FloatField)
    p = _maybe(serializers.FloatField)
    n = serializers.IntegerField()
    reason = _maybe(serializers.CharField)


class DynamicsAnswer(serializers.Serializer):
    client = serializers.CharField()
    series = _maybe(SeriesAnswer)
    after = _maybe(serializers.DateTimeField)
    before = _maybe(serializers.DateTimeField)
    window_days = _maybe(serializers.IntegerField)
    trend = _maybe(TrendAnswer)
    windows = DynamicsWindowAnswer(many=True)


class LiftAnswer(serializers.Serializer):
    label = serializers.CharField(help_text="One of the nine labels.")
    lift = serializers.FloatField(help_text="Mean score in the pattern over that in all utterances.")
    share = serializers.FloatField()


class ClusterAnswer(serializers.Serializer):
    """A recurring way of sounding; `id` and `letter` stay while the pattern does."""

    id = serializers.CharField()
    letter = serializers.CharField(help_text="What people call it; not given to another when it is gone.")
    labels = LiftAnswer(many=True)
    members = serializers.IntegerField()
    share = serializers.FloatField()
    novel = serializers.IntegerField(help_text="Of the members, those unlike every pattern.")
    typical = serializers.ListField(child=serializers.CharField(), help_text="Utterances, the medoid first.")
    found_at = serializers.DateTimeField()
    first_at = serializers.DateTimeField()
    last_at = serializers.DateTimeField()


class MapPointAnswer(serializers.Serializer):
    utterance = serializers.CharField()
    cluster = _maybe(serializers.CharField)
    x = serializers.FloatField()
    y = serializers.FloatField()


class MapAnswer(serializers.Serializer):
    """Embeddings on the plane in which they differ most."""

    explained = serializers.ListField(child=serializers.FloatField(), help_text="Share of variance per axis.")
    points = MapPointAnswer(many=True)


class ClusterFiguresAnswer(serializers.Serializer):
    silhouette = _maybe(serializers.FloatField)
    silhouette_by_chance = _maybe(serializers.FloatField)
    agreement = _maybe(serializers.FloatField, help_text="Mean adjusted Rand index over resamples.")


class ClustersAnswer(serializers.Serializer):
    """`state` `none`: there are no distinct patterns yet, and `reason` says why."""

    client = serializers.CharField()
    series = _maybe(SeriesAnswer)
    state = _words(["found", "none", "not_looked_yet"])
    reason = _maybe(_words, list(Reason))
    fitted_at = _maybe(serializers.DateTimeField)
    utterances = _maybe(serializers.IntegerField, help_text="Looked at in the last fit.")
    figures = _maybe(ClusterFiguresAnswer)
    clusters = ClusterAnswer(many=True)
    map = _maybe(MapAnswer, required=False)


class AlikeAnswer(serializers.Serializer):
    utterance = serializers.CharField()
    session = serializers.CharField()
    client = serializers.CharField()
    occurred_at = serializers.DateTimeField()
    similarity = serializers.FloatField(help_text="Cosine of the embeddings, -1 to 1.")
    emotion = _maybe(_words, list(LABELS))
    confidence = _maybe(serializers.FloatField)


class SimilarAnswer(serializers.Serializer):
    client = serializers.CharField()
    to = serializers.CharField()
    series = SeriesAnswer()
    within = _words(["client", "visible"])
    items = AlikeAnswer(many=True)


class CohortAnswer(serializers.Serializer):
    """Some clients under one name; `clients` counts those whom you may see."""

    id = serializers.CharField()
    name = serializers.CharField()
    description = serializers.CharField()
    created_at = serializers.DateTimeField()
    clients = serializers.IntegerField()


class StandingsAnswer(serializers.Serializer):
    """How many people stand where against their own usual; `little`: too little is known."""

    lower = serializers.IntegerField()
    usual = serializers.IntegerField()
    higher = serializers.IntegerField()
    little = serializers.IntegerField()


class CohortFiguresAnswer(serializers.Serializer):
    """Of the series' headline dimension; `n` counts people with 3 readings and a coverage of .6 or more."""

    heard = serializers.IntegerField(help_text="People with a session in this series and time.")
    sessions = serializers.IntegerField()
    utterances = serializers.IntegerField()
    valid = serializers.IntegerField()
    coverage = _maybe(serializers.FloatField)
    mean = FigureAnswer(help_text="Of the people's own means.")
    median = FigureAnswer()
    sd = FigureAnswer(help_text="How far people differ from one another.")
    spread_within_sessions = FigureAnswer(help_text="How far a person's turns differ, on average.")


class CohortMoodAnswer(CohortAnswer):
    series = _maybe(SeriesAnswer)
    after = _maybe(serializers.DateTimeField)
    before = _maybe(serializers.DateTimeField)
    standings = StandingsAnswer()
    mood = _maybe(CohortFiguresAnswer)


class CohortClusterAnswer(serializers.Serializer):
    labels = LiftAnswer(many=True)
    members = serializers.IntegerField()
    share = serializers.FloatField()
    people = serializers.IntegerField(help_text="How many people it was heard in.")


class CohortClustersAnswer(serializers.Serializer):
    """`not_all_visible`: it holds clients whom you may not see; `none`: `reason` says why."""

    cohort = serializers.CharField()
    series = _maybe(SeriesAnswer)
    state = _words(["found", "none", "not_looked_yet", "not_all_visible"])
    reason = _maybe(_words, [*Reason, "too_few_people"])
    fitted_at = _maybe(serializers.DateTimeField)
    people = _maybe(serializers.IntegerField)
    utterances = _maybe(serializers.IntegerField)
    figures = _maybe(ClusterFiguresAnswer)
    clusters = CohortClusterAnswer(many=True)
