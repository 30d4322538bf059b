"""The rule on tone against words counts compared turns, allows for chance, and follows a mended word."""

from __future__ import annotations

from datetime import timedelta

import pytest

from emotrack import pipeline
from emotrack.alerts import actions
from emotrack.alerts.models import Alert, Kind, Rule
from emotrack.alerts.tuning.backtest import backtest
from emotrack.alerts.tuning.chance import by_chance_per_week
from emotrack.history.models import Utterance
from emotrack.mood import actions as mood
from emotrack.pipeline import words as words_pipeline
from tests.emotrack import factories
from tests.emotrack.alerts.planted import BEFORE, NOW, point
from tests.emotrack.alerts.planted import mood as planted_mood

pytestmark = pytest.mark.django_db

LATER = NOW + timedelta(minutes=20)
HAPPY, SAD = "Thank you so much, I am really happy about that", "I am so sad and lonely without her"


@pytest.fixture
def rule():
    """The only rule that is on."""
    actions.ensure_default_rules(now=BEFORE)
    for other in Rule.objects.filter(enabled_at__isnull=False):
        actions.disable_rule(other, by=factories.TESTS, now=BEFORE)
    found = Rule.objects.get(kind=Kind.INCONGRUENCE)
    actions.enable_rule(found, by=factories.TESTS, now=BEFORE)
    return found


@pytest.fixture
def session():
    return factories.session(factories.client())


def judged(session, differing):
    """One turn every 20 s; ``None`` was not compared."""
    planted_mood(session, factories.recognizer())
    for i, one in enumerate(differing):
        spoken = point(session, i, level=0.0)
        Utterance.objects.filter(pk=spoken.pk).update(incongruent=one)
    return actions.evaluate(session, factories.recognizer(), now=LATER)


def test_it_ships_off(db):
    actions.ensure_default_rules(now=NOW)
    assert Rule.objects.get(kind=Kind.INCONGRUENCE).enabled_at is None


def test_many_differing_turns_fire_once_chance_is_allowed_for(rule, session):
    (alert,) = judged(session, [True] * 20).fired
    assert alert.rule == rule
    assert alert.fired_utterance == session.utterances.in_order()[13]  # 10 to begin with, then five in a row


@pytest.mark.parametrize(
    "differing",
    [[True, False] * 15, [True] * 9, [None] * 40, [True, None, None] * 9, [False] * 30],
    ids=["half", "too few", "none compared", "too few compared", "none differ"],
)
def test_less_than_that_does_not(rule, session, differing):
    assert not judged(session, differing).fired


def test_turns_that_were_not_compared_neither_count_nor_reset(rule, session):
    assert judged(session, [True, None] * 20).fired


def test_the_preview_finds_what_the_rule_found(rule, session):
    judged(session, [False] * 5 + [True] * 20)
    found = backtest(rule.current, rule.kind, since=BEFORE, until=LATER)
    (alert,) = Alert.objects.all()
    assert [(one.session, one.fired_at) for one in found.episodes] == [(session.pk, alert.fired_at)]


def test_what_chance_fires_is_not_claimed_for_want_of_words(rule):
    assert by_chance_per_week(rule.current, rule.kind, clients=10) is None


def test_mended_words_take_the_alert_back(rule):
    session = factories.session(factories.client())
    for i in range(16):
        row = factories.utterance(
            session, NOW + i * timedelta(seconds=20), shares=factories.scores(sad=0.9), text=HAPPY
        )
        words_pipeline.read_words(row)
        row.save()
        mood.refresh(row)
    actions.evaluate(session, row.recognizer, now=LATER)
    assert Alert.objects.standing().count() == 1
    for row in session.utterances.in_order():
        pipeline.amend_utterance(row, by=factories.TESTS, now=LATER, text=SAD)
    assert not Alert.objects.standing().exists()
