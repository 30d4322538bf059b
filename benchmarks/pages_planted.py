"""Plants a full practice in bulk, straight into the tables."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
from django.db import transaction
from django.utils import timezone

from analysis.affect import decide_reading, project
from analysis.values import LABELS
from emotrack.accounts.models import User
from emotrack.history.models import Assignment, Client, Recognizer, Session, Utterance
from emotrack.mood.models import MoodPoint, SessionMood

RNG = np.random.default_rng(500)
NAME = "planted-year"


@transaction.atomic
def plant(plan: dict[str, int]) -> dict[str, object]:
    """Public ids: of the client with the long year, their last session, and of all others. Once only."""
    recognizer, new = Recognizer.objects.get_or_create(
        app=None, name=NAME, version="1", defaults={"dimension": 8, "typical_distance": 0.3}
    )
    counselor, now = User.objects.order_by("id")[0], timezone.now()
    if new:
        _caseload(counselor, recognizer, now, plan)
        _long_year(counselor, recognizer, now, plan)
    long = Client.objects.filter(assignments__counselor=counselor).order_by("-id")[0]
    session = Session.objects.filter(client=long).latest("started_at")
    others = Client.objects.exclude(pk=long.pk).order_by("id")
    return {
        "client": long.public_id,
        "session": session.public_id,
        "all": list(others.values_list("public_id", flat=True)),
    }


def _client(name: str, counselor: User, now: datetime) -> Client:
    made = Client(created_at=now)
    made.name = name
    made.save()
    Assignment.objects.create(client=made, counselor=counselor, assigned_at=now)
    return made


def _caseload(counselor: User, recognizer: Recognizer, now: datetime, plan: dict[str, int]) -> None:
    for number in range(plan["clients"]):
        client = _client(f"Person {number:03}", counselor, now)
        starts = [now - timedelta(weeks=w, hours=number % 50) for w in range(plan["weeks"] - 1, -1, -1)]
        sessions = Session.objects.bulk_create(
            [
                Session(client=client, started_at=at, last_activity_at=at, ended_at=at + timedelta(hours=1))
                for at in starts
            ]
        )
        means = RNG.normal(0.0, 0.3) + RNG.normal(0.0, 0.1, len(sessions))
        SessionMood.objects.bulk_create(
            _mood(session, recognizer, mean, 30) for session, mean in zip(sessions, means, strict=True)
        )


def _mood(session: Session, recognizer: Recognizer, mean: float, turns: int) -> SessionMood:
    return SessionMood(
        client=session.client,
        session=session,
        recognizer=recognizer,
        started_at=session.started_at,
        utterances=turns,
        valid=round(turns * RNG.uniform(0.5, 1.0)),
        mean_valence=float(mean),
        sd_valence=0.2,
        mean_arousal=float(RNG.normal(0.1, 0.1)),
        sd_arousal=0.2,
        peak_volatility_z=float(abs(RNG.normal(1.0, 1.0))),
        mean_scores=RNG.dirichlet(np.ones(len(LABELS))).tolist(),
    )


def _long_year(counselor: User, recognizer: Recognizer, now: datetime, plan: dict[str, int]) -> None:
    client = _client("A long year", counselor, now)
    step = timedelta(days=360) / plan["sessions"]
    starts = [now - timedelta(hours=2) - step * k for k in range(plan["sessions"] - 1, -1, -1)]
    length = timedelta(seconds=25 * plan["turns"])
    sessions = Session.objects.bulk_create(
        [
            Session(client=client, started_at=at, last_activity_at=at + length, ended_at=at + length)
            for at in starts
        ]
    )
    for session in sessions:
        _turns(client, session, recognizer, plan["turns"])


def _turns(client: Client, session: Session, recognizer: Recognizer, count: int) -> None:
    shares = RNG.dirichlet([0.02 if x in ("other", "unknown") else 0.2 for x in LABELS], count)
    affect, shares = project(shares), shares.astype(np.float32)
    starts = [session.started_at + timedelta(seconds=25 * k) for k in range(count)]
    readings = [decide_reading(row) for row in shares]
    said = Utterance.objects.bulk_create(
        [
            Utterance(
                session=session, client=client, occurred_at=at, duration_ms=6000, received_at=at,
                status="analyzed", analyzed_at=at, recognizer=recognizer, scores=row, reading=reading,
                source="audio", text=f"This is turn {k}, said in plain words.",
            )
            for k, (at, row, reading) in enumerate(zip(starts, shares, readings, strict=True))
        ]
    )  # fmt: skip
    places = zip(affect.valence.tolist(), affect.arousal.tolist(), affect.dominance.tolist(), strict=True)
    points = []
    for turn, at, (valence, arousal, dominance) in zip(said, starts, places, strict=True):
        ok = turn.reading == "ok"
        points.append(
            MoodPoint(
                client=client, recognizer=recognizer, session=session, utterance=turn, occurred_at=at,
                ended_at=at + timedelta(seconds=6), reading=turn.reading,
                valence=valence if ok else None, arousal=arousal if ok else None,
                dominance=dominance if ok else None, level=valence if ok else None,
                level_arousal=arousal if ok else None, volatility=0.3, volatility_z=float(RNG.normal()),
            )
        )  # fmt: skip
    MoodPoint.objects.bulk_create(points)
    valid = [p.valence for p in points if p.valence is not None]
    mood = _mood(session, recognizer, float(np.mean(valid)), count)
    mood.valid = len(valid)
    mood.sd_valence = float(np.std(valid, ddof=1))
    mood.save()
