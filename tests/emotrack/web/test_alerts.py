"""The list of alerts and the page of one: found, filtered, done with, undone, and told as it happened."""

from datetime import timedelta

import pytest
from django.utils import timezone

from emotrack.alerts import actions
from emotrack.alerts.lifecycle.evaluation import judge_silence
from emotrack.alerts.models import Alert, EndReason, Kind, Muted, Notification, Snooze, Verdict
from emotrack.web.alert_story import story_of
from emotrack.web.rule_standing import standing_of, standings, waiting_time
from tests.emotrack import factories
from tests.emotrack.alerts.lifecycle.test_session_rules import CALM, LOW, held, judge, only
from tests.emotrack.alerts.lifecycle.test_silence import WEEKLY, at_day, spoke
from tests.emotrack.alerts.planted import channel
from tests.emotrack.web.test_access import alert_of

HTMX = {"HX-Request": "true"}
DAY = timedelta(days=1)


@pytest.fixture
def alert(house):
    return alert_of(house.session)


def post(browser, alert, deed, **fields):
    return browser.post(f"/alerts/{alert.public_id}/{deed}", fields, headers=HTMX)


def shown(browser, query=""):
    return browser.get(f"/alerts{query}").content.decode()


def has(browser, alert, query=""):
    return f'id="alert-{alert.public_id}"' in shown(browser, query)


# --- The list -----------------------------------------------------------------------------------


def test_an_alert_wanders_from_open_to_snoozed_and_back(alice, alert):
    assert has(alice, alert) and not has(alice, alert, "?show=snoozed")
    assert post(alice, alert, "snooze", until="tomorrow").status_code == 204
    assert not has(alice, alert) and has(alice, alert, "?show=snoozed")
    assert "Snoozed until" in shown(alice, "?show=snoozed")
    assert alice.get("/alerts/unseen.json").json() == {"count": 0}
    post(alice, alert, "end-snooze")
    assert has(alice, alert) and alice.get("/alerts/unseen.json").json() == {"count": 1}


def test_what_is_resolved_is_past_and_can_be_reopened(alice, alert):
    post(alice, alert, "resolve")
    assert not has(alice, alert) and "Resolved by alice" in shown(alice, "?show=past")
    post(alice, alert, "reopen")
    assert has(alice, alert) and not has(alice, alert, "?show=past")


def test_what_one_has_just_seen_stays_for_the_verdict_and_then_goes(alice, house, alert):
    Alert.objects.update(resolved_at=timezone.now(), end_reason=EndReason.RECOVERED)
    post(alice, alert, "acknowledge")
    assert has(alice, alert)
    Alert.objects.update(acknowledged_at=timezone.now() - timedelta(minutes=16))
    assert not has(alice, alert) and has(alice, alert, "?show=past")


def test_alerts_stand_by_person(alice, house, alert):
    eve = factories.client("Eve Other", assigned_to=house.alice)
    assert shown(alice).count("person-alerts") == 1
    alert_of(factories.session(eve, timezone.now() - timedelta(minutes=20)))
    assert shown(alice).count("person-alerts") == 2


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("?q=secretname", True),
        ("?q=changeable", True),
        ("?q=nobody-like-that", False),
        ("?severity=warning", True),
        ("?severity=critical", False),
        ("?severity=nonsense", True),
        ("?shown=x&show=nowhere", True),
    ],
)
def test_the_list_is_searched_and_filtered(query, found, alice, alert):
    assert has(alice, alert, query) is found
    if not found:
        assert "No alert matches" in shown(alice, query)


def test_a_sealed_name_is_not_found_by_who_may_not_read_it(dora, house, alert):
    assert not has(dora, alert, "?q=secretname")
    assert has(dora, alert, f"?q={house.ann.code.lower()}")


def test_the_list_of_one_person(alice, house, alert):
    eve = factories.client("Eve Other", assigned_to=house.alice)
    of_eve = alert_of(factories.session(eve, timezone.now() - timedelta(minutes=20)))
    query = f"?client={eve.public_id}"
    assert has(alice, of_eve, query) and not has(alice, alert, query)


def test_each_list_says_that_it_is_empty(alice):
    assert "Nothing waits for you" in shown(alice)
    assert "Nothing is snoozed" in shown(alice, "?show=snoozed")
    assert "No past alerts" in shown(alice, "?show=past")


def test_what_waited_long_comes_first(alice, house, alert):
    eve = factories.client("Eve Other", assigned_to=house.alice)
    newer = alert_of(factories.session(eve, timezone.now() - timedelta(minutes=20)))
    Alert.objects.filter(pk=alert.pk).update(fired_at=timezone.now() - DAY, severity="critical")
    page = shown(alice)
    assert page.index(alert.public_id) < page.index(newer.public_id)


def test_many_alerts_take_as_many_queries_as_one(alice, house, alert, django_assert_max_num_queries):
    for n in range(12):
        client = factories.client(f"Client {n}", assigned_to=house.alice)
        alert_of(factories.session(client, timezone.now() - timedelta(minutes=20)))
    shown(alice)
    with django_assert_max_num_queries(22):
        assert shown(alice).count("<article") == 13


def test_older_ones_are_a_click_away(alice, house, alert):
    Alert.objects.update(
        acknowledged_at=timezone.now() - DAY, resolved_at=timezone.now(), end_reason="recovered"
    )
    for _more in range(4):
        alert_of(house.session)
        Alert.objects.filter(resolved_at=None).update(
            acknowledged_at=timezone.now() - DAY, resolved_at=timezone.now(), end_reason="recovered"
        )
    first = shown(alice, "?show=past&shown=3")
    assert first.count("<article") == 3 and "3 of 5 are shown" in first
    assert shown(alice, "?show=past&shown=103").count("<article") == 5


# --- Deeds --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "hours"),
    [
        ({"until": "hour"}, (0.9, 1.1)),
        ({"until": "tomorrow"}, (8, 33)),
        ({"until": "next_session"}, (719, 721)),
    ],
)
def test_a_snooze_is_one_click(fields, hours, alice, alert):
    assert post(alice, alert, "snooze", **fields).status_code == 204
    lasts = (Snooze.objects.get().until - timezone.now()) / timedelta(hours=1)
    assert hours[0] <= lasts <= hours[1]


def test_a_snooze_until_a_day_lasts_until_its_morning(alice, alert):
    day = timezone.localtime().date() + 3 * DAY
    post(alice, alert, "snooze", until="date", date=day.isoformat())
    until = timezone.localtime(Snooze.objects.get().until)
    assert (until.date(), until.hour) == (day, 8)


@pytest.mark.parametrize("day", ["", "yesterday", "2020-01-01", "2999-01-01"])
def test_a_day_that_cannot_be_is_refused_in_a_sentence(day, alice, alert):
    answer = post(alice, alert, "snooze", until="date", date=day)
    assert answer.status_code == 422 and answer.content.decode().endswith(".")
    assert not Snooze.objects.exists()


def test_without_script_a_refusal_is_said_on_the_page(alice, alert):
    Alert.objects.update(resolved_at=timezone.now(), end_reason="recovered", acknowledged_at=timezone.now())
    page = alice.post(f"/alerts/{alert.public_id}/resolve", follow=True).content.decode()
    assert "over and was seen" in page


def test_a_verdict_is_given_changed_and_taken_back_by_pressing_it_again(alice, house, alert):
    for judgment in ("useful", "not_useful"):
        post(alice, alert, "verdict", verdict=judgment)
    assert Verdict.objects.get().judgment == "not_useful"
    page = alice.get(f"/alerts/{alert.public_id}").content.decode()
    assert page.count('aria-pressed="true"') == 1 and "0 of 1 judged alert was useful" in page
    post(alice, alert, "verdict", verdict="")
    assert not Verdict.objects.exists()


def test_another_verdict_is_refused(alice, alert):
    assert post(alice, alert, "verdict", verdict="great").status_code == 422


# --- The page of one ----------------------------------------------------------------------------


def test_the_page_shows_what_the_viewer_can_do_next(alice, alert):
    page = alice.get(f"/alerts/{alert.public_id}").content.decode()
    assert "data-ack" in page and "/resolve" in page and "/snooze" in page and "/reopen" not in page
    post(alice, alert, "resolve")
    page = alice.get(f"/alerts/{alert.public_id}").content.decode()
    assert "data-ack" not in page and "/reopen" in page and "/snooze" not in page


def test_an_alert_whose_readings_are_gone_still_has_its_page(alice, house, alert):
    house.session.utterances.all().delete()
    page = alice.get(f"/alerts/{alert.public_id}").content.decode()
    assert "The readings behind it are gone" in page and "None are left." in page


def test_the_story_tells_each_deed_in_its_order(house, alert):
    start = timezone.now()
    Notification.objects.create(
        alert=alert, channel=channel(), kind="fired", created_at=start, queued_at=start, due_at=start,
        sent_at=start,
    )  # fmt: skip
    minute = timedelta(minutes=1)
    actions.snooze(alert, by=house.alice, now=start + minute, until=start + 2 * DAY)
    actions.end_snooze(alert, by=house.dora, now=start + 2 * minute)
    actions.snooze(alert, by=house.alice, now=start + 3 * minute, until=start + 4 * minute)
    actions.acknowledge(alert, by=house.alice, now=start + 5 * minute)
    actions.judge(alert, judgment="already_known", by=house.alice, now=start + 6 * minute)
    actions.resolve(alert, by=house.dora, now=start + 7 * minute)
    alert.refresh_from_db()
    told = [(deed.words.split(" until ")[0], deed.by) for deed in story_of(alert, now=start + DAY)]
    assert told == [
        ("Fired, version 1 of the rule", ""),
        ("Webhook told: it began", "Front desk"),
        ("Snoozed", "alice"),
        ("Snooze ended", "dora"),
        ("Snoozed", "alice"),
        ("Snooze ran out", ""),
        ("Acknowledged", "alice"),
        ("Judged: Already known", "alice"),
        ("Resolved", "dora"),
    ]


def test_the_story_says_why_nobody_was_told_and_when_it_was_told_again(alert):
    Alert.objects.update(muted=Muted.SNOOZED, escalated_at=timezone.now(), recovering_at=timezone.now())
    alert.refresh_from_db()
    told = " ".join(deed.words for deed in story_of(alert, now=timezone.now()))
    assert "Nobody was notified: The rule was snoozed for this client" in told
    assert "told again" in told and "Back behind the line" in told


def test_the_story_holds_nothing_that_has_yet_to_come(house, alert):
    now = timezone.now()
    actions.snooze(alert, by=house.alice, now=now, until=now + DAY)
    assert all(deed.at <= now for deed in story_of(alert, now=now))


def test_who_opened_it_stands_in_the_story_once(alice, alert):
    for _twice in range(2):
        alice.get(f"/alerts/{alert.public_id}")
    page = alice.get(f"/alerts/{alert.public_id}").content.decode()
    assert page.count("Opened · <bdi>alice</bdi>") == 1


def test_an_alert_over_sessions_shows_the_sessions_and_their_days(alice, house):
    only(Kind.LOW_SESSION)
    recognizer = factories.recognizer()
    sessions = [held(house.ann, week, mean, recognizer) for week, mean in enumerate(CALM + LOW)]
    for session in sessions:
        judge(session, recognizer)
    alert = Alert.objects.get()
    page = alice.get(f"/alerts/{alert.public_id}").content.decode()
    assert "The sessions behind it" in page and "over sessions" in page and "why-figure" in page
    assert f"/sessions/{alert.session.public_id}" in page and "into the session" not in shown(alice)
    assert "Open the session" in shown(alice)


def test_an_alert_of_silence_shows_the_last_sessions(alice, house):
    only(Kind.SILENCE)
    spoke(house.ann, WEEKLY)
    newest = house.ann.sessions.order_by("-started_at")[0]
    newest.utterances.all().delete()
    newest.delete()
    (alert,) = judge_silence(house.ann, now=at_day(80)).fired
    page = alice.get(f"/alerts/{alert.public_id}").content.decode()
    assert "The sessions behind it" in page and str(alert.title) in page


# --- How a rule stands, in words ----------------------------------------------------------------


def test_how_a_rule_stands_is_said_in_sentences(house, alert):
    now = timezone.now()
    actions.judge(alert, judgment="useful", by=house.alice, now=now)
    actions.acknowledge(alert, by=house.alice, now=alert.created_at + timedelta(hours=3))
    said = standing_of(alert.rule, viewer=house.alice, now=now)
    assert said.verdicts == "1 of 1 judged alert was useful (100 %, interval 21 % – 100 %)."
    assert said.seen == "Half were acknowledged within 3 hours (1 of 1 in 90 days)."
    assert (said.ignored, said.preview) == ("", "") and "from 10 alerts on" in said.suggestion
    assert standings([alert.rule], viewer=house.alice, now=now)[alert.rule_id].suggestion == ""


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (1, "1 minute"),
        (600, "10 minutes"),
        (2 * 3600, "2 hours"),
        (26 * 3600, "26 hours"),
        (3 * 86400, "3 days"),
    ],
)
def test_a_waiting_time_is_as_coarse_as_people_say_it(seconds, said):
    assert waiting_time(seconds) == said
