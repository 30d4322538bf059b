"""What stands around every page: who is signed in, their colors and zone, whether the analysis keeps up."""

from datetime import UTC, datetime, time, timedelta

import pytest
from django.utils import timezone

from emotrack.accounts.models import User
from emotrack.recognition import RecognizerStatus
from emotrack.web import context
from tests.emotrack import factories

# --- Around every page --------------------------------------------------------------------------


YOU = {"language": "en", "theme": "system", "time_zone": ""}


class Gone:
    def status(self):
        return RecognizerStatus(False, "The weights cannot be read.", 0)


@pytest.fixture
def late_turn(house, monkeypatch):
    """A turn that waits for a minute, in a house whose recognizer is away."""
    monkeypatch.setattr(context, "service", Gone)
    return factories.utterance(
        house.session, status="queued", analyzed_at=None, scores=None, recognizer=None, reading="",
        received_at=timezone.now() - timedelta(minutes=1),
    )  # fmt: skip


def test_every_page_says_how_many_turns_wait(alice, late_turn):
    assert "Analysis delayed: 1" in alice.get("/rules").content.decode()


def test_an_admin_is_told_why_turns_wait_and_a_counselor_is_not(dora, alice, late_turn):
    why = "because there is no recognizer: The weights cannot be read."
    assert why in dora.get("/rules").content.decode()
    assert why not in alice.get("/rules").content.decode()


def test_nothing_is_said_of_the_recognizer_while_no_turn_waits(dora, house, monkeypatch):
    monkeypatch.setattr(context, "service", Gone)
    assert "no recognizer" not in dora.get("/rules").content.decode()


# --- People -------------------------------------------------------------------------------------


def test_a_person_chooses_colors_and_zone(alice, house):
    alice.post("/you", YOU | {"theme": "dark", "time_zone": "Asia/Tokyo"})
    assert 'data-theme="dark"' in alice.get("/").content.decode()
    house.alice.refresh_from_db()
    assert house.alice.time_zone == "Asia/Tokyo"


def test_times_are_shown_in_the_readers_zone(alice, house):
    house.alice.time_zone = "Asia/Tokyo"
    house.alice.save()
    late = factories.session(house.ann, datetime(2026, 3, 1, 20, 0, tzinfo=UTC))
    assert "2 Mar 2026, 05:00" in alice.get(f"/sessions/{late.public_id}").content.decode()


def test_a_zone_that_does_not_exist_is_refused(alice):
    answer = alice.post("/you", {"theme": "dark", "time_zone": "Mars/Olympus"})
    assert answer.status_code == 422 and "There is no such zone" in answer.content.decode()


@pytest.mark.parametrize("name", ["", "../etc/passwd", "Nowhere/At-all", "/etc"])
def test_a_zone_that_is_gone_falls_back_to_the_installations(name):
    assert User(time_zone=name).zone.key == "UTC"


def test_a_wrong_password_says_so_and_names_no_account(house, client):
    shown = client.post("/sign-in", {"username": "alice", "password": "wrong"}).content.decode()
    assert "do not belong together" in shown


def test_after_signing_in_one_stands_before_the_caseload(house, client):
    answer = client.post("/sign-in", {"username": "alice", "password": factories.PASSWORD})
    assert answer.headers["Location"] == "/"


def test_after_too_many_attempts_the_door_is_closed(house, client, settings):
    for _ in range(settings.AXES_FAILURE_LIMIT):
        answer = client.post("/sign-in", {"username": "alice", "password": "wrong"})
    assert "Too many attempts" in answer.content.decode()


def test_a_page_elsewhere_is_never_the_next_one(house, client):
    answer = client.post(
        "/sign-in", {"username": "alice", "password": factories.PASSWORD, "next": "https://evil.example/"}
    )
    assert answer.headers["Location"] == "/"


def test_every_policy_allows_scripts_from_here_alone(alice):
    policy = alice.get("/").headers["Content-Security-Policy"]
    assert "script-src 'self'" in policy and "unsafe" not in policy


def test_quiet_hours_are_kept_and_given_up(alice, house):
    alice.post("/you", YOU | {"quiet_from": "22:00", "quiet_until": "07:30"})
    house.alice.refresh_from_db()
    assert (house.alice.quiet_from, house.alice.quiet_until) == (time(22), time(7, 30))
    assert 'value="22:00"' in alice.get("/you").content.decode()
    alice.post("/you", YOU)
    house.alice.refresh_from_db()
    assert (house.alice.quiet_from, house.alice.quiet_until) == (None, None)


@pytest.mark.parametrize(
    "hours",
    [
        {"quiet_from": "22:00"},
        {"quiet_until": "07:00"},
        {"quiet_from": "22:00", "quiet_until": "22:00"},
        {"quiet_from": "25:00", "quiet_until": "07:00"},
    ],
)
def test_quiet_hours_need_a_beginning_and_another_end(hours, alice, house):
    assert alice.post("/you", YOU | hours).status_code == 422
    house.alice.refresh_from_db()
    assert (house.alice.quiet_from, house.alice.quiet_until) == (None, None)
