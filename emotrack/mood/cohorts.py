"""How the people of a cohort are: each person counts once, and only those who say enough count at all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Avg, Count, F, Sum

from analysis.dynamics import MIN_VALUES, Dynamics, Figure, describe, figure, mean
from emotrack.history.models import Client, Recognizer
from emotrack.mood.models import SessionMood
from emotrack.mood.movement import Span
from emotrack.mood.queries import ENOUGH_COVERAGE, caseload

STANDINGS = ("lower", "usual", "higher", "little")


@dataclass(frozen=True, slots=True)
class CohortMood:
    """sessions, utterances, valid: over everybody. heard: people with a session in this series and time.

    people: of the means of the headline dimension, one a person, of those with 3 readings and a coverage
    of at least .6. spread: the mean over these people of their spread within a session.
    """

    heard: int
    sessions: int
    utterances: int
    valid: int
    people: Dynamics
    spread: Figure

    @property
    def coverage(self) -> float | None:
        return self.valid / self.utterances if self.utterances else None


def most_heard(clients: Sequence[Client]) -> Recognizer | None:
    """The recognizer that read most of these clients; of equals the newest."""
    found = SessionMood.objects.filter(client__in=clients).values("recognizer")
    first = found.annotate(people=Count("client", distinct=True)).order_by("-people", "-recognizer").first()
    return None if first is None else Recognizer.objects.get(pk=first["recognizer"])


def cohort_mood(clients: Sequence[Client], recognizer: Recognizer, span: Span) -> CohortMood:
    """One query, however many clients."""
    dimension = recognizer.headline
    rows = SessionMood.objects.filter(client__in=clients, recognizer=recognizer)
    people = list(
        span.of(rows, "started_at")
        .values("client")
        .annotate(
            sessions=Count("pk"),
            said=Sum("utterances"),
            read=Sum("valid"),
            total=Sum(F(f"mean_{dimension}") * F("valid")),
            sd=Avg(f"sd_{dimension}"),
        )
    )
    enough = [p for p in people if p["read"] >= MIN_VALUES and p["read"] >= ENOUGH_COVERAGE * p["said"]]
    spreads = [p["sd"] for p in enough if p["sd"] is not None]
    return CohortMood(
        len(people),
        *(sum(p[name] for p in people) for name in ("sessions", "said", "read")),
        people=describe([p["total"] / p["read"] for p in enough]),
        spread=figure(mean(spreads), len(spreads), MIN_VALUES, "too_few_values"),
    )


def standings(clients: Sequence[Client], *, now: datetime) -> dict[str, int]:
    """How many of these people stand lower than, at or higher than their own usual, or cannot be placed."""
    found = Counter(_where(row.standing.kind, row.standing.side) for row in caseload(clients, now=now))
    return {name: found[name] for name in STANDINGS}


def _where(kind: str, side: int) -> str:
    if kind == "little":
        return "little"
    return {-1: "lower", 0: "usual", 1: "higher"}[side]
