"""A client's recurring ways of sounding as the page tells them, or why there are none to tell."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Max
from django.utils import timezone
from django.utils.translation import gettext as _

from analysis.clusters import FEWEST_UTTERANCES, Reason
from emotrack.history.models import Audio, Client, Recognizer, Utterance
from emotrack.mood.embeddings import heard, heard_utterances
from emotrack.mood.models import MoodCluster, PatternFit, PatternMembership
from emotrack.mood.patterns import fit_of, map_of
from emotrack.web import words
from emotrack.web.dates import written
from emotrack.web.pattern_map import Point, pattern_figure

MOST_DRAWN = 300
"""Turns on the map, the newest ones: more would only blacken it."""


@dataclass(frozen=True, slots=True)
class PatternLine:
    """One pattern. share: of the turns in patterns, 0..1.

    example: a typical turn whose sound is kept, or empty; silent then says why there is nothing to play.
    """

    letter: str
    sentence: str
    turns: int
    share: float
    last_at: datetime
    example: str
    silent: str


@dataclass(frozen=True, slots=True)
class PatternCard:
    """lines: empty where there are no patterns, and then reason says why. figure: ``None`` without a map."""

    lines: tuple[PatternLine, ...]
    reason: str = ""
    figure: dict | None = None
    drawn: int = 0
    foot: str = ""


def pattern_card(client: Client, recognizer: Recognizer, *, may_read: bool) -> PatternCard:
    """From what was found in the background; nothing is looked for here.

    may_read: whether the reader may hear the client; without it there is neither map nor sound.
    """
    fit = fit_of(client, recognizer)
    if fit is None:
        return PatternCard((), _("Not looked for yet: this happens in the background."))
    if fit.reason:
        return PatternCard((), why_none(fit))
    clusters = _clusters(fit)
    points, explained = _points(fit, clusters) if may_read else ([], 0.0)
    return PatternCard(
        tuple(_lines(fit, clusters, may_read)),
        figure=pattern_figure(points, [cluster.letter for cluster in clusters]) if points else None,
        drawn=len(points),
        foot=_foot(fit, len(clusters), explained),
    )


def why_none(fit: PatternFit) -> str:
    if fit.reason == Reason.TOO_FEW:
        n = heard_utterances(fit.client, fit.recognizer).count()
        sizes = {"n": n, "needed": FEWEST_UTTERANCES, "left": max(FEWEST_UTTERANCES - n, 0)}
        return _("Insufficient data: %(n)d of %(needed)d turns with a reading, %(left)d to go.") % sizes
    return {
        Reason.NO_SPREAD: _("The turns sound so alike that nothing sets groups apart."),
        Reason.NOT_SEPARATED: _("The turns run into one another; no groups stand apart."),
        Reason.LIKE_A_CLOUD: _("Groups stand no further apart than in a cloud that has none."),
        Reason.NOT_STABLE: _("Groups come out differently each time they are drawn again."),
        Reason.TOO_SMALL: _("Only a handful of turns stands apart from the rest."),
    }[Reason(fit.reason)]


def sentence_of(labels: list[dict]) -> str:
    """What is heard more in a pattern than in all of the person's turns."""
    names = [str(words.EMOTIONS[lift["label"]]) for lift in labels]
    if not names:
        return _("Distinct in sound; no emotion stands out")
    if len(names) == 1:
        return _("More %(label)s than this person's average") % {"label": names[0]}
    return _("More %(first)s and %(second)s than this person's average") % {
        "first": names[0],
        "second": names[1],
    }


def _clusters(fit: PatternFit) -> list[MoodCluster]:
    standing = fit.clusters.filter(retired_at__isnull=True).defer("center")
    counted = standing.annotate(
        members=Count("memberships"), last_at=Max("memberships__utterance__occurred_at")
    )
    return [cluster for cluster in counted.order_by("place") if cluster.members]


def _lines(fit: PatternFit, clusters: list[MoodCluster], may_read: bool) -> list[PatternLine]:
    total = sum(cluster.members for cluster in clusters)
    examples = _examples(fit) if may_read else {}
    silent = _("No sound was kept of its typical turns.") if may_read else _("Its sound is not open to you.")
    return [
        PatternLine(
            cluster.letter,
            sentence_of(cluster.labels),
            cluster.members,
            cluster.members / total,
            cluster.last_at,
            examples.get(cluster.pk, ""),
            "" if cluster.pk in examples else silent,
        )
        for cluster in clusters
    ]


def _examples(fit: PatternFit) -> dict[int, str]:
    """The most typical turn of each pattern whose sound is kept."""
    typical = PatternMembership.objects.filter(cluster__fit=fit, typical__isnull=False)
    kept = Audio.objects.filter(utterance__pattern__in=typical, deleted_at__isnull=True)
    playable = typical.filter(utterance__in=kept.values("utterance")).order_by("-typical")
    return dict(playable.values_list("cluster_id", "utterance__public_id"))


def _points(fit: PatternFit, clusters: list[MoodCluster]) -> tuple[list[Point], float]:
    """The newest turns on the map, and the share of all differences that it shows, 0..1."""
    newest = heard_utterances(fit.client, fit.recognizer).order_by("-occurred_at", "-pk")
    ids = list(newest.values_list("pk", flat=True)[:MOST_DRAWN])
    said = heard(fit.client, fit.recognizer, Utterance.objects.filter(pk__in=ids))
    drawn = map_of(fit, said)
    letters = {cluster.pk: cluster.letter for cluster in clusters}
    columns = ("occurred_at", "session__public_id", "pattern__cluster_id", "pattern__novel")
    told = {row[0]: row[1:] for row in Utterance.objects.filter(pk__in=ids).values_list("pk", *columns)}
    rows = zip(said.ids.tolist(), drawn.positions.tolist(), strict=True)
    points = [_point(x, y, *told[pk], letters) for pk, (x, y) in rows if pk in told]
    return points, float(sum(drawn.explained))


def _point(
    x: float, y: float, at: datetime, session: str, cluster: int | None, novel: bool | None, letters: dict
) -> Point:
    letter = None if novel else letters.get(cluster)
    hover = f"{written(timezone.localtime(at), 'j M Y, H:i')}<br>{letter or _('like none of them')}"
    return Point(x, y, letter, hover, session)


def _foot(fit: PatternFit, patterns: int, explained: float) -> str:
    said = _("%(n)d patterns among %(turns)d turns; drawn again they agree to %(agreement)s of 1.") % {
        "n": patterns,
        "turns": fit.n,
        "agreement": f"{fit.agreement:.2f}",
    }
    if not explained:
        return said
    plane = _("The map shows the newest turns and %(share)s of all differences: near is not always alike.")
    return f"{said} {plane % {'share': words.percent(explained)}}"
