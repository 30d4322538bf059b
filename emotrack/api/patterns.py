"""Recurring ways in which a client sounds, and the utterances most like a given one."""

from __future__ import annotations

from typing import Any

import numpy as np
from django.db.models import Count, Max, Min, Q
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from emotrack.accounts.models import Scope
from emotrack.api import bodies, movement_shapes
from emotrack.api.answers import reading_answer
from emotrack.api.door import Door
from emotrack.api.dynamics import series_of
from emotrack.api.errors import Problem
from emotrack.api.timeline import series_answer
from emotrack.history.models import Client, Utterance
from emotrack.mood.embeddings import heard, heard_utterances
from emotrack.mood.likeness import Alike, alike
from emotrack.mood.models import MoodCluster, PatternFit, PatternMembership
from emotrack.mood.patterns import fit_of, map_of
from emotrack.mood.queries import calibrated_shares

Answer = dict[str, Any]


class ClientClusters(Door):
    scopes = {"GET": Scope.READ}
    people = frozenset({"GET"})

    @extend_schema(
        operation_id="get_client_clusters",
        parameters=[bodies.ClustersQuery],
        responses=movement_shapes.ClustersAnswer,
    )
    def get(self, request: Request, client: str) -> Response:
        """Recurring ways in which the client sounds, with typical utterances; or why there are none yet."""
        asked = self.query(bodies.ClustersQuery)
        find = self.find_content if "map" in asked["include"] else self.find
        found = find(Client.objects, client)
        recognizer = series_of(found, asked)
        fit = None if recognizer is None else fit_of(found, recognizer)
        answer = {
            "client": found.public_id,
            "series": series_answer(recognizer),
            **(_fit_answer(fit) if fit else NOT_LOOKED),
        }
        if "map" in asked["include"]:
            answer["map"] = _map_answer(fit, asked["max_points"])
        return Response(answer)


NOT_LOOKED: Answer = {
    "state": "not_looked_yet",
    "reason": None,
    "fitted_at": None,
    "utterances": None,
    "figures": None,
    "clusters": [],
}


def _fit_answer(fit: PatternFit) -> Answer:
    return {
        "state": "none" if fit.reason else "found",
        "reason": fit.reason or None,
        "fitted_at": fit.fitted_at,
        "utterances": fit.n,
        "figures": {
            "silhouette": fit.silhouette,
            "silhouette_by_chance": fit.chance,
            "agreement": fit.agreement,
        },
        "clusters": _cluster_answers(fit),
    }


def _cluster_answers(fit: PatternFit) -> list[Answer]:
    members = Count("memberships")
    clusters = fit.clusters.filter(retired_at__isnull=True).annotate(
        members=members,
        novel=Count("memberships", filter=Q(memberships__novel=True)),
        first_at=Min("memberships__utterance__occurred_at"),
        last_at=Max("memberships__utterance__occurred_at"),
    )
    shown = [cluster for cluster in clusters.order_by("place") if cluster.members]
    total = sum(cluster.members for cluster in shown)
    typical = _typical(fit)
    return [_cluster_answer(cluster, total, typical.get(cluster.pk, [])) for cluster in shown]


def _cluster_answer(cluster: MoodCluster, total: int, typical: list[str]) -> Answer:
    return {
        "id": cluster.public_id,
        "letter": cluster.letter,
        "labels": cluster.labels,
        "members": cluster.members,
        "share": cluster.members / total,
        "novel": cluster.novel,
        "typical": typical,
        "found_at": cluster.found_at,
        "first_at": cluster.first_at,
        "last_at": cluster.last_at,
    }


def _typical(fit: PatternFit) -> dict[int, list[str]]:
    rows = PatternMembership.objects.filter(cluster__fit=fit, typical__isnull=False).order_by("typical")
    found: dict[int, list[str]] = {}
    for cluster, utterance in rows.values_list("cluster_id", "utterance__public_id"):
        found.setdefault(cluster, []).append(utterance)
    return found


def _map_answer(fit: PatternFit | None, most: int) -> Answer | None:
    """The newest ``most`` utterances on the plane."""
    if fit is None or fit.reason:
        return None
    newest = heard_utterances(fit.client, fit.recognizer).order_by("-occurred_at", "-pk")
    ids = list(newest.values_list("pk", flat=True)[:most])
    said = heard(fit.client, fit.recognizer, Utterance.objects.filter(pk__in=ids))
    drawn = map_of(fit, said)
    rows = Utterance.objects.filter(pk__in=ids)
    named = {row[0]: row[1:] for row in rows.values_list("pk", "public_id", "pattern__cluster__public_id")}
    points = zip(said.ids.tolist(), drawn.positions.tolist(), strict=True)
    return {
        "explained": drawn.explained,
        "points": [
            {"utterance": named[pk][0], "cluster": named[pk][1], "x": x, "y": y}
            for pk, (x, y) in points
            if pk in named
        ],
    }


class ClientSimilar(Door):
    scopes = {"GET": Scope.READ}
    people = frozenset({"GET"})

    @extend_schema(
        operation_id="get_client_similar",
        parameters=[bodies.SimilarQuery],
        responses=movement_shapes.SimilarAnswer,
    )
    def get(self, request: Request, client: str) -> Response:
        """The utterances that sound most like one of the client's, by their embeddings."""
        found = self.find_content(Client.objects, client)
        asked = self.query(bodies.SimilarQuery)
        said = Utterance.objects.filter(client=found, embedding__isnull=False)
        utterance = self.find_content(Utterance.objects.filter(client=found), asked["to"])
        if not said.filter(pk=utterance.pk).exists() or utterance.recognizer is None:
            raise Problem("embedding-missing", status=404)
        items = alike(utterance, self._clients(found, asked["within"]), count=asked["count"])
        return Response(
            {
                "client": found.public_id,
                "to": utterance.public_id,
                "series": series_answer(utterance.recognizer),
                "within": asked["within"],
                "items": [_alike_answer(one) for one in items],
            }
        )

    def _clients(self, client: Client, within: str) -> list[Client]:
        if within == "client":
            return [client]
        return list(Client.objects.content_visible_to(self.viewer).filter(erased_at__isnull=True))


def _alike_answer(one: Alike) -> Answer:
    utterance = one.utterance
    shares: np.ndarray = calibrated_shares(utterance.scores, utterance.recognizer.temperature)
    told = reading_answer(utterance.reading, shares)
    return {
        "utterance": utterance.public_id,
        "session": utterance.session.public_id,
        "client": utterance.client.public_id,
        "occurred_at": utterance.occurred_at,
        "similarity": one.similarity,
        "emotion": told["emotion"],
        "confidence": told["confidence"],
    }
