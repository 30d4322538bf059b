"""Every page, for everyone: the test fails when a page has no row here."""

import re
from datetime import timedelta

import pytest
from django.test import Client as Browser
from django.utils import timezone

from emotrack.alerts import actions as alerts
from emotrack.alerts.models import Alert, Notification, Rule
from emotrack.audit.models import AuditEvent
from emotrack.history.remarks import write_note
from emotrack.identifiers import new_public_id
from emotrack.recordings.models import Recording
from emotrack.web.urls import urlpatterns
from tests.emotrack import factories
from tests.emotrack.alerts import planted
from tests.emotrack.web.paper import pdf_status

WHO = ("nobody", "alice", "bob", "dora", "charlie")
EVERYONE = dict.fromkeys(WHO[1:], 200) | {"nobody": 302}
OF_ANN = {"nobody": 302, "alice": 200, "bob": 404, "dora": 200, "charlie": 404}
PDF_OF_ANN = {who: {200: pdf_status()}.get(status, status) for who, status in OF_ANN.items()}
HEARD = OF_ANN | {"dora": 404}
"""What is recorded is for those who may hear it."""
ADMINS = {"nobody": 302, "alice": 403, "bob": 403, "dora": 200, "charlie": 403}

PAGES = {
    "caseload": EVERYONE,
    "sign_in": dict.fromkeys(WHO[1:], 302) | {"nobody": 200},
    "preferences": EVERYONE,
    "password": EVERYONE,
    "client_new": {"nobody": 302, "alice": 200, "bob": 200, "dora": 200, "charlie": 403},
    "client": OF_ANN,
    "access_log": OF_ANN,
    "compare": OF_ANN,
    "client_report": OF_ANN,
    "client_report_pdf": PDF_OF_ANN,
    "session_report": OF_ANN,
    "session_report_pdf": PDF_OF_ANN,
    "consents": OF_ANN,
    "live_start": HEARD,
    "upload": HEARD,
    "recordings_now": HEARD,
    "live": HEARD,
    "live_now": HEARD,
    "session": OF_ANN,
    "timeline": OF_ANN,
    "turn": OF_ANN,
    "alerts": EVERYONE,
    "unseen_alerts": EVERYONE,
    "alert": OF_ANN,
    "rules": EVERYONE,
    "rule": EVERYONE,
    "rule_kinds": ADMINS,
    "rule_new": ADMINS,
    "replies": ADMINS,
    "channels": ADMINS,
    "channel": ADMINS,
    "deliveries": ADMINS,
    "system": ADMINS,
    "people": ADMINS,
    "person": ADMINS,
    "welcome": dict.fromkeys(WHO, 200),
    "apps": ADMINS,
    "assignments": ADMINS,
    "cohorts": ADMINS,
    "cohort": ADMINS,
    "audit": ADMINS,
    "recognizer": ADMINS,
    "kept_data": ADMINS,
    "audit_export": ADMINS,
    "app": ADMINS,
}
CHANGED = {"nobody": 302, "alice": 403, "bob": 403, "dora": 302, "charlie": 403}
INCOMPLETE = CHANGED | {"dora": 422}
POSTS = {
    "heard": {"nobody": 302, "alice": 200, "bob": 404, "dora": 404, "charlie": 404},
    "session_note": {"nobody": 302, "alice": 200, "bob": 404, "dora": 404, "charlie": 404},
    "note_delete": {"nobody": 302, "alice": 200, "bob": 404, "dora": 404, "charlie": 404},
    "note_restore": {"nobody": 302, "alice": 200, "bob": 404, "dora": 404, "charlie": 404},
    "listen_first": {"nobody": 302, "alice": 302, "bob": 302, "dora": 302, "charlie": 302},
    "language": dict.fromkeys(WHO, 302),
    "client_note_write": {"nobody": 302, "alice": 302, "bob": 404, "dora": 404, "charlie": 404},
    "client_note_change": {"nobody": 302, "alice": 404, "bob": 404, "dora": 404, "charlie": 404},
    "own_mail": dict.fromkeys(WHO, 302),
    "channels_undo": CHANGED,
    "channel_test": ADMINS,
    "channel_rotate": ADMINS,
    "channel_switch": CHANGED,
    "delivery_replay": CHANGED,
    "recordings": HEARD | {"alice": 422},
    "recording_cancel": HEARD | {"alice": 302},
    "live_begin": HEARD | {"alice": 302},
    "consent_give": {"nobody": 302, "alice": 422, "bob": 404, "dora": 422, "charlie": 404},
    "consent_withdraw": {"nobody": 302, "alice": 422, "bob": 404, "dora": 422, "charlie": 404},
    "consent_undo": {"nobody": 302, "alice": 302, "bob": 404, "dora": 302, "charlie": 404},
    "sign_out": {"nobody": 302, "alice": 302, "bob": 302, "dora": 302, "charlie": 302},
    "acknowledge": {"nobody": 302, "alice": 302, "bob": 404, "dora": 302, "charlie": 404},
    "resolve_alert": {"nobody": 302, "alice": 302, "bob": 404, "dora": 302, "charlie": 404},
    "reopen_alert": {"nobody": 302, "alice": 302, "bob": 404, "dora": 302, "charlie": 404},
    "snooze_alert": {"nobody": 302, "alice": 302, "bob": 404, "dora": 302, "charlie": 404},
    "end_snooze": {"nobody": 302, "alice": 302, "bob": 404, "dora": 302, "charlie": 404},
    "judge_alert": {"nobody": 302, "alice": 302, "bob": 404, "dora": 302, "charlie": 404},
    "rule_switch": {"nobody": 302, "alice": 403, "bob": 403, "dora": 302, "charlie": 403},
    "rule_preview": {"nobody": 302, "alice": 403, "bob": 403, "dora": 200, "charlie": 403},
    "rule_new_preview": {"nobody": 302, "alice": 403, "bob": 403, "dora": 200, "charlie": 403},
    "rules_undo": {"nobody": 302, "alice": 403, "bob": 403, "dora": 302, "charlie": 403},
    "invite": INCOMPLETE,
    "person_invitation": ADMINS,
    "person_access": CHANGED,
    "new_key": INCOMPLETE,
    "assignments_undo": CHANGED,
    "cohorts_undo": CHANGED,
    "audit_check": CHANGED,
    "read_again": CHANGED,
    "kept_data_preview": ADMINS,
    "break_glass": CHANGED,
    "change_key": CHANGED | {"dora": 404},
}


def alert_of(session):
    """An alert that fired in Ann's session a moment ago."""
    fired = timezone.now() - timedelta(minutes=5)
    rule = Rule.objects.get(shipped_as="volatility")
    return Alert.objects.create(
        rule=rule, version=rule.current, client=session.client, session=session,
        recognizer=factories.recognizer(), severity="warning", pending_at=fired, fired_at=fired, peak=4.2,
        baseline={"threshold": 3.0, "recovery": 2.0, "n": 80, "median": 0.3, "mad": 0.05}, created_at=fired,
    )  # fmt: skip


def recording_of(house):
    """An upload of Ann's that waits."""
    return Recording.objects.create(
        kind="file", client=house.ann, session=house.session, state="waiting", path="recordings/gone",
        created_at=timezone.now(), started_at=timezone.now(),
    )  # fmt: skip


@pytest.fixture
def addresses(house):
    alert, rule = alert_of(house.session), Rule.objects.first()
    note = write_note(client=house.ann, session=house.session, text="x", by=house.alice, now=timezone.now())
    app = factories.app()
    key, _token = factories.key(app)
    channel = planted.channel()
    notice = Notification.objects.create(
        alert=alert, channel=channel, kind="fired", created_at=alert.created_at,
        queued_at=alert.created_at, due_at=alert.created_at, dead_at=alert.created_at,
    )  # fmt: skip
    of = {
        "channel": f"/channels/{channel.public_id}",
        "channel_test": f"/channels/{channel.public_id}/test",
        "channel_rotate": f"/channels/{channel.public_id}/rotate",
        "channel_switch": f"/channels/{channel.public_id}/switch",
        "channels_undo": "/channels/undo",
        "delivery_replay": f"/deliveries/{notice.public_id}/replay",
        "own_mail": "/you/mail",
        "client": f"/clients/{house.ann.public_id}",
        "client_new": "/clients/new",
        "access_log": f"/clients/{house.ann.public_id}/access",
        "compare": f"/clients/{house.ann.public_id}/compare",
        "client_report": f"/clients/{house.ann.public_id}/report",
        "client_report_pdf": f"/clients/{house.ann.public_id}/report.pdf",
        "session_report": f"/sessions/{house.session.public_id}/report",
        "session_report_pdf": f"/sessions/{house.session.public_id}/report.pdf",
        "client_note_write": f"/clients/{house.ann.public_id}/notes",
        "client_note_change": f"/clients/{house.ann.public_id}/notes/{'0' * 20}",
        "consents": f"/clients/{house.ann.public_id}/consents",
        "consent_give": f"/clients/{house.ann.public_id}/consents/give",
        "consent_withdraw": f"/clients/{house.ann.public_id}/consents/withdraw",
        "consent_undo": f"/clients/{house.ann.public_id}/consents/undo",
        "session": f"/sessions/{house.session.public_id}",
        "upload": f"/clients/{house.ann.public_id}/upload",
        "recordings": f"/clients/{house.ann.public_id}/recordings",
        "recordings_now": f"/clients/{house.ann.public_id}/recordings/now",
        "recording_cancel": f"/recordings/{recording_of(house).public_id}/cancel",
        "live_start": f"/clients/{house.ann.public_id}/live",
        "live_begin": f"/clients/{house.ann.public_id}/live/begin",
        "live": f"/sessions/{house.session.public_id}/live",
        "live_now": f"/sessions/{house.session.public_id}/live/now",
        "timeline": f"/sessions/{house.session.public_id}/timeline.json",
        "heard": f"/sessions/{house.session.public_id}/turns/{house.turns[0].public_id}/heard",
        "session_note": f"/sessions/{house.session.public_id}/notes/{new_public_id()}",
        "note_delete": f"/notes/{note.public_id}/delete",
        "note_restore": f"/notes/{note.public_id}/restore",
        "listen_first": "/you/listen-first",
        "turn": f"/sessions/{house.session.public_id}/turns/{house.turns[0].public_id}",
        "alert": f"/alerts/{alert.public_id}",
        "acknowledge": f"/alerts/{alert.public_id}/acknowledge",
        "resolve_alert": f"/alerts/{alert.public_id}/resolve",
        "reopen_alert": f"/alerts/{alert.public_id}/reopen",
        "snooze_alert": f"/alerts/{alert.public_id}/snooze",
        "end_snooze": f"/alerts/{alert.public_id}/end-snooze",
        "judge_alert": f"/alerts/{alert.public_id}/verdict",
        "rule": f"/rules/{rule.public_id}",
        "rule_switch": f"/rules/{rule.public_id}/switch",
        "rule_preview": f"/rules/{rule.public_id}/preview",
        "rule_kinds": "/rules/new",
        "rule_new": "/rules/new/low_session",
        "rule_new_preview": "/rules/new/low_session/preview",
        "rules_undo": "/rules/undo",
        "person": "/people/of/alice",
        "person_invitation": "/people/of/alice/invitation",
        "person_access": "/people/of/alice/access",
        "invite": "/people/invite",
        "welcome": "/welcome/MQ/never-made",
        "app": f"/apps/{app.public_id}",
        "assignments_undo": "/assignments/undo",
        "cohorts_undo": "/cohorts/undo",
        "cohort": f"/cohorts/{factories.cohort().public_id}",
        "audit_check": "/audit/check",
        "read_again": "/recognizer/read-again",
        "kept_data": "/kept-data",
        "kept_data_preview": "/kept-data/preview",
        "break_glass": f"/clients/{house.ann.public_id}/break-glass",
        "audit_export": "/audit/export",
        "new_key": f"/apps/{app.public_id}/keys",
        "change_key": f"/apps/{app.public_id}/keys/{key.prefix}",
        "caseload": "/",
        "sign_in": "/sign-in",
        "sign_out": "/sign-out",
        "preferences": "/you",
        "password": "/you/password",
        "unseen_alerts": "/alerts/unseen.json",
    }
    return {name: of.get(name, f"/{name}") for name in PAGES | POSTS}


@pytest.fixture(params=WHO)
def visitor(request, house):
    browser = Browser()
    if request.param != "nobody":
        browser.force_login(getattr(house, request.param))
    return request.param, browser


def test_every_page_has_a_row_here():
    assert {pattern.name for pattern in urlpatterns} == set(PAGES | POSTS)


def test_who_may_read_which_page(visitor, addresses):
    who, browser = visitor
    found = {name: browser.get(addresses[name]).status_code for name in PAGES}
    assert found == {name: row[who] for name, row in PAGES.items()}


@pytest.mark.parametrize("name", POSTS)
def test_who_may_do_what(name, visitor, addresses):
    who, browser = visitor
    assert browser.post(addresses[name], {"to": "on"}).status_code == POSTS[name][who]


@pytest.mark.parametrize("name", POSTS)
def test_what_changes_something_is_never_done_by_following_a_link(name, alice, addresses):
    assert alice.get(addresses[name]).status_code == 405


def test_changes_need_the_csrf_token(house, addresses):
    browser = Browser(enforce_csrf_checks=True)
    browser.force_login(house.alice)
    assert browser.post(addresses["acknowledge"]).status_code == 403
    assert Alert.objects.get().acknowledged_at is None


@pytest.mark.parametrize(
    "name",
    [
        "client",
        "compare",
        "consents",
        "access_log",
        "session",
        "timeline",
        "turn",
        "alert",
        "caseload",
        "alerts",
    ],
)
def test_an_admin_alone_sees_codes_and_moods_but_no_name_and_no_words(name, dora, house, addresses):
    shown = dora.get(addresses[name]).content.decode()
    assert "Secretname" not in shown and "They moved the meeting" not in shown
    if name in ("client", "session", "caseload", "alerts"):
        assert house.ann.code in shown


@pytest.mark.parametrize("name", ["client", "session", "alert", "caseload", "alerts"])
def test_the_counselor_sees_the_name(name, alice, addresses):
    assert "Secretname" in alice.get(addresses[name]).content.decode()


@pytest.mark.parametrize("who", ["bob", "charlie"])
def test_a_colleagues_and_a_strangers_caseload_tell_nothing_of_ann(who, house, addresses):
    browser = Browser()
    browser.force_login(getattr(house, who))
    for name in ("caseload", "alerts"):
        shown = browser.get(addresses[name]).content.decode()
        assert house.ann.code not in shown and "Secretname" not in shown
    assert browser.get(addresses["unseen_alerts"]).json() == {"count": 0}


def test_a_turn_of_another_session_is_not_found(alice, house):
    other = factories.session(house.ann)
    strange = factories.utterance(other)
    address = f"/sessions/{house.session.public_id}/turns/{strange.public_id}"
    assert alice.get(address).status_code == 404


@pytest.mark.parametrize("id", ["..", "%00", "１２３", "a" * 19, "0' OR 1=1--"])
def test_what_cannot_be_an_id_is_not_found(id, alice):
    assert alice.get(f"/sessions/{id}").status_code == 404


def test_reading_a_session_is_on_record_once_for_a_look_that_goes_on(alice, house, addresses):
    alice.get(addresses["session"])
    alice.get(addresses["timeline"])
    alice.get(addresses["timeline"])
    (event,) = AuditEvent.objects.filter(action="session.read")
    assert (event.actor, event.client, event.subject) == (
        "alice",
        house.ann.public_id,
        house.session.public_id,
    )


def test_the_record_of_a_look_holds_no_content(alice, addresses):
    for name in ("caseload", "client", "session", "alert"):
        alice.get(addresses[name])
    details = str(list(AuditEvent.objects.values_list("detail", flat=True)))
    assert "Secretname" not in details and "moved" not in details


def test_pages_need_no_third_party_and_no_inline_script(alice, addresses):
    for name in ("caseload", "client", "session", "alerts", "alert", "rules", "rule", "preferences"):
        shown = alice.get(addresses[name]).content.decode()
        assert not re.search(r'(src|href)="(https?:)?//', shown), name
        assert not re.search(r"<script(?![^>]*(src=|application/json))", shown), name
        assert not re.search(r"\son\w+=|\sstyle=", shown), name


def test_what_a_client_said_is_inert_on_the_page(alice, house):
    evil = "<script>alert(1)</script>{{ 7|add:7 }}"
    factories.utterance(house.session, timezone.now(), text=evil, speaker="counselor")
    shown = alice.get(f"/sessions/{house.session.public_id}").content.decode()
    assert "<script>alert" not in shown and "&lt;script&gt;" in shown


def test_an_alert_of_a_rule_watches_the_planted_session(alice, house):
    session = factories.session(house.ann, timezone.now() - timedelta(minutes=30))
    planted.series(session, volatility_z=[0, 4, 4, 4, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])
    (alert,) = alerts.evaluate(session, factories.recognizer(), now=timezone.now()).fired
    shown = alice.get(f"/alerts/{alert.public_id}").content.decode()
    assert "3 turns in a row" in shown and "80 earlier readings" in shown
