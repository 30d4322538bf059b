"""Look, in the background, for ways of sounding that recur among the people of a cohort."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime, timedelta

import numpy as np
from django.db.models import F, Q

from analysis.clusters import Patterns, find_population_patterns
from emotrack.history.models import Client, Cohort, Recognizer
from emotrack.mood.cohorts import most_heard
from emotrack.mood.directions import MOST_OF_ONE, MOST_PEOPLE
from emotrack.mood.embeddings import Heard, heard, heard_utterances
from emotrack.mood.models import CohortPatterns

FEWEST_PEOPLE = 8
"""Below it figures over all would speak of single people; a choice."""

TOO_FEW_PEOPLE = "too_few_people"
LOOKED_AT_ONCE = 5
FRESH_FOR = timedelta(days=1)


def look_again(*, now: datetime, limit: int = LOOKED_AT_ONCE) -> int:
    """Look where that was never done or is a day ago, the longest first; how many cohorts were looked at.

    A cohort that cannot be looked at does not keep the others from it; all errors are raised at the end.
    """
    old = Q(patterns__isnull=True) | Q(patterns__fitted_at__lte=now - FRESH_FOR)
    due = Cohort.objects.filter(old).order_by(F("patterns__fitted_at").asc(nulls_first=True), "pk")[:limit]
    errors = []
    for cohort in due:
        try:
            find_cohort_patterns(cohort, now=now)
        except Exception as error:
            error.add_note(f"cohort {cohort.public_id}")
            errors.append(error)
    if errors:
        raise ExceptionGroup("patterns of cohorts could not be found", errors)
    return len(due)


def find_cohort_patterns(cohort: Cohort, *, now: datetime) -> CohortPatterns | None:
    """In the series that read most of the cohort; ``None`` where nobody was read yet.

    Of at most 200 people at most their 200 newest utterances each, of which there must be two.
    """
    clients = list(cohort.clients.filter(erased_at__isnull=True).order_by("pk")[:MOST_PEOPLE])
    recognizer = most_heard(clients)
    if recognizer is None:
        return None
    said = [one for client in clients if len((one := _newest(client, recognizer)).ids) > 1]
    values = {"recognizer": recognizer, "fitted_at": now, "people": len(said)}
    values["n"] = sum(len(one.ids) for one in said)
    if len(said) < FEWEST_PEOPLE:
        values |= {"reason": TOO_FEW_PEOPLE, "clusters": []}
        values |= {"silhouette": None, "chance": None, "agreement": None}
    else:
        values |= _found(said)
    return CohortPatterns.objects.update_or_create(cohort=cohort, defaults=values)[0]


def _newest(client: Client, recognizer: Recognizer) -> Heard:
    newest = heard_utterances(client, recognizer).order_by("-occurred_at", "-pk")
    ids = list(newest.values_list("pk", flat=True)[:MOST_OF_ONE])
    return heard(client, recognizer, heard_utterances(client, recognizer).filter(pk__in=ids))


def _found(said: list[Heard]) -> dict[str, object]:
    people = np.repeat(np.arange(len(said)), [len(one.ids) for one in said])
    embeddings, scores = (
        np.concatenate([getattr(one, name) for one in said]) for name in ("embeddings", "scores")
    )
    found = find_population_patterns(embeddings, people, scores)
    figures = {name: getattr(found, name) for name in ("silhouette", "chance", "agreement")}
    return figures | {"reason": found.reason or "", "clusters": _clusters(found, people)}


def _clusters(found: Patterns, people: np.ndarray) -> list[dict[str, object]]:
    return [
        {
            "labels": [asdict(lift) for lift in pattern.lifts],
            "members": pattern.members,
            "share": pattern.share,
            "people": len(np.unique(people[found.labels == place])),
        }
        for place, pattern in enumerate(found.patterns)
    ]
