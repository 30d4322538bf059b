"""Cohorts: who is in them, and how these people are, as far as the caller may see them."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.db.models import Count, Q, QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from emotrack.accounts.models import Scope
from emotrack.api import bodies, movement_shapes, shapes
from emotrack.api.door import Door
from emotrack.api.paging import Order, page
from emotrack.api.timeline import chosen, series_answer
from emotrack.history.models import Client, Cohort, Recognizer
from emotrack.mood.cohorts import CohortMood, cohort_mood, most_heard, standings
from emotrack.mood.models import CohortPatterns
from emotrack.mood.movement import Span

Answer = dict[str, Any]


class _CohortDoor(Door):
    def clients_of(self, cohort: Cohort) -> QuerySet[Client]:
        """Those whom the caller may see, never one who was erased."""
        shown = Client.objects.visible_to(self.viewer).filter(erased_at__isnull=True)
        return Client.objects.filter(pk__in=shown.values("pk"), cohorts=cohort).order_by("pk")


class Cohorts(Door):
    scopes = {"GET": Scope.READ}
    people = frozenset({"GET"})

    @extend_schema(
        operation_id="list_cohorts",
        parameters=[bodies.Paging],
        responses=shapes.listed(movement_shapes.CohortAnswer),
    )
    def get(self, request: Request) -> Response:
        """The cohorts with a client whom you may see, oldest first; an admin sees all."""
        # Asked in a query of its own: counting beside the filter that lets the caller in would count twice.
        cohorts = Cohort.objects.filter(pk__in=Cohort.objects.visible_to(self.viewer).values("pk"))
        shown = Client.objects.visible_to(self.viewer).filter(erased_at__isnull=True).values("pk")
        counted = cohorts.annotate(shown=Count("memberships", filter=Q(memberships__client__in=shown)))
        rows = page(counted, Order("created_at"), self.query(bodies.Paging))
        return Response(rows.answer(lambda cohort: _cohort_answer(cohort) | {"clients": cohort.shown}))


class OneCohort(_CohortDoor):
    scopes = {"GET": Scope.READ}
    people = frozenset({"GET"})

    @extend_schema(
        operation_id="get_cohort",
        parameters=[bodies.CohortQuery],
        responses=movement_shapes.CohortMoodAnswer,
    )
    def get(self, request: Request, cohort: str) -> Response:
        """How the people of a cohort are, each counting once: of those whom you may see, and no names."""
        found = self.find(Cohort.objects, cohort)
        asked = self.query(bodies.CohortQuery)
        clients = list(self.clients_of(found))
        series = Recognizer.objects.filter(sessionmood__client__in=clients).distinct()
        recognizer = chosen(series, asked, most_heard(clients))
        span = Span(asked.get("after"), asked.get("before"))
        mood = None if recognizer is None else cohort_mood(clients, recognizer, span)
        return Response(
            _cohort_answer(found)
            | {
                "clients": len(clients),
                "series": series_answer(recognizer),
                "after": span.after,
                "before": span.before,
                "standings": standings(clients, now=self.now),
                "mood": None if mood is None else _mood_answer(mood),
            }
        )


class CohortClusters(_CohortDoor):
    scopes = {"GET": Scope.READ}
    people = frozenset({"GET"})

    @extend_schema(
        operation_id="get_cohort_clusters",
        responses=movement_shapes.CohortClustersAnswer,
    )
    def get(self, request: Request, cohort: str) -> Response:
        """Ways of sounding that recur among its people, each one's mean removed; if you may see them all."""
        found = self.find(Cohort.objects, cohort)
        self.query(bodies.Nothing)
        everybody = found.clients.filter(erased_at__isnull=True).count()
        fit = CohortPatterns.objects.select_related("recognizer").filter(cohort=found).first()
        if self.clients_of(found).count() < everybody:
            return Response({"cohort": found.public_id, "state": "not_all_visible", **NOTHING_TOLD})
        if fit is None:
            return Response({"cohort": found.public_id, "state": "not_looked_yet", **NOTHING_TOLD})
        return Response({"cohort": found.public_id, **_patterns_answer(fit)})


NOTHING_TOLD: Answer = {
    "series": None,
    "reason": None,
    "fitted_at": None,
    "people": None,
    "utterances": None,
    "figures": None,
    "clusters": [],
}


def _patterns_answer(fit: CohortPatterns) -> Answer:
    return {
        "state": "none" if fit.reason else "found",
        "series": series_answer(fit.recognizer),
        "reason": fit.reason or None,
        "fitted_at": fit.fitted_at,
        "people": fit.people,
        "utterances": fit.n,
        "figures": {
            "silhouette": fit.silhouette,
            "silhouette_by_chance": fit.chance,
            "agreement": fit.agreement,
        },
        "clusters": fit.clusters,
    }


def _cohort_answer(cohort: Cohort) -> Answer:
    return {
        "id": cohort.public_id,
        "name": cohort.name,
        "description": cohort.description,
        "created_at": cohort.created_at,
    }


def _mood_answer(mood: CohortMood) -> Answer:
    return {
        "heard": mood.heard,
        "sessions": mood.sessions,
        "utterances": mood.utterances,
        "valid": mood.valid,
        "coverage": mood.coverage,
        "mean": asdict(mood.people.mean),
        "median": asdict(mood.people.median),
        "sd": asdict(mood.people.sd),
        "spread_within_sessions": asdict(mood.spread),
    }
