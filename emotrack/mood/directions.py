"""The directions in which people differ from their own usual, learned over many of one recognizer."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
from django.db.models import Max

from analysis.clusters import without_person
from analysis.projection import Basis, fit_basis
from emotrack import crypto
from emotrack.history.models import Client, Recognizer
from emotrack.mood.embeddings import heard, heard_utterances
from emotrack.mood.models import PatternDirections, SessionMood

FEWEST_PEOPLE, FEWEST_UTTERANCES = 8, 1000
"""Below either, a person's own directions say more; choices."""

MOST_PEOPLE, MOST_OF_ONE = 200, 200
FRESH_FOR = timedelta(days=30)


def population_basis(recognizer: Recognizer) -> Basis | None:
    """The directions kept for this recognizer, about zero, or ``None`` while there are too few people."""
    kept = PatternDirections.objects.filter(recognizer=recognizer).first()
    if kept is None:
        return None
    plain = crypto.unseal(crypto.master_key(), bytes(kept.sealed_axes), _place(recognizer))
    axes = np.frombuffer(plain, dtype="<f4").reshape(len(kept.explained), -1)
    return Basis(np.zeros(axes.shape[1], dtype=np.float32), axes, np.array(kept.explained))


def refresh_directions(recognizer: Recognizer, *, now: datetime) -> PatternDirections | None:
    """Learn the directions when there are none or they are a month old, and enough people to learn from.

    From each of at most 200 clients, those heard last, at most their 200 newest utterances.
    """
    kept = PatternDirections.objects.filter(recognizer=recognizer).first()
    if kept is not None and now - kept.fitted_at < FRESH_FOR:
        return kept
    clients = clients_heard_last(recognizer)
    rows, people = _utterances_of(clients, recognizer) if len(clients) >= FEWEST_PEOPLE else ([], [])
    if len(people) < FEWEST_UTTERANCES:
        return kept
    basis = fit_basis(without_person(rows, people))
    if not len(basis.axes):
        return kept
    sealed = crypto.seal(
        crypto.master_key(), np.ascontiguousarray(basis.axes, dtype="<f4").tobytes(), _place(recognizer)
    )
    values = {
        "fitted_at": now,
        "people": len(np.unique(people)),
        "n": len(people),
        "explained": basis.explained.tolist(),
        "sealed_axes": sealed,
    }
    return PatternDirections.objects.update_or_create(recognizer=recognizer, defaults=values)[0]


def _place(recognizer: Recognizer) -> str:
    return f"mood.patterndirections:{recognizer.pk}"


def clients_heard_last(recognizer: Recognizer) -> list[Client]:
    """At most 200 of those whom the recognizer has read, never one who was erased."""
    moods = SessionMood.objects.filter(recognizer=recognizer, client__erased_at__isnull=True)
    newest = moods.values("client").annotate(last=Max("started_at")).order_by("-last", "client")
    ids = [row["client"] for row in newest[:MOST_PEOPLE]]
    return list(Client.objects.filter(pk__in=ids).order_by("pk"))


def _utterances_of(clients: list[Client], recognizer: Recognizer) -> tuple[np.ndarray, np.ndarray]:
    rows, people = [], []
    for client in clients:
        spoken = heard_utterances(client, recognizer).order_by("-occurred_at", "-pk")
        newest = list(spoken.values_list("pk", flat=True)[:MOST_OF_ONE])
        said = heard(client, recognizer, heard_utterances(client, recognizer).filter(pk__in=newest))
        if len(said.ids) > 1:  # a single utterance is its own mean: nothing is left of it
            rows.append(said.embeddings)
            people.append(np.full(len(said.ids), client.pk))
    if not rows:
        return np.empty((0, 1)), np.empty(0, dtype=np.int64)
    return np.concatenate(rows), np.concatenate(people)
