"""The card above a session: shift with its interval, quarters, talk, silences; only what can be said."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from django.utils import timezone

from emotrack.history.actions import mark_ended
from emotrack.history.models import EndReason
from emotrack.mood import actions as mood
from emotrack.web import session_page
from emotrack.web.session_summary import facts, quarters
from tests.emotrack import factories


@pytest.fixture
def client(db):
    return factories.client()


def talk(client, moods, *, step_s=10, counselor_at=()):
    """An ended session of turns between sad (-1) and happy (1); the counselor speaks 4 s at those seconds."""
    session = factories.session(client, timezone.now() - timedelta(hours=1))
    for k, value in enumerate(moods):
        shares = factories.scores(
            **({"happy": 0.45 + 0.4 * value} if value >= 0 else {"sad": 0.45 - 0.4 * value})
        )
        factories.utterance(session, session.started_at + timedelta(seconds=step_s * k), shares=shares)
    for at_s in counselor_at:
        factories.utterance(session, session.started_at + timedelta(seconds=at_s), speaker="counselor")
    mood.rebuild(client)
    end = session.started_at + timedelta(seconds=step_s * len(moods))
    mark_ended(session, reason=EndReason.EXPLICIT, ended_at=end)
    return session


def told(session):
    return {fact.name: (fact.value, fact.aside) for fact in facts(loaded(session))}


def loaded(session):
    return session_page.load(session, may_read=True)


def noisy(low, high, n=40):
    rng = np.random.default_rng(5)
    return np.clip(np.linspace(low, high, n) + rng.normal(0, 0.08, n), -1, 1)


def test_a_clear_rise_is_said_with_means_and_interval(client):
    value, aside = told(talk(client, noisy(-0.9, 0.9)))["Begin → end"]
    assert value == "Higher at the end" and "shift +" in aside and " to +" in aside


def test_a_fall_is_said_as_a_fall(client):
    assert told(talk(client, noisy(0.9, -0.9)))["Begin → end"][0] == "Lower at the end"


def test_noise_is_no_shift(client):
    value, aside = told(talk(client, noisy(0.3, 0.3)))["Begin → end"]
    assert value == "No shift beyond chance" and "shift −" in aside and "to +" in aside


def test_too_few_turns_are_no_shift_and_are_counted(client):
    assert told(talk(client, [0.5] * 8))["Begin → end"] == ("too little to say", "2 and 2 readings")


def test_turns_all_alike_have_no_interval(client):
    value, aside = told(talk(client, [0.5] * 40))["Begin → end"]
    assert value == "No shift beyond chance" and "shift" not in aside


def test_quarters_follow_the_time_and_say_on_how_much_they_rest(client):
    found = quarters(loaded(talk(client, noisy(-0.9, 0.9))))
    assert [q.readings for q in found] == [10, 10, 10, 10]
    means = [q.mean for q in found]
    assert means == sorted(means) and found[0].y == 17 and found[-1].y == 3
    assert found[0].clock.startswith("0:00–")


def test_a_quarter_with_too_few_readings_has_no_mean(client):
    found = quarters(loaded(talk(client, [0.1] * 9)))
    assert [q.mean is None for q in found] == [q.readings < 3 for q in found]
    assert any(q.mean is None for q in found)


def test_alike_quarters_are_drawn_alike(client):
    heights = [q.y for q in quarters(loaded(talk(client, noisy(0.3, 0.3))))]
    assert max(heights) - min(heights) < 7


def test_a_session_that_goes_on_has_no_quarters_yet(client):
    session = talk(client, noisy(-0.9, 0.9))
    session.ended_at = None
    assert quarters(loaded(session)) == []


def test_quarters_outside_the_usual_are_told_by_side(client):
    page = loaded(talk(client, noisy(-0.9, 0.9)))
    page = replace(page, timeline=replace(page.timeline, usual=(-0.1, 0.1)))
    assert [q.side for q in quarters(page)][::3] == [-1, 1]


def test_silences_are_counted_and_the_longest_placed(client):
    found = told(talk(client, [0.1, 0.2], step_s=60, counselor_at=[5, 30]))
    assert found["Silences of 10 s or more"] == ("2", "longest 0:26 at 0:34")


def test_where_one_side_alone_was_recorded_nobody_can_tell_a_silence(client):
    found = told(talk(client, [0.1, 0.2], step_s=60))
    assert not [name for name in found if "Silences" in name or "talked" in name]


def test_written_turns_have_no_silences_between_them(client):
    session = talk(client, [0.1, 0.2], step_s=60)
    at = session.started_at + timedelta(seconds=30)
    factories.utterance(session, at, speaker="assistant", seconds=0, text="Tell me more.")
    assert not [name for name in told(session) if "Silences" in name]


def test_no_silence_is_said_as_none(client):
    assert told(talk(client, [0.1] * 3, step_s=8, counselor_at=[4]))["Silences of 10 s or more"] == (
        "none",
        "",
    )


def test_talk_is_shared_between_client_and_others(client):
    found = told(talk(client, [0.1, 0.2, 0.1], step_s=20, counselor_at=[6]))
    assert found["Client talked"] == ("75 %", "others 25 %")
