"""Pages of deliveries: webhooks, their log, one's own mail, and what ails the service."""

from datetime import timedelta

import pytest
from django.db import connection
from django.template.loader import render_to_string
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from emotrack.alerts.delivery import channels
from emotrack.alerts.models import Attempt, Notification, NotificationChannel
from emotrack.alerts.service.trial import send_trial
from emotrack.web.templatetags.deliveries import why
from tests.emotrack import factories
from tests.emotrack.alerts import planted
from tests.emotrack.alerts.delivery.mail_server import mail_server
from tests.emotrack.alerts.delivery.receiver import receiving
from tests.emotrack.alerts.delivery.test_mail import through  # noqa: F401
from tests.emotrack.web.test_access import alert_of

NEW = {"name": "Desk", "url": "https://203.0.112.7/hook", "format": "standard", "app": ""}


@pytest.fixture
def local(settings):
    settings.WEBHOOK_ALLOW_HTTP = settings.WEBHOOK_ALLOW_PRIVATE = True


def shown(answer):
    return answer.content.decode()


def notice_of(channel, alert=None, **facts):
    now = timezone.now()
    times = {"created_at": now, "queued_at": now, "due_at": now}
    about = {"alert": alert, "kind": "fired"} if alert else {"kind": "test"}
    return Notification.objects.create(channel=channel, **(times | about | facts))


# --- Webhooks -----------------------------------------------------------------------------------


def test_a_secret_is_shown_once_and_kept_by_no_browser(dora):
    page = dora.post("/channels", NEW)
    made = NotificationChannel.objects.get()
    assert made.secret in shown(page) and "no-store" in page["Cache-Control"]
    assert made.secret not in shown(dora.get(f"/channels/{made.public_id}")) + shown(dora.get("/channels"))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"url": "http://example.com/"}, "The address must begin with https://."),
        ({"url": "https://10.0.0.7/"}, "The address leads into a private or reserved network."),
        ({"url": ""}, "This field is required."),
        ({"name": ""}, "This field is required."),
    ],
)
def test_an_address_that_cannot_be_called_is_refused_beside_its_field(dora, change, said):
    page = dora.post("/channels", NEW | change)
    assert page.status_code == 422 and said in shown(page)
    assert not NotificationChannel.objects.exists()


def test_a_test_shows_how_it_went(dora, local):
    with receiving(503) as receiver:
        made = planted.channel(receiver.url)
        page = shown(dora.post(f"/channels/{made.public_id}/test"))
    assert "It did not arrive." in page and ">503<" in page and "The receiver answered 503." in page
    with receiving() as receiver:
        NotificationChannel.objects.update(url=receiver.url)
        assert "It was taken." in shown(dora.post(f"/channels/{made.public_id}/test"))


def test_what_a_receiver_says_is_inert(dora, local):
    made = planted.channel()
    tried = Attempt.objects.create(
        notification=notice_of(made, sent_at=timezone.now()), at=timezone.now(), took_ms=1, status=200,
        answer="<script>alert(1)</script>",
    )  # fmt: skip
    page = render_to_string("web/channel.html", {"tried": tried, "channel": made, "request": _Nobody})
    assert "<script>alert(1)" not in page and "&lt;script&gt;alert(1)" in page


class _Nobody:
    class user:
        username, is_admin = "dora", True

    @staticmethod
    def get_full_path():
        return "/"


def test_it_is_switched_off_and_on_and_removed_with_undo(dora):
    made = planted.channel()
    for to, off in (("off", True), ("on", False)):
        dora.post(f"/channels/{made.public_id}/switch", {"to": to})
        made.refresh_from_db()
        assert (made.disabled_at is not None) is off
    dora.post(f"/channels/{made.public_id}/switch", {"to": "remove"})
    assert "Undo" in shown(dora.get("/channels"))
    assert dora.get(f"/channels/{made.public_id}").status_code == 404
    dora.post("/channels/undo")
    assert dora.get(f"/channels/{made.public_id}").status_code == 200
    assert dora.post(f"/channels/{made.public_id}/switch", {"to": "elsewhere"}).status_code == 404


def test_it_is_renamed_and_a_bad_address_changes_nothing(dora):
    made = planted.channel("https://203.0.112.7/")
    page = f"/channels/{made.public_id}"
    assert dora.post(page, NEW | {"url": "https://127.0.0.1/"}).status_code == 422
    assert dora.post(page, NEW | {"format": "alertmanager"}).status_code == 302
    made.refresh_from_db()
    assert (made.name, made.url, made.format) == ("Desk", NEW["url"], "alertmanager")


def test_the_mail_of_a_person_and_the_trial_are_no_webhooks(dora, house, settings):
    settings.EMAIL_SET_UP = True
    channels.set_mail(house.alice, on=True, address="a@example.org", by=house.alice.actor, now=timezone.now())
    send_trial(now=timezone.now())
    for hidden in NotificationChannel.objects.all():
        assert dora.get(f"/channels/{hidden.public_id}").status_code == 404
    assert "No webhook yet" in shown(dora.get("/channels"))


# --- The log ------------------------------------------------------------------------------------


def test_the_log_is_filtered(dora, house):
    first, second = planted.channel(), planted.channel(name="Second desk")
    now = timezone.now()
    notice_of(first, dead_at=now, last_error="The receiver answered 500.")
    notice_of(second, sent_at=now)
    notice_of(second, created_at=now - timedelta(days=9))

    def states(query):
        page = shown(dora.get(f"/deliveries?{query}"))
        return [page.count(f"{word}</span>") for word in ("Sent", "Given up", "Waiting")]

    assert states("") == [1, 1, 1]
    assert states(f"channel={first.public_id}") == [0, 1, 0]
    assert states("state=dead") == [0, 1, 0]
    assert states(f"since={(now - timedelta(days=2)).date()}") == [1, 1, 0]
    assert dora.get("/deliveries?state=lost").status_code == 422
    assert "Nothing matches." in shown(dora.get(f"/deliveries?channel={first.public_id}&state=sent"))


def test_a_dead_letter_is_sent_again_from_the_log_and_nowhere_else_is_gone_to(dora, house, alert):
    made = planted.channel()
    dead = notice_of(made, alert, dead_at=timezone.now())
    answer = dora.post(f"/deliveries/{dead.public_id}/replay", {"back": "https://evil.example/"})
    assert answer.url == "/deliveries"
    dead.refresh_from_db()
    assert dead.dead_at is None
    again = dora.post(f"/deliveries/{dead.public_id}/replay", {"back": "/deliveries?state=dead"}, follow=True)
    assert "It is still waiting to be sent." in shown(again)


@pytest.fixture
def alert(house):
    return alert_of(house.session)


def test_the_log_names_no_person(dora, house, alert):
    notice_of(planted.channel(), alert)
    page = shown(dora.get("/deliveries"))
    assert house.ann.code in page and "Secretname" not in page


def test_pages_take_as_many_queries_for_many_as_for_one(dora, house, alert):
    counts = []
    for _round in range(2):
        for _ in range(4):
            made = planted.channel(app=factories.app(f"App {NotificationChannel.objects.count()}"))
            for _notice in range(3):
                notice = notice_of(made, sent_at=timezone.now())
                Attempt.objects.create(notification=notice, at=timezone.now(), took_ms=1)
        for page in ("/channels", "/deliveries", f"/channels/{made.public_id}", "/system"):
            with CaptureQueriesContext(connection) as caught:
                assert dora.get(page).status_code == 200
            counts.append(len(caught))
    assert counts[:4] == counts[4:]


@pytest.mark.parametrize(
    ("error", "said"),
    [
        ("The receiver answered 500.", "The receiver answered 500."),
        ("No answer: TimeoutError.", "No answer: TimeoutError."),
        ("Something new.", "Something new."),
        ("", ""),
    ],
)
def test_a_stored_reason_is_said_again(error, said):
    assert why(error) == said


# --- One's own mail -----------------------------------------------------------------------------


def test_a_person_switches_their_mail_on_tries_it_and_switches_it_off(alice, house, through):  # noqa: F811
    with mail_server() as server:
        through(server)
        alice.post("/you/mail", {"on": "on", "address": "alice@example.org"})
        page = alice.post("/you/mail", {"to": "test", "address": "alice@example.org"}, follow=True)
        assert "A test mail is on its way to alice@example.org." in shown(page)
    assert [mail["Subject"] for mail in server.mails] == ["A test mail from EmoTrack"]
    alice.post("/you/mail", {"address": "alice@example.org"})
    assert NotificationChannel.objects.get(user=house.alice).disabled_at is not None
    assert alice.post("/you/mail", {"to": "test"}).status_code == 404


def test_without_a_mail_server_the_page_says_so(alice, house):
    assert "E-mail is not set up" in shown(alice.get("/you"))
    answer = alice.post("/you/mail", {"on": "on", "address": "alice@example.org"}, follow=True)
    assert "This installation sends no mail." in shown(answer)
    assert not NotificationChannel.objects.exists()


def test_an_address_that_is_none_is_refused(alice, house, settings):
    settings.EMAIL_SET_UP = True
    answer = alice.post("/you/mail", {"on": "on", "address": "alice"}, follow=True)
    assert "This is not an e-mail address." in shown(answer)
    house.alice.refresh_from_db()
    assert house.alice.email == ""


# --- The service --------------------------------------------------------------------------------

SENTENCES = {
    "recognizer": ({"sentence": "No weights."}, "It says: No weights."),
    "backlog": ({"waiting": 3, "minutes": 12}, "3 turns wait to be read, the oldest for 12 minutes."),
    "deliveries": ({"dead": 2, "overdue": 1}, "1 notice waits and nobody sends it."),
    "trial": ({"minutes": 121}, "No trial alert has arrived for 121 minutes"),
    "disk": ({"free_mb": 12}, "Only 12 MB are free on the disk."),
    "audit": ({"minutes": 7}, "The audit log has not been sealed for 7 minutes."),
    "drift": ({"clients": 2}, "The mix of readings of 2 clients has shifted"),
    "low_quality": ({"clients": 1}, "Much of what 1 client says is too noisy"),
}


@pytest.mark.parametrize("kind", SENTENCES)
def test_admins_read_what_ails_the_service_on_every_page_and_others_do_not(kind, dora, alice):
    detail, said = SENTENCES[kind]
    planted.trouble(kind, now=timezone.now(), **detail)
    for page in ("/system", "/", "/alerts"):
        assert said in shown(dora.get(page))
    assert said not in shown(alice.get("/"))


def test_all_is_well_until_something_is_not(dora):
    assert "All is well" in shown(dora.get("/system"))
    assert "trouble" not in shown(dora.get("/"))


def test_a_trial_that_is_missing_is_shown_though_no_check_has_run(dora):
    send_trial(now=timezone.now() - timedelta(hours=3))
    for page in ("/system", "/channels"):
        assert "No trial alert has arrived yet" in shown(dora.get(page))
