"""Keep each client's recurring expressions up to date: assign what is new, and look again when it is time."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from string import ascii_uppercase

import numpy as np
from django.db import transaction
from django.db.models import Count, Q, QuerySet, Sum

from analysis.clusters import (
    FEWEST_UTTERANCES,
    GROWTH,
    Assigner,
    Pattern,
    Patterns,
    find_patterns,
    match_patterns,
    refit_due,
)
from analysis.projection import Basis, Map, plane
from emotrack.history.locks import hold
from emotrack.history.models import Client, Recognizer
from emotrack.mood.directions import population_basis, refresh_directions
from emotrack.mood.embeddings import Heard, heard, heard_utterances
from emotrack.mood.leaps import refresh_leap_lines
from emotrack.mood.models import MoodCluster, PatternFit, PatternMembership, SessionMood

LOOKED_AT_ONCE = 20


def look_again(*, now: datetime, limit: int = LOOKED_AT_ONCE) -> int:
    """Refresh the patterns of series that changed since the last look; how many were looked at.

    A series that cannot be looked at does not keep the others from it; all errors are raised at the end.
    """
    errors, due = [], _changed_series()[:limit]
    clients = Client.objects.in_bulk({client for client, _recognizer, _valid in due})
    recognizers = Recognizer.objects.in_bulk({recognizer for _client, recognizer, _valid in due})
    for recognizer in recognizers.values():
        refresh_directions(recognizer, now=now)
        refresh_leap_lines(recognizer, now=now)
    for client, recognizer, valid in due:
        try:
            fit = refresh_patterns(clients[client], recognizers[recognizer], now=now)
            PatternFit.objects.filter(pk=fit.pk).update(looked_at_valid=valid)
        except Exception as error:
            error.add_note(f"series of client {clients[client].code}, {recognizers[recognizer]}")
            errors.append(error)
    if errors:
        raise ExceptionGroup("patterns could not be found", errors)
    return len(due)


def _changed_series() -> list[tuple[int, int, int]]:
    """(client, recognizer, valid utterances) where that number is not the one of the last look."""
    looked = {
        (client, recognizer): valid
        for client, recognizer, valid in PatternFit.objects.values_list(
            "client", "recognizer", "looked_at_valid"
        )
    }
    series = SessionMood.objects.filter(client__erased_at__isnull=True)
    found = series.values_list("client", "recognizer").annotate(said=Sum("valid")).order_by()
    return sorted((c, r, said) for c, r, said in found if looked.get((c, r)) != said)


def refresh_patterns(client: Client, recognizer: Recognizer, *, now: datetime) -> PatternFit:
    """Assign what was said since the last fit, and fit anew when a tenth is novel or a fifth has changed."""
    fit = fit_of(client, recognizer)
    if fit is None:
        return find_anew(client, recognizer, now=now)
    if not fit.reason:
        _assign_new(fit)
    return find_anew(client, recognizer, now=now) if _due(fit) else fit


def fit_of(client: Client, recognizer: Recognizer) -> PatternFit | None:
    fit = PatternFit.objects.filter(client=client, recognizer=recognizer).first()
    if fit is not None:
        fit.client, fit.recognizer = client, recognizer
    return fit


def find_anew(client: Client, recognizer: Recognizer, *, now: datetime) -> PatternFit:
    """Look for patterns in the whole series. Takes seconds, so that no lock is held until they are stored."""
    said = heard(client, recognizer)
    found = find_patterns(said.embeddings, said.scores, basis=population_basis(recognizer))
    return _store(client, recognizer, said, found, now)


def map_of(fit: PatternFit, said: Heard) -> Map | None:
    """The utterances on the plane of the fit, or ``None`` where it found no patterns."""
    basis = _basis(fit)
    return None if basis is None else plane(basis, said.embeddings)


# --- Assigning --------------------------------------------------------------------------------------------


def _members(fit: PatternFit) -> QuerySet[PatternMembership]:
    return PatternMembership.objects.filter(cluster__fit=fit)


def _due(fit: PatternFit) -> bool:
    total = heard_utterances(fit.client, fit.recognizer).count()
    if fit.reason:
        enough_now = fit.n < FEWEST_UTTERANCES <= total
        return enough_now or refit_due(fitted=fit.n, assigned=abs(total - fit.n), novel=0)
    since = Q(distance__isnull=False)
    count = _members(fit).aggregate(
        own=Count("pk", filter=~since),
        assigned=Count("pk", filter=since),
        novel=Count("pk", filter=Q(novel=True)),
    )
    gone = fit.n - count["own"]
    return gone >= GROWTH * fit.n or refit_due(fitted=fit.n, assigned=count["assigned"], novel=count["novel"])


def _assign_new(fit: PatternFit) -> None:
    """Give every utterance since the fit its pattern; those that gave a reading no more lose theirs."""
    spoken = heard_utterances(fit.client, fit.recognizer)
    _members(fit).exclude(utterance__in=spoken.order_by()).delete()
    fresh = heard(fit.client, fit.recognizer, spoken.filter(pattern__isnull=True))
    if not len(fresh.ids):
        return
    clusters = _standing(fit)
    assigner = _assigner(fit, clusters)
    found = [(int(pk), assigner.assign(row)) for pk, row in zip(fresh.ids, fresh.embeddings, strict=True)]
    _keep(
        fit,
        [
            PatternMembership(
                utterance_id=pk, cluster=clusters[a.pattern], distance=a.distance, novel=a.novel
            )
            for pk, a in found
        ],
    )


@transaction.atomic
def _keep(fit: PatternFit, memberships: list[PatternMembership]) -> None:
    """Store those whose utterance still stands; while we computed, some may have been deleted."""
    hold(fit.client_id)
    standing = set(heard_utterances(fit.client, fit.recognizer).values_list("pk", flat=True))
    PatternMembership.objects.bulk_create(
        [m for m in memberships if m.utterance_id in standing], batch_size=500, ignore_conflicts=True
    )


def _standing(fit: PatternFit) -> list[MoodCluster]:
    clusters = list(fit.clusters.filter(retired_at__isnull=True).order_by("place"))
    for cluster in clusters:
        cluster.fit = fit
    return clusters


def _basis(fit: PatternFit) -> Basis | None:
    if fit.mean is None:
        return None
    return Basis(fit.mean, fit.axes.reshape(-1, len(fit.mean)), np.array(fit.explained))


def _assigner(fit: PatternFit, clusters: list[MoodCluster]) -> Assigner:
    return Assigner(_basis(fit), np.stack([cluster.center for cluster in clusters]), fit.radius)


# --- Storing a fit ----------------------------------------------------------------------------------------


@transaction.atomic
def _store(client: Client, recognizer: Recognizer, said: Heard, found: Patterns, now: datetime) -> PatternFit:
    hold(client.pk)
    fit = fit_of(client, recognizer) or PatternFit(client=client, recognizer=recognizer)
    fit.fitted_at, fit.n, fit.reason = now, found.n, found.reason or ""
    fit.silhouette, fit.chance, fit.agreement = found.silhouette, found.chance, found.agreement
    fit.radius = found.radius
    fit.mean = found.basis.mean if found.basis else None
    fit.axes = found.basis.axes.ravel() if found.basis else None
    fit.explained = found.basis.explained.tolist() if found.basis else []
    fit.save()
    known = list(fit.clusters.order_by("pk"))
    shared = _shared(fit, known, said, found)
    _members(fit).delete()
    clusters = _store_clusters(fit, known, shared, found.patterns, now)
    _keep(fit, _own_members(said, found, clusters))
    return fit


def _shared(fit: PatternFit, known: list[MoodCluster], said: Heard, found: Patterns) -> np.ndarray:
    """(found, known) share of a known pattern's utterances, as far as looked at again, in a found one."""
    places = {cluster.pk: place for place, cluster in enumerate(known)}
    before = dict(_members(fit).values_list("utterance_id", "cluster_id"))
    counts = np.zeros((len(found.patterns), len(known)))
    for row, now in enumerate(found.labels):
        cluster = before.get(int(said.ids[row]))
        if cluster is not None:
            counts[now, places[cluster]] += 1
    return counts / np.maximum(counts.sum(axis=0), 1)


def _store_clusters(
    fit: PatternFit,
    known: list[MoodCluster],
    shared: np.ndarray,
    patterns: tuple[Pattern, ...],
    now: datetime,
) -> list[MoodCluster]:
    """A pattern that was known before, even long ago, keeps its row, and so its public id and its letter."""
    for cluster in known:
        cluster.fit = fit
    continued = match_patterns([c.center for c in known], [p.center for p in patterns], shared)
    clusters = [MoodCluster(fit=fit, found_at=now) if old is None else known[old] for old in continued]
    for cluster in clusters:
        cluster.retired_at = None
    for place, (pattern, cluster) in enumerate(zip(patterns, clusters, strict=True)):
        cluster.place = place
        cluster.letter = cluster.letter or _free_letter([*known, *clusters])
        cluster.labels = [asdict(lift) for lift in pattern.lifts]
        cluster.center = pattern.center
        cluster.save()
    lost = fit.clusters.filter(retired_at__isnull=True).exclude(pk__in=[c.pk for c in clusters])
    lost.update(retired_at=now)
    return clusters


def _free_letter(known: list[MoodCluster]) -> str:
    """One that no pattern ever had; when all were given, that of the pattern gone longest, which loses it."""
    given = {cluster.letter for cluster in known}
    for letter in ascii_uppercase:
        if letter not in given:
            return letter
    gone = [cluster for cluster in known if cluster.retired_at is not None and cluster.letter]
    longest = min(gone, key=lambda cluster: (cluster.retired_at, cluster.pk))
    letter, longest.letter = longest.letter, ""
    longest.save(update_fields=["letter"])
    return letter


def _own_members(said: Heard, found: Patterns, clusters: list[MoodCluster]) -> list[PatternMembership]:
    typical = {row: rank for pattern in found.patterns for rank, row in enumerate(pattern.typical)}
    return [
        PatternMembership(utterance_id=int(said.ids[row]), cluster=clusters[place], typical=typical.get(row))
        for row, place in enumerate(found.labels)
    ]
