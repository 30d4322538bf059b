"""Mail says that there is news, never what; a mail server that fails costs no notice."""

import socket
from datetime import time, timedelta

import pytest
from django.utils import timezone

from emotrack.alerts.delivery import channels
from emotrack.alerts.delivery.messages import letter_of
from emotrack.alerts.delivery.sending import LEASE, attempt, deliver_due, take
from emotrack.alerts.delivery.telling import tell_escalated, tell_fired
from emotrack.alerts.delivery.transports import Letter, TransportError
from emotrack.alerts.delivery.transports.mail import Mail
from emotrack.alerts.models import Attempt, Notification, NotificationChannel
from emotrack.audit.models import AuditEvent
from emotrack.history import actions as history
from emotrack.history.actions import Refused
from tests.emotrack import factories
from tests.emotrack.alerts.delivery.mail_server import mail_server
from tests.emotrack.alerts.delivery.test_senders import run_until_killed
from tests.emotrack.alerts.delivery.test_sending import Clock, fire, refreshed
from tests.emotrack.alerts.planted import NOW

LETTER = Letter("notice1", "alice@example.org", "News", "Plain.", "<p>Rich.</p>")


@pytest.fixture
def through(settings):
    """Send through that server."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_SET_UP, settings.EMAIL_HOST, settings.EMAIL_TIMEOUT = True, "127.0.0.1", 5
    settings.DEFAULT_FROM_EMAIL = "EmoTrack <news@emotrack.example>"

    def use(server):
        settings.EMAIL_PORT = server.port

    return use


@pytest.fixture
def alice(db, settings):
    settings.EMAIL_SET_UP = True
    made = factories.counselor("alice")
    channels.set_mail(made, on=True, address="alice@example.org", by=made.actor, now=NOW)
    return made


def refusal(server=None, **options):
    with pytest.raises(TransportError) as caught:
        Mail(**options).send(LETTER)
    return caught.value


# --- One letter ---------------------------------------------------------------------------------


def test_a_letter_arrives_as_text_and_html_under_the_notices_own_id(through):
    with mail_server() as server:
        through(server)
        assert Mail().send(LETTER).status == 250
    (mail,) = server.mails
    assert (mail["Subject"], mail["To"], mail["From"]) == (
        "News", "alice@example.org", "EmoTrack <news@emotrack.example>",
    )  # fmt: skip
    assert (mail["Message-ID"], mail["Auto-Submitted"]) == ("<notice1@emotrack.example>", "auto-generated")
    assert mail.get_body(("plain",)).get_content().strip() == "Plain."
    assert mail.get_body(("html",)).get_content().strip() == "<p>Rich.</p>"


@pytest.mark.parametrize(
    ("script", "permanent", "status"),
    [
        ({"RCPT": "550 nobody of that name"}, True, 550),
        ({"RCPT": "450 later"}, False, 450),
        ({"END": "451 no room now"}, False, 451),
        ({"connect": "554 not today"}, False, 554),
        ({"connect": "hang_up"}, False, None),
        ({"DATA": "hang_up"}, False, None),
    ],
)
def test_what_a_mail_servers_answer_means(through, script, permanent, status):
    with mail_server(**script) as server:
        through(server)
        error = refusal()
    assert (error.permanent, error.answer.status) == (permanent, status)


def test_nobody_at_the_port_may_be_tried_again(through):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        through(type("Nobody", (), {"port": free.getsockname()[1]}))
        free.close()
        assert not refusal().permanent


def test_a_mail_server_that_never_answers_is_given_up(through):
    with mail_server(connect="hang") as server:
        through(server)
        assert str(refusal(deadline_s=0.3)) == "The mail server did not answer in time."


def test_an_address_with_a_line_break_is_refused_for_good(through):
    with mail_server() as server, pytest.raises(TransportError) as caught:
        through(server)
        Mail().send(Letter("n", "a@example.org\nBcc: b@example.org", "News", "", ""))
    assert caught.value.permanent and server.mails == []


def test_without_a_mail_server_nothing_is_sent_and_it_waits(settings):
    settings.EMAIL_SET_UP = False
    assert not refusal().permanent


# --- What it says -------------------------------------------------------------------------------


def letter(alice):
    alert = fire()
    assign(alice, alert)
    tell_fired([alert], now=NOW)
    return letter_of(Notification.objects.get(channel__user=alice)), alert


def assign(counselor, alert):
    history.assign(client=alert.client, counselor=counselor, by=factories.TESTS, now=NOW)


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_it_says_that_there_is_news_and_not_what(alice, settings, language):
    settings.SITE_URL = "https://emotrack.example"
    alice.language = language
    alice.save()
    said, alert = letter(alice)
    whole = said.subject + said.text + said.html
    assert "https://emotrack.example/alerts" in said.text and "https://emotrack.example/alerts" in said.html
    for secret in (alert.client.name, alert.client.code, alert.client.public_id, alert.public_id,
                   str(alert.title), str(alert.peak), alert.severity, alert.rule.kind):  # fmt: skip
        assert secret not in whole
    assert f'lang="{language}"' in said.html


def test_without_an_address_of_the_site_there_is_no_broken_link(alice, settings):
    settings.SITE_URL = ""
    said, _alert = letter(alice)
    assert "http" not in said.text and "href" not in said.html


# --- Who is mailed ------------------------------------------------------------------------------


def mailed():
    told = Notification.objects.filter(channel__kind="email").order_by("id")
    return [(notice.channel.user.username, notice.kind) for notice in told]


def test_the_clients_counselors_are_mailed_and_nobody_else(alice):
    for name in ("bob", "eve"):
        other = factories.counselor(name)
        channels.set_mail(other, on=True, address=f"{name}@example.org", by=other.actor, now=NOW)
    left = factories.counselor("left")
    channels.set_mail(left, on=True, address="left@example.org", by=left.actor, now=NOW)
    alert = fire()
    assign(alice, alert)
    assign(left, alert)
    left.is_active = False
    left.save()
    tell_fired([alert], now=NOW)
    assert mailed() == [("alice", "fired")]


def test_an_escalation_goes_to_the_admins_too_and_once(alice):
    dora = factories.admin("dora")
    channels.set_mail(dora, on=True, address="dora@example.org", by=dora.actor, now=NOW)
    alert = fire()
    assign(alice, alert)
    tell_escalated([alert], now=NOW)
    tell_escalated([alert], now=NOW + timedelta(hours=1))
    assert sorted(mailed()) == [("alice", "escalated"), ("dora", "escalated")]


def test_who_switched_it_off_is_not_mailed(alice):
    channels.set_mail(alice, on=False, address="alice@example.org", by=alice.actor, now=NOW)
    alert = fire()
    assign(alice, alert)
    tell_fired([alert], now=NOW)
    assert mailed() == []
    channels.set_mail(alice, on=True, address="alice@example.org", by=alice.actor, now=NOW)
    tell_fired([alert], now=NOW)
    assert mailed() == [("alice", "fired")]
    assert NotificationChannel.objects.filter(user=alice).count() == 1


@pytest.mark.parametrize(
    ("address", "set_up", "slug"),
    [
        ("alice", True, "invalid-address"),
        ("", True, "invalid-address"),
        ("a@example.org", False, "mail-not-set-up"),
    ],
)
def test_mail_that_cannot_arrive_is_not_switched_on(db, settings, address, set_up, slug):
    settings.EMAIL_SET_UP = set_up
    person = factories.counselor()
    with pytest.raises(Refused) as caught:
        channels.set_mail(person, on=True, address=address, by=person.actor, now=NOW)
    assert caught.value.slug == slug
    assert not NotificationChannel.objects.exists()


# --- The way ------------------------------------------------------------------------------------


@pytest.fixture
def notice(alice):
    alert = fire()
    assign(alice, alert)
    tell_fired([alert], now=NOW)
    return Notification.objects.get(channel__user=alice)


def test_one_mail_tells_of_all_that_waited(notice, through):
    second = another(notice, "escalated", NOW)
    later = another(notice, "resolved", NOW + timedelta(hours=1))
    with mail_server() as server:
        through(server)
        assert deliver_due(Clock(), by={"email": Mail()}) == 1
    assert len(server.mails) == 1
    assert refreshed(second).sent_at == NOW
    assert refreshed(later).sent_at is None


def another(notice, kind, due_at):
    now = {"created_at": NOW, "queued_at": due_at, "due_at": due_at}
    return Notification.objects.create(alert=notice.alert, channel=notice.channel, kind=kind, **now)


def test_a_mail_server_that_is_down_is_tried_again_for_a_day_and_then_a_dead_letter(notice, through):
    with mail_server(connect="hang_up") as server:
        through(server)
        clock = Clock()
        while refreshed(notice).dead_at is None:
            clock.now = max(clock.now, notice.due_at)
            deliver_due(clock, by={"email": Mail()})
    assert notice.dead_at == NOW + timedelta(hours=24)
    assert Attempt.objects.filter(notification=notice).count() == 8
    assert AuditEvent.objects.filter(action="notification.dead", subject=notice.public_id).exists()
    with mail_server() as server:
        through(server)
        channels.replay(notice, by=factories.TESTS, now=clock.now)
        deliver_due(clock, by={"email": Mail()})
    assert [mail["Subject"] for mail in server.mails] == ["There is something new to look at in EmoTrack"]


def test_an_account_that_was_closed_meanwhile_is_not_mailed(notice, through):
    person = notice.channel.user
    person.is_active = False
    person.save()
    with mail_server() as server:
        through(server)
        attempt(take(NOW), Mail(), Clock())
    assert server.mails == [] and refreshed(notice).dead_at == NOW


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("moment", "arrivals"), [("before", 1), ("after", 2)])
def test_a_sender_killed_in_the_middle_of_a_mail_loses_nothing(moment, arrivals, through, monkeypatch, alice):
    with mail_server() as server:
        through(server)
        monkeypatch.setenv("EMOTRACK_EMAIL_URL", f"smtp://127.0.0.1:{server.port}")
        monkeypatch.setenv("EMOTRACK_EMAIL_FROM", "news@emotrack.example")
        alert = fire(timezone.now())
        assign(alice, alert)
        tell_fired([alert], now=timezone.now())
        notice = Notification.objects.get()
        run_until_killed(moment)
        assert refreshed(notice).sent_at is None
        assert deliver_due(timezone.now, by={"email": Mail()}) == 0
        assert deliver_due(lambda: timezone.now() + LEASE, by={"email": Mail()}) == 1
    assert [mail["Message-ID"] for mail in server.mails] == [
        f"<{notice.public_id}@emotrack.example>"
    ] * arrivals
    assert refreshed(notice).sent_at is not None


@pytest.mark.parametrize(("severity", "hours"), [("warning", 2), ("critical", 0)])
def test_quiet_hours_on_the_persons_own_clock_hold_mail_back(alice, severity, hours):
    alice.time_zone, alice.quiet_from, alice.quiet_until = "Europe/Berlin", time(12), time(15)
    alice.save()
    alert = fire()
    assign(alice, alert)
    alert.severity = severity
    tell_fired([alert], now=NOW)
    notice = Notification.objects.get(channel__user=alice)
    assert notice.due_at == notice.queued_at == NOW + timedelta(hours=hours)
