"""People, apps and things said, made the way the product makes them.

Alice is the counselor, Ann her client, Bob a colleague, Charlie the stranger.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import numpy as np

from analysis.affect import decide_reading
from analysis.values import LABELS
from emotrack.accounts import actions as accounts
from emotrack.accounts.models import ApiKey, App, Role, Scope, User
from emotrack.audit.models import Actor
from emotrack.history import actions as history
from emotrack.history import cohorts
from emotrack.history.models import (
    Client,
    ClientLink,
    Cohort,
    Embedding,
    Recognizer,
    Session,
    Utterance,
)
from emotrack.mood import actions as mood
from emotrack.privacy.models import Consent, Purpose

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
TESTS = Actor.system("tests")
PASSWORD = "correct horse battery staple"

_number = itertools.count(1)


def counselor(name: str = "alice") -> User:
    return accounts.create_user(username=name, password=PASSWORD, roles=[Role.COUNSELOR], by=TESTS, now=NOW)


def admin(name: str = "dora") -> User:
    return accounts.create_user(username=name, password=PASSWORD, roles=[Role.ADMIN], by=TESTS, now=NOW)


def app(name: str = "Helpline", counselors: tuple[User, ...] = (), consents: bool = True) -> App:
    purposes = [Purpose.VOICE_EMOTION, Purpose.TEXT, Purpose.ALERTS] if consents else []
    return accounts.create_app(
        name=name,
        by=TESTS,
        now=NOW,
        counselors=counselors,
        consent_purposes=purposes,
        consent_version="2026-01",
    )


def key(
    owner: App, scopes: tuple[Scope, ...] = (Scope.INGEST, Scope.READ), **more: object
) -> tuple[ApiKey, str]:
    return accounts.create_key(app=owner, scopes=scopes, by=TESTS, now=NOW, **more)


def client(
    name: str = "Ann",
    assigned_to: User | None = None,
    linked_to: App | None = None,
    consents: bool = True,
) -> Client:
    made = Client(created_at=NOW)
    made.name = name
    made.save()
    if assigned_to is not None:
        history.assign(client=made, counselor=assigned_to, by=TESTS, now=NOW)
    if linked_to is not None:
        ClientLink.objects.create(
            app=linked_to, client=made, external_id=f"{name.lower()}-{next(_number)}", created_at=NOW
        )
    for purpose in (Purpose.VOICE_EMOTION, Purpose.TEXT, Purpose.ALERTS) if consents else ():
        Consent.objects.create(client=made, purpose=purpose, version="1", given_at=NOW, recorded_at=NOW)
    return made


def cohort(name: str = "Evening group", *clients: Client) -> Cohort:
    made = cohorts.make_cohort(name=name, by=TESTS, now=NOW)
    for one in clients:
        cohorts.put_in_cohort(cohort=made, client=one, by=TESTS, now=NOW)
    return made


def session(of: Client, started_at: datetime = NOW, owner: App | None = None, **fields: object) -> Session:
    return Session.objects.create(
        client=of, app=owner, started_at=started_at, last_activity_at=started_at, **fields
    )


def recognizer(version: str = "1", dimension: int = 8) -> Recognizer:
    row, _new = Recognizer.objects.get_or_create(
        app=None,
        name="planted",
        version=version,
        defaults={"dimension": dimension, "typical_distance": 0.3, "decomposition": "exact"},
    )
    return row


def brought_in(utterances: Iterable[Utterance]) -> None:
    """Bring utterances into their series at once, to the numbers of ``mood.actions.refresh`` one by one."""
    places = {(one.session, one.recognizer) for one in utterances if one.recognizer_id is not None}
    for session, recognizer in sorted(places, key=lambda place: place[0].started_at):
        mood.replay_from_session(session, recognizer)


def scores(**shares: float) -> np.ndarray:
    """Nine shares: the named ones, the rest spread over the labels that were not named."""
    rest = (1 - sum(shares.values())) / (len(LABELS) - len(shares))
    return np.array([shares.get(label, rest) for label in LABELS], dtype=np.float32)


def utterance(
    of: Session,
    at: datetime | None = None,
    *,
    shares: np.ndarray | None = None,
    embedding: np.ndarray | None = None,
    by: Recognizer | None = None,
    seconds: float = 4.0,
    text: str | None = None,
    speaker: str = "client",
    **fields: object,
) -> Utterance:
    """An analyzed utterance, stored but not yet in any series: see ``brought_in``."""
    shares = scores(neutral=0.8) if shares is None and speaker == "client" else shares
    made = Utterance(
        session=of,
        client=of.client,
        speaker=speaker,
        occurred_at=at or of.started_at + timedelta(seconds=10 * next(_number)),
        duration_ms=round(1000 * seconds),
        received_at=NOW,
        status="analyzed",
        analyzed_at=NOW,
        recognizer=(by or recognizer()) if shares is not None else None,
        scores=shares,
        reading=decide_reading(shares) if shares is not None else "",
        source="audio" if shares is not None else "",
    )
    for name, value in fields.items():
        setattr(made, name, value)
    made.text = text
    made.save()
    if embedding is not None:
        Embedding(utterance=made, vector=embedding.astype("<f2")).save(force_insert=True)
    return made
