"""Plants in an installation what pages must bear: odd names, and empty, waiting and crowded sessions."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import numpy as np
from django.utils import timezone

from emotrack.accounts import actions as accounts
from emotrack.accounts.models import App, User
from emotrack.alerts.delivery.transports.webhook import new_secret
from emotrack.alerts.lifecycle import evaluation
from emotrack.alerts.models import Alert, Attempt, Notification, NotificationChannel, Rule
from emotrack.history import actions as history
from emotrack.history.actions import mark_ended
from emotrack.history.models import Client, EndReason, Session
from emotrack.mood import actions as mood
from emotrack.mood.patterns import find_anew
from tests.emotrack import factories
from tests.emotrack.alerts.planted import trouble, trouble_over

LONG_NAME = "Wilhelmina-Konstantinopolitanischer Donaudampfschifffahrtsgesellschaftskapitänsgattin 👩🏽‍🚀"
RIGHT_TO_LEFT = "מרים בת־אברהם אבן־גבירול"
SOUND = Path(__file__).resolve().parents[2] / "emotrack" / "sample" / "audio" / "02-client.opus"
LONG_WORD = "Supercalifragilisticexpialidocious" * 3
CORNERS = (
    {"sad": 0.8},
    {"happy": 0.8},
    {"angry": 0.8},
    {"surprised": 0.7},
)


def plant() -> dict[str, str]:
    """What was planted, by name: public ids."""
    counselor = User.objects.order_by("id")[0]
    crowded = factories.client(LONG_NAME, assigned_to=counselor)
    long = _year(crowded)
    odd = factories.client(RIGHT_TO_LEFT, assigned_to=counselor)
    new = factories.client("Newcomer", assigned_to=counselor)
    return {
        "crowded": crowded.public_id,
        "long_session": long.public_id,
        "alert": _alert(long).public_id,
        "rule": Rule.objects.order_by("id")[0].public_id,
        "odd": odd.public_id,
        "waiting_session": _waiting(odd).public_id,
        "user": counselor.username,
        "channel": _channel(long).public_id,
        "cohort": factories.cohort(LONG_NAME, crowded, odd).public_id,
        "app": _app(counselor).public_id,
        "new": new.public_id,
        "empty_session": factories.session(new, timezone.now() - timedelta(minutes=1)).public_id,
    }


def _channel(session: Session) -> NotificationChannel:
    """A webhook with a long name that took one notice, gave one up and waits for one; and a trouble."""
    now = timezone.now()
    trouble("drift", now=now, clients=2)
    trouble_over("drift", now=now + timedelta(minutes=1))
    lonely = accounts.create_app(name="Nobody's app", by=factories.TESTS, now=now)
    channel = NotificationChannel(
        name=LONG_WORD, url="https://oncall.example/hook", app=lonely, created_at=now
    )
    channel.secret = new_secret()
    channel.save()
    NotificationChannel(name="Second", url="https://second.example/", created_at=now, disabled_at=now,
                        sealed_secret=b"").save()  # fmt: skip
    alert = _alert(session)
    for kind, outcome in (("fired", "sent_at"), ("escalated", "dead_at"), ("resolved", None)):
        notice = Notification.objects.create(
            alert=alert, channel=channel, kind=kind, created_at=now, queued_at=now,
            due_at=now + timedelta(days=300), **({outcome: now} if outcome else {}),
        )  # fmt: skip
        for number in range(3):
            error = "" if outcome == "sent_at" and number == 2 else "The receiver answered 503."
            Attempt.objects.create(
                notification=notice, at=now + timedelta(minutes=number), took_ms=1234,
                status=503 if error else 200, error=error,
            )  # fmt: skip
    return channel


def _app(counselor: User) -> App:
    """An app with a key in each state."""
    made = factories.app(LONG_NAME, (counselor,))
    for last in ("active", "old", "revoked"):
        key, _token = factories.key(made, expires_at=timezone.now() + timedelta(days=30))
        if last == "old":
            accounts.rotate_key(key, by=factories.TESTS, now=timezone.now())
        if last == "revoked":
            accounts.revoke_key(key, by=factories.TESTS, now=timezone.now())
    return made


def _year(client: Client, sessions: int = 10) -> Session:
    """Calm weeks, and a last session of 120 turns that jumps for a while; that one."""
    rng = np.random.default_rng(4)
    for week in range(sessions, 0, -1):
        starts = timezone.now() - timedelta(weeks=week - 1, hours=2)
        session = factories.session(client, starts)
        count = 120 if week == 1 else 20
        for k in range(count):
            _turn(session, k, rng, restless=week == 1 and 40 <= k < 60)
        mark_ended(session, reason=EndReason.EXPLICIT, ended_at=starts + timedelta(seconds=20 * count))
    mood.rebuild(client)
    evaluation.evaluate(session, factories.recognizer(), now=session.ended_at)
    return session


def _turn(session: Session, k: int, rng: np.random.Generator, *, restless: bool) -> None:
    shares = CORNERS[k % len(CORNERS)] if restless else {"neutral": 0.6 + 0.2 * rng.random()}
    reading = {"reading": "low_quality", "quality": {"reason": "too_quiet"}} if k % 23 == 22 else {}
    speaker = {"speaker": "counselor", "seconds": 3.0} if k % 9 == 8 else {}
    voice = 5.0 * np.eye(8)[k % 8 if restless else 0]
    factories.utterance(
        session,
        session.started_at + timedelta(seconds=20 * k),
        shares=None if speaker else factories.scores(**shares),
        embedding=None if speaker else voice + rng.normal(size=8),
        text="Supercalifragilisticexpialidocious" * 3
        if k == 3
        else f"This is turn {k}, said in plain words.",
        **speaker,
        **reading,
    )


def _alert(session: Session) -> Alert:
    return Alert.objects.filter(session=session).order_by("id")[0]


def _waiting(client: Client) -> Session:
    """A session that goes on, with turns that nobody has read for a minute."""
    session = factories.session(client, timezone.now() - timedelta(minutes=5))
    for text in ("שלום, מה שלומך היום?", "🙂 עייפה קצת"):
        factories.utterance(
            session, status="queued", analyzed_at=None, scores=None, recognizer=None, reading="", text=text
        )
    return session


def plant_two_ways() -> str:
    """A client who speaks in two ways, told apart in 60 turns whose sound is kept: their public id."""
    client = factories.client("Two Ways", assigned_to=User.objects.order_by("id")[0])
    reader = factories.recognizer(version="two-ways", dimension=24)
    session = factories.session(client, timezone.now() - timedelta(hours=1))
    noise, sound = np.random.default_rng(7), SOUND.read_bytes()
    styles = np.random.default_rng(5).normal(size=(2, 24)) * 2
    turns = []
    for i in range(60):
        sad = i % 3 == 0
        turn = factories.utterance(
            session,
            session.started_at + timedelta(seconds=10 * i),
            shares=factories.scores(**{"sad" if sad else "neutral": 0.8}),
            embedding=styles[int(sad)] + noise.normal(scale=0.3, size=24),
            by=reader,
        )
        history.keep_audio(turn, sound, media_type="audio/ogg", peaks=b"", days=-1, now=timezone.now())
        turns.append(turn)
    factories.brought_in(turns)
    find_anew(client, reader, now=timezone.now())
    return client.public_id
