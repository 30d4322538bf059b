"""How large a step is a leap, measured on the people of a recognizer; a guess until there are enough."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np

from analysis.dynamics import pair_differences
from analysis.movement import ACUTE_STEP, MIN_POPULATION_STEPS, acute_step
from emotrack.history.models import Client, Recognizer
from emotrack.mood.directions import clients_heard_last
from emotrack.mood.models import LeapLines, MoodPoint

FEWEST_PEOPLE = 8
"""Below it the line would be that of a few; a choice."""

MOST_OF_ONE = 500
"""Newest points of each person, so that nobody's weigh most."""

FRESH_FOR = timedelta(days=30)
DIMENSIONS = ("valence", "arousal", "dominance")


def leap_lines(recognizer: Recognizer) -> LeapLines | None:
    """The lines that were measured, or ``None`` where a leap is .3 by a guess."""
    return LeapLines.objects.filter(recognizer=recognizer).first()


def leap_steps(lines: LeapLines | None) -> tuple[float, float, float]:
    """The least leap of valence, arousal and dominance, for ``analysis.profile``."""
    if lines is None:
        return ACUTE_STEP, ACUTE_STEP, ACUTE_STEP
    return lines.valence, lines.arousal, lines.dominance


def refresh_leap_lines(recognizer: Recognizer, *, now: datetime) -> LeapLines | None:
    """Measure the lines when there are none or they are a month old, and enough people to measure on.

    On each of at most 200 clients, those heard last: their 500 newest points, steps within a session only.
    """
    kept = leap_lines(recognizer)
    if kept is not None and now - kept.fitted_at < FRESH_FOR:
        return kept
    clients = clients_heard_last(recognizer)
    if len(clients) < FEWEST_PEOPLE:
        return kept
    found = [steps for client in clients if len(steps := _steps_of(client, recognizer))]
    if len(found) < FEWEST_PEOPLE or sum(len(steps) for steps in found) < MIN_POPULATION_STEPS:
        return kept
    steps = np.concatenate(found)
    values = {name: acute_step(steps[:, column]) for column, name in enumerate(DIMENSIONS)}
    values |= {"fitted_at": now, "people": len(found), "steps": len(steps)}
    return LeapLines.objects.update_or_create(recognizer=recognizer, defaults=values)[0]


def _steps_of(client: Client, recognizer: Recognizer) -> np.ndarray:
    """(k, 3) steps of the three dimensions from reading to reading; a gap breaks the pair."""
    points = MoodPoint.objects.filter(client=client, recognizer=recognizer)
    newest = points.order_by("-occurred_at", "-utterance_id").values_list("session_id", *DIMENSIONS)
    rows = np.array(list(newest[:MOST_OF_ONE])[::-1], dtype=np.float64).reshape(-1, 1 + len(DIMENSIONS))
    # Rows come by time, and two sessions may overlap: each is a run of its own.
    rows = rows[np.argsort(rows[:, 0], kind="stable")]
    return np.stack([pair_differences(rows[:, i], rows[:, 0]) for i in range(1, 4)], axis=1)
