"""Alice counsels Ann; Bob is a colleague, Dora admin, Charlie has an account and no role."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import pytest
from django.test import Client as Browser
from django.utils import timezone

from emotrack.accounts import actions as accounts
from emotrack.accounts.models import User
from emotrack.history.models import Client, Session, Utterance
from tests.emotrack import factories
from tests.emotrack.alerts import planted


@dataclass(frozen=True)
class House:
    alice: User
    bob: User
    dora: User
    charlie: User
    ann: Client
    session: Session
    turns: list[Utterance]


def say(session: Session, count: int, *, start: datetime | None = None, **fields: object) -> list[Utterance]:
    """Turns ten seconds apart, brought into the mood."""
    made = []
    for i in range(count):
        at = (start or session.started_at) + timedelta(seconds=10 * i)
        embedding = np.random.default_rng(i).normal(size=8)
        made.append(factories.utterance(session, at, embedding=embedding, **fields))
    factories.brought_in(made)
    return made


@pytest.fixture
def house(db) -> House:
    alice, bob, dora = factories.counselor("alice"), factories.counselor("bob"), factories.admin("dora")
    charlie = accounts.create_user(
        username="charlie", password=factories.PASSWORD, roles=[], by=factories.TESTS, now=factories.NOW
    )
    ann = factories.client("Ann Secretname", assigned_to=alice)
    session = factories.session(ann, timezone.now() - timedelta(minutes=10))
    turns = say(session, 6, text="They moved the meeting.")
    planted.rules(now=factories.NOW)
    return House(alice, bob, dora, charlie, ann, session, turns)


def signed_in(user: User) -> Browser:
    browser = Browser()
    browser.force_login(user)
    return browser


@pytest.fixture
def alice(house) -> Browser:
    return signed_in(house.alice)


@pytest.fixture
def bob(house) -> Browser:
    return signed_in(house.bob)


@pytest.fixture
def dora(house) -> Browser:
    """An admin and nothing else."""
    return signed_in(house.dora)


@pytest.fixture
def charlie(house) -> Browser:
    return signed_in(house.charlie)
