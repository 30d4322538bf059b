"""A process that dies while it judges, and starts again: nothing is lost and nothing is told twice."""

from functools import partial

import pytest
from django.db import transaction

from emotrack.alerts import actions
from emotrack.alerts.lifecycle import keeping
from emotrack.alerts.models import Alert, Kind, Notification
from emotrack.alerts.rules import book
from tests.emotrack import factories
from tests.emotrack.alerts.lifecycle.test_session_rules import CALM, LOW, held, judge, only, told
from tests.emotrack.alerts.planted import NOW, channel, mood, point, rules
from tests.emotrack.alerts.planted import told as planted_told

pytestmark = pytest.mark.django_db
BACK = [0.1, 0.12]
TURNS = [0, 4, 5, 4, 0, 0, 0, 0, 0, 0, 0, 4, 4, 6]


class Killed(BaseException):
    """As abrupt as a kill: nobody catches it."""


@pytest.fixture(autouse=True)
def shipped():
    rules(now=factories.NOW.replace(year=2020))
    channel()


def dying_at(step, monkeypatch):
    """Let the process die at that step of the writing: before an alert is kept, or before it is told."""
    steps, count = [keeping.Keeper.keep, keeping.tell], [0]

    def broken(real):
        def call(*given, **named):
            count[0] += 1
            if count[0] == step:
                raise Killed
            return real(*given, **named)

        return call

    monkeypatch.setattr(keeping.Keeper, "keep", broken(steps[0]))
    monkeypatch.setattr(keeping, "tell", broken(steps[1]))


def restarted(act, step, monkeypatch):
    """Act in a transaction; where that dies, again in a process that remembers nothing. Whether it died."""
    with monkeypatch.context() as patch:
        dying_at(step, patch)
        try:
            with transaction.atomic():
                act()
        except Killed:
            died = True
        else:
            died = False
    if died:
        monkeypatch.setattr(book, "_kept", None)
        act()
    return died


def notices():
    rows = Notification.objects.order_by("alert__fired_at", "id")
    return list(rows.values_list("kind", "alert__fired_at"))


def sessions_of(client, recognizer, step, monkeypatch):
    """Live through a history of sessions, dying at that step of each judgment; how often."""
    died = 0
    for week, mean in enumerate(CALM + LOW + BACK + LOW):
        session = held(client, week, mean, recognizer)
        died += restarted(partial(judge, session, recognizer), step, monkeypatch)
    return died


@pytest.mark.parametrize("kind", [Kind.LOW_SESSION, Kind.RELIABLE_CHANGE])
def test_rules_on_sessions_end_in_the_same_alerts_and_notices(kind, monkeypatch):
    only(kind)
    recognizer = factories.recognizer()
    assert sessions_of(factories.client("Ann"), recognizer, 0, monkeypatch) == 0
    expected, expected_notices = told(), notices()
    assert expected and expected_notices
    for step in (1, 2):
        Alert.objects.all().delete()
        assert sessions_of(factories.client(f"Ben {step}"), recognizer, step, monkeypatch) > 0
        assert (told(), notices()) == (expected, expected_notices)


def turns_of(client, recognizer, step, monkeypatch):
    session = factories.session(client, NOW)
    mood(session, recognizer)
    died = 0
    for i, z in enumerate(TURNS):
        spoken = point(session, i, volatility_z=z)
        judged = partial(actions.evaluate, session, recognizer, now=spoken.occurred_at)
        died += restarted(judged, step, monkeypatch)
    return died


def test_rules_on_turns_do_too(monkeypatch):
    recognizer = factories.recognizer()
    assert turns_of(factories.client("Ann"), recognizer, 0, monkeypatch) == 0
    expected, expected_notices = planted_told(), notices()
    assert expected and expected_notices
    for step in (1, 2):
        Alert.objects.all().delete()
        assert turns_of(factories.client(f"Ben {step}"), recognizer, step, monkeypatch) > 0
        assert (planted_told(), notices()) == (expected, expected_notices)
