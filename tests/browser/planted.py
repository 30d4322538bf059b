"""Plants in an installation what pages must bear: odd names, and empty, waiting and crowded sessions."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
from django.utils import timezone

from emotrack.accounts.models import User
from emotrack.alerts import evaluation
from emotrack.alerts.models import Alert, Rule
from emotrack.history.actions import mark_ended
from emotrack.history.models import Client, EndReason, Session
from emotrack.mood import actions as mood
from tests.emotrack import factories

LONG_NAME = "Wilhelmina-Konstantinopolitanischer Donaudampfschifffahrtsgesellschaftskapitänsgattin 👩🏽‍🚀"
RIGHT_TO_LEFT = "מרים בת־אברהם אבן־גבירול"
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
        "new": new.public_id,
        "empty_session": factories.session(new, timezone.now() - timedelta(minutes=1)).public_id,
    }


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
