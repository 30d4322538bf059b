"""The one sentence above a chart or beside a name: what fired comes first, and nothing contradicts it."""

from datetime import timedelta

import pytest
from django.utils import timezone

from emotrack.alerts.models import Alert, Kind, Rule
from emotrack.history.actions import mark_ended
from emotrack.history.models import EndReason
from emotrack.mood.models import MoodPoint
from emotrack.web import session_page
from emotrack.web.session_summary import sentence
from tests.emotrack.web.conftest import say
from tests.emotrack.web.test_access import alert_of


@pytest.fixture
def session(house):
    """Thirty calm turns of a session that goes on."""
    say(house.session, 24, start=house.session.started_at + timedelta(seconds=60))
    return house.session


def said(session):
    session.refresh_from_db()
    return sentence(session_page.load(session, may_read=True))


def fired(session, kind=Kind.VOLATILITY, pending_s=24, recovering_s=52):
    alert, start = alert_of(session), session.started_at
    Alert.objects.filter(pk=alert.pk).update(
        rule=Rule.objects.get(kind=kind),
        pending_at=start + timedelta(seconds=pending_s),
        fired_at=start + timedelta(seconds=pending_s),
        recovering_at=start + timedelta(seconds=recovering_s) if recovering_s else None,
        resolved_at=start + timedelta(seconds=(recovering_s or 290) + 10),
        end_reason="recovered" if recovering_s else "session_ended",
    )


def end(session):
    mark_ended(session, reason=EndReason.EXPLICIT, ended_at=session.started_at + timedelta(seconds=300))


def test_a_session_that_alerted_says_first_what_the_alert_said(session):
    fired(session)
    assert said(session).startswith("More changeable than usual from 0:24 to 0:52.")


def test_an_alert_never_stands_beside_as_usual(session):
    fired(session)
    assert "As usual." not in said(session)


def test_an_alert_that_lasted_lasts_to_the_end(session):
    fired(session, recovering_s=None)
    end(session)
    assert said(session).startswith("More changeable than usual from 0:24 to the end.")


def test_while_the_session_goes_on_the_alert_has_no_end_yet(session):
    fired(session, recovering_s=None)
    assert said(session).startswith("More changeable than usual since 0:24.")


def test_changeability_comes_before_a_low_level(session):
    fired(session, Kind.NEGATIVE_MOOD, pending_s=10, recovering_s=100)
    fired(session, pending_s=150, recovering_s=200)
    assert said(session).startswith(
        "More changeable than usual from 2:30 to 3:20. Lower than usual from 0:10 to 1:40."
    )


def test_of_several_episodes_the_longest_is_named(session):
    for pending_s, lasts_s in ((20, 20), (100, 60), (200, 20)):
        fired(session, pending_s=pending_s, recovering_s=pending_s + lasts_s)
    assert said(session).startswith("More changeable than usual 3 times, longest from 1:40 to 2:40.")


def test_changeability_beyond_the_line_is_named_without_any_alert(session):
    moment = MoodPoint.objects.filter(session=session).order_by("occurred_at")[12]
    MoodPoint.objects.filter(pk=moment.pk).update(volatility_z=3.4)
    assert said(session).startswith("More changeable than usual for a moment, at ")


def test_a_calm_session_speaks_of_no_change(session):
    assert "changeable" not in said(session)


# --- Caseload and client ------------------------------------------------------------------------


def shown_on(alice, house):
    rows = {line.case.client: line for part in alice.get("/").context["groups"] for line in part.lines}
    return rows[house.ann], alice.get(f"/clients/{house.ann.public_id}").context


def test_caseload_and_client_page_say_the_same_of_an_unseen_alert(alice, house):
    alert_of(house.session)
    line, page = shown_on(alice, house)
    assert line.sentence == page["sentence"]
    assert line.sentence.startswith("More changeable than usual on ")


def test_an_alert_somebody_has_seen_is_still_a_change_of_the_last_session(alice, house):
    alert = alert_of(house.session)
    Alert.objects.filter(pk=alert.pk).update(acknowledged_at=timezone.now())
    line, page = shown_on(alice, house)
    assert (line.group, line.alerts) == ("changed", 0)
    assert page["sentence"].startswith("More changeable than usual on ")


def test_what_was_seen_in_an_earlier_session_is_told_no_more(alice, house):
    alert = alert_of(house.session)
    Alert.objects.filter(pk=alert.pk).update(acknowledged_at=timezone.now())
    later = type(house.session).objects.create(
        client=house.ann, started_at=timezone.now(), last_activity_at=timezone.now()
    )
    say(later, 3)
    line, page = shown_on(alice, house)
    assert line.group == "little" and "changeable" not in page["sentence"]


def test_the_client_page_leads_to_the_alert_it_names(alice, house):
    alert = alert_of(house.session)
    shown = alice.get(f"/clients/{house.ann.public_id}").content.decode()
    assert f'href="/alerts/{alert.public_id}"' in shown
