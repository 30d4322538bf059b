"""The editor of a rule: what a draft would have done, versions with what they changed, and new rules."""

from datetime import timedelta

import pytest
from django.utils import timezone

from analysis.baseline import SessionBaseline, Usual
from emotrack.alerts import actions
from emotrack.alerts.judging.arming import usual_range
from emotrack.alerts.models import Alert, Judgment, Kind, Rule, RuleVersion, Scope
from tests.emotrack import factories
from tests.emotrack.alerts import planted
from tests.emotrack.alerts.planted import series

pytestmark = pytest.mark.django_db
DRAFT = {
    "measure": "volatility_z",
    "threshold": "3",
    "recovery_threshold": "2",
    "for_count": "3",
    "keep_firing_seconds": "2",
    "cool_down_seconds": "24",
    "severity": "warning",
    "tells": ["counselors"],
    "active_days": list(range(7)),
    "critical_any_time": "on",
    "reason": "Tried.",
}


@pytest.fixture
def dora(client):
    client.force_login(factories.admin())
    return client


@pytest.fixture
def rule():
    planted.rules(now=timezone.now() - timedelta(days=200))
    return Rule.objects.get(kind=Kind.VOLATILITY)


def heard(who, z, days_ago=20):
    began = timezone.now() - timedelta(days=days_ago)
    session = factories.session(who, began, ended_at=began + timedelta(hours=1))
    series(session, volatility_z=z)
    return session


def tried(dora, rule, **changed):
    return dora.post(f"/rules/{rule.public_id}/preview", DRAFT | changed)


def test_a_draft_is_told_beside_the_saved_version(dora, rule):
    heard(factories.client("Ann"), [0, 4, 4, 4, 0])
    heard(factories.client("Ben"), [0, 9, 9, 9, 0])
    found = tried(dora, rule, threshold="5").context["preview"]
    assert (found.found.count, found.found.people, found.saved.count, found.version) == (1, 1, 2, 1)
    by_name = {strip.name: strip for strip in found.strips}
    assert sorted((len(s.fires), len(s.dropped), s.count) for s in by_name.values()) == [(0, 1, 0), (1, 0, 1)]


def test_the_one_with_most_alerts_is_drawn_first(dora, rule):
    heard(factories.client("Ann"), [0] * 5)
    ben = factories.client("Ben")
    heard(ben, [0, 4, 4, 4, 0])
    found = tried(dora, rule).context["preview"]
    assert found.closely == ben.public_id
    assert [(one.first, one.last, one.peak) for one in found.look.episodes] == [(1, 4, 4)]


def test_another_client_may_be_asked_for(dora, rule):
    ann = factories.client("Ann")
    heard(ann, [0] * 5)
    heard(factories.client("Ben"), [0, 4, 4, 4, 0])
    found = tried(dora, rule, closely=ann.public_id).context["preview"]
    assert (found.closely, found.look.episodes) == (ann.public_id, [])


def test_what_is_usual_of_the_person_is_drawn_beside_the_line(dora, rule):
    ann = factories.client("Ann")
    heard(ann, [0, 4, 4, 4, 0], days_ago=20)
    heard(ann, [0, 0, 0], days_ago=10)
    found = tried(dora, rule)
    look, chart = found.context["preview"].look, found.context["preview"].chart
    assert [(one.first, one.last, one.low, one.high) for one in look.usual] == [(0, 4, -1, 1), (5, 7, -1, 1)]
    foot, head = chart.bands[0].y + chart.bands[0].height, chart.bands[0].y
    assert chart.threshold_y < head < foot
    assert "usual for this person" in found.content.decode()


def test_a_mood_is_held_against_the_persons_own_band():
    draft = RuleVersion(measure="mood_level")
    band = usual_range(draft, SessionBaseline(valence=Usual(60, 0.1, 0.1)))
    assert band == pytest.approx((0.1 - 0.14826, 0.1 + 0.14826))
    assert usual_range(draft, SessionBaseline(valence=Usual(49, 0.1, 0.1))) is None
    assert usual_range(RuleVersion(measure="abstained_share"), SessionBaseline()) is None


def test_whom_one_may_not_see_is_not_drawn(dora, rule):
    heard(factories.client("Ann"), [0] * 5)
    assert tried(dora, rule, closely="0" * 20).context["preview"].closely != "0" * 20


def test_an_admin_sees_codes_where_names_are_not_theirs(dora, rule):
    ann = factories.client("Ann")
    heard(ann, [0, 4, 4, 4])
    shown = tried(dora, rule).content.decode()
    assert ann.code in shown and "Ann" not in shown


def test_the_rate_by_chance_is_stated(dora, rule):
    heard(factories.client(), [0] * 5)
    found = tried(dora, rule)
    assert 0 < found.context["preview"].chance < 0.1
    assert "By chance alone" in found.content.decode()


def test_verdicts_that_the_draft_would_have_kept_are_counted(dora, rule):
    alice = factories.counselor()
    for name, z, judgment in (("Ann", 9, Judgment.USEFUL), ("Ben", 4, Judgment.NOT_USEFUL)):
        who = factories.client(name, assigned_to=alice)
        session = heard(who, [0, z, z, z, 0])
        actions.evaluate(session, factories.recognizer(), now=timezone.now())
        actions.judge(Alert.objects.get(client=who), judgment=judgment, by=alice, now=timezone.now())
    kept = tried(dora, rule, threshold="5").context["preview"].kept
    assert (kept.useful, kept.useful_of, kept.dropped, kept.not_useful_of) == (1, 1, 1, 1)


def test_without_anything_heard_the_page_says_so(dora, rule):
    assert "Nothing to try it on yet" in dora.get(f"/rules/{rule.public_id}").content.decode()


def test_a_client_whose_usual_is_forming_is_said_to_be(dora, rule):
    began = timezone.now() - timedelta(days=3)
    session = factories.session(factories.client(), began, ended_at=began + timedelta(hours=1))
    series(session, volatility_z=[9, 9, 9], baseline=SessionBaseline())
    assert "usual for this person is still forming" in tried(dora, rule).content.decode()


def test_the_page_asks_as_often_for_many_clients_as_for_few(dora, rule, django_assert_max_num_queries):
    for name in ("Ann", "Ben"):
        heard(factories.client(name), [0, 4, 4, 4])
    with django_assert_max_num_queries(100) as few:
        tried(dora, rule, threshold="3.5")
    for number in range(8):
        heard(factories.client(f"C{number}"), [0, 4, 4, 4])
    with django_assert_max_num_queries(100) as many:
        tried(dora, rule, threshold="3.5")
    assert len(many) == len(few)


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_has_an_editor_with_a_preview(dora, rule, kind):
    heard(factories.client("Ann"), [0, 4, 4, 4])
    assert dora.get(f"/rules/new/{kind}").status_code == 200
    other = Rule.objects.get(kind=kind)
    assert dora.get(f"/rules/{other.public_id}").status_code == 200


def test_a_new_rule_is_saved_for_whom_it_is_for(dora, rule):
    ann = factories.client("Ann")
    sent = DRAFT | {"watched": f"client:{ann.public_id}", "name": "Ann, closely", "threshold": "2.5"}
    assert dora.post("/rules/new/volatility", sent).status_code == 302
    made = Rule.objects.get(name="Ann, closely")
    assert (made.scope, made.client, made.current.threshold) == (Scope.CLIENT, ann, 2.5)
    assert made.enabled_at


def test_a_new_rule_needs_its_reason(dora, rule):
    refused = dora.post("/rules/new/volatility", DRAFT | {"watched": "everyone", "reason": ""})
    assert refused.status_code == 422 and "Say why" in refused.content.decode()


def test_a_copy_begins_with_the_terms_of_the_other(dora, rule):
    actions.save_rule(rule, threshold=4.5, reason="x", by=factories.TESTS, now=timezone.now())
    shown = dora.get(f"/rules/new/volatility?from={rule.public_id}")
    assert shown.context["form"].initial["threshold"] == 4.5


def test_a_kind_that_is_not_there_is_not_found(dora):
    assert dora.get("/rules/new/telepathy").status_code == 404


def test_hours_are_entered_on_the_clock_and_told_in_words(dora, rule):
    days = {"active_days": ["0", "1", "2", "3", "4"], "active_from": "08:00", "active_until": "19:00"}
    dora.post(f"/rules/{rule.public_id}", DRAFT | days)
    version = rule.current
    assert (version.active_days, version.active_from, version.active_until) == ([0, 1, 2, 3, 4], 480, 1140)
    shown = dora.get(f"/rules/{rule.public_id}").content.decode()
    assert "Mon–Fri 08:00–19:00; outside, it waits unless it is critical" in shown


def test_a_rule_that_tells_nobody_is_refused_beside_the_field(dora, rule):
    refused = dora.post(f"/rules/{rule.public_id}", {k: v for k, v in DRAFT.items() if k != "tells"})
    assert refused.status_code == 422 and "nobody is told of" in refused.content.decode()


def test_each_version_says_what_it_changed(dora, rule):
    actions.save_rule(rule, threshold=4, reason="Fewer.", by=factories.TESTS, now=timezone.now())
    newest, _first = dora.get(f"/rules/{rule.public_id}").context["history"]
    assert newest["changed"] == [("Fires", "above 3, for 3 turns in a row → above 4, for 3 turns in a row")]


def test_a_suggested_threshold_is_shown_as_a_draft(dora, rule):
    shown = dora.get(f"/rules/{rule.public_id}?threshold=3.4").context
    assert (shown["is_draft"], shown["draft"].threshold, rule.current.threshold) == (True, 3.4, 3)


@pytest.mark.parametrize("asked", ["nan", "x", "1"])
def test_a_threshold_that_cannot_be_is_not_drawn(dora, rule, asked):
    shown = dora.get(f"/rules/{rule.public_id}?threshold={asked}")
    assert (shown.status_code, shown.context["is_draft"]) == (200, False)


def test_switching_off_can_be_undone(dora, rule):
    dora.post(f"/rules/{rule.public_id}/switch", {"to": "off"})
    assert "is off; its open alerts have ended" in dora.get("/rules").content.decode()
    dora.post("/rules/undo")
    rule.refresh_from_db()
    assert rule.enabled_at
    assert dora.post("/rules/undo").status_code == 302


def test_a_rule_whose_cohort_was_deleted_says_that_it_watches_nobody(dora, rule):
    cohort = factories.cohort("New")
    made = actions.create_rule(
        kind=Kind.VOLATILITY, cohort=cohort, threshold=3, recovery_threshold=2, reason="x",
        by=factories.TESTS, now=timezone.now(),
    )  # fmt: skip
    cohort.delete()
    assert "Nobody: its cohort was deleted" in dora.get(f"/rules/{made.public_id}").content.decode()
