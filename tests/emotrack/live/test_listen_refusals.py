"""Who may not stream, or not any more, and what is no sound: each is told why, and what was said is kept."""

from __future__ import annotations

import pytest
from asgiref.sync import sync_to_async
from django.utils import timezone

from emotrack.accounts import actions as accounts
from emotrack.accounts.models import Scope
from emotrack.history.actions import mark_ended
from emotrack.history.models import Assignment, EndReason, Session
from emotrack.live import connection, protocol
from emotrack.recordings.models import Recording
from tests.emotrack import factories
from tests.emotrack.live.listening import as_described, cookie_of, kept_rows, sender_in, withdraw_consent
from tests.emotrack.live.sender import ORIGIN, SAID, Sender

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.asyncio]


# --- What is refused ------------------------------------------------------------------------------

BAD_FRAMES = {
    "half a sample": {"bytes": b"123"},
    "nothing": {"bytes": b""},
    "no JSON": {"text": "hello"},
    "no text": {"text": ""},
    "no object": {"text": "[1]"},
    "no type": {"text": "{}"},
    "an unknown type": {"text": '{"type": "session.dance"}'},
    "a type that is a list": {"text": '{"type": ["session.update"]}'},
    "a key twice": {"text": '{"type": "session.close", "type": "session.close"}'},
    "half a character": {"text": '{"type": "\\ud800"}'},
}


@pytest.mark.parametrize("frame", BAD_FRAMES.values(), ids=BAD_FRAMES)
async def test_a_bad_frame_is_named_and_the_session_goes_on(house, frame):
    sender = await sender_in(house)
    await sender.sound(SAID[:32000])
    await sender.send_input({"type": "websocket.receive", **frame})
    error = await sender.next("error")
    as_described(error)
    assert (error["error"]["type"], error["closing"]) == ("/problems/bad-frame", False)
    await sender.sound(SAID[32000:])
    await sender.finish()
    assert len(await kept_rows()) == 2


BAD_CONFIGURATIONS = {
    "rate too low": ({"rate": 4000}, "out-of-range"),
    "rate too high": ({"rate": 400_000}, "out-of-range"),
    "rate as text": ({"rate": "16000"}, "wrong-type"),
    "interval below zero": ({"interval": -1}, "out-of-range"),
    "language that is none": ({"language": "a b"}, "language-invalid"),
    "unknown speaker": ({"speaker": "charlie"}, "not-a-choice"),
    "unknown field": ({"volume": 11}, "unknown-field"),
    "time without zone": ({"started_at": "2026-01-01T10:00:00"}, "timestamp-naive"),
    "time in the future": ({"started_at": "2199-01-01T10:00:00Z"}, "timestamp-in-future"),
    "place below zero": ({"audio_start_ms": -5}, "out-of-range"),
}


@pytest.mark.parametrize(("update", "slug"), BAD_CONFIGURATIONS.values(), ids=BAD_CONFIGURATIONS)
async def test_a_bad_configuration_is_named_and_closes_but_what_was_said_is_kept(house, update, slug):
    sender = await sender_in(house)
    await sender.sound(SAID)
    await sender.tell(type="session.update", **update)
    assert await sender.closed() == protocol.CLOSE_BAD_CONFIGURATION
    error = sender.heard[-1]
    assert (error["error"]["type"], error["closing"]) == (f"/problems/{slug}", True)
    assert len(await kept_rows()) == 2


@pytest.mark.parametrize("frame", [{"bytes_data": bytes(300_000)}, {"text_data": " " * 20_000}])
async def test_an_oversized_frame_closes(house, frame):
    sender = await sender_in(house)
    await sender.send_to(**frame)
    assert await sender.closed() == protocol.CLOSE_TOO_LARGE
    assert sender.heard[-1]["error"]["type"] == "/problems/frame-too-large"


async def test_sound_far_ahead_of_the_clock_is_refused(house):
    sender = await sender_in(house)
    await sender.tell(type="session.update", audio_start_ms=0, started_at=timezone.now().isoformat())
    await sender.tell(type="session.update", audio_start_ms=600_000)
    await sender.sound(SAID[:3200])
    assert await sender.closed() == protocol.CLOSE_BAD_CONFIGURATION
    assert sender.heard[-1]["error"]["type"] == "/problems/stream-ahead"


@pytest.mark.parametrize("origin", [None, (b"origin", b"https://charlie.example")])
async def test_another_site_cannot_listen_with_the_counselorscookie_of(house, origin):
    cookie = await sync_to_async(cookie_of)(house["alice"])
    sender = Sender(house["session"].public_id, cookie=cookie, origin=origin)
    assert not (await sender.connect(timeout=20))[0]


@pytest.mark.parametrize("key", ["", "emo_x_y", "nonsense"])
async def test_a_key_that_opens_nothing_is_refused_at_the_door(house, key):
    assert not (await Sender(house["session"].public_id, key).connect(timeout=20))[0]


async def test_a_stranger_is_refused_at_the_door(house):
    assert not (await Sender(house["session"].public_id, origin=ORIGIN).connect(timeout=20))[0]


async def test_a_key_in_the_query_is_never_looked_at(house):
    sender = Sender(f"{house['session'].public_id}&token={house['key'][1]}", origin=ORIGIN)
    assert not (await sender.connect(timeout=20))[0]


async def test_a_key_without_the_scope_is_refused_at_the_door(house):
    key = (await sync_to_async(factories.key)(house["app"], (Scope.READ,)))[1]
    assert not (await Sender(house["session"].public_id, key).connect(timeout=20))[0]


async def _refused(sender: Sender) -> tuple[str, int]:
    assert (await sender.connect(timeout=20))[0]
    code = await sender.closed()
    return sender.heard[-1]["error"]["type"].rpartition("/")[2], code


@pytest.mark.parametrize("session", [None, "", "0" * 20, "..", "a'b"])
async def test_no_such_session(house, session):
    assert await _refused(Sender(session, house["key"][1])) == ("not-found", protocol.CLOSE_NOT_FOUND)


async def test_a_foreign_session_is_as_unknown_as_one_that_is_not(house):
    charlie = await sync_to_async(lambda: factories.key(factories.app("Charlie's"))[1])()
    sender = Sender(house["session"].public_id, charlie)
    assert await _refused(sender) == ("not-found", protocol.CLOSE_NOT_FOUND)


async def test_an_admin_alone_cannot_listen(house):
    cookie = await sync_to_async(lambda: cookie_of(factories.admin("dora")))()
    sender = Sender(house["session"].public_id, cookie=cookie, origin=ORIGIN)
    assert await _refused(sender) == ("content-not-visible", protocol.CLOSE_FORBIDDEN)


async def test_without_consent_nothing_is_heard(house):
    await sync_to_async(withdraw_consent)(house)
    sender = Sender(house["session"].public_id, house["key"][1])
    assert await _refused(sender) == ("consent-required", protocol.CLOSE_FORBIDDEN)
    assert not await sync_to_async(Recording.objects.exists)()


async def test_a_session_that_has_ended_takes_no_more(house):
    await sync_to_async(mark_ended)(house["session"], reason=EndReason.EXPLICIT, ended_at=timezone.now())
    sender = Sender(house["session"].public_id, house["key"][1])
    assert await _refused(sender) == ("session-ended", protocol.CLOSE_CONFLICT)


async def test_too_many_connections_are_refused(house, settings):
    settings.RATE_PER_MINUTE = 0
    sender = Sender(house["session"].public_id, house["key"][1])
    assert await _refused(sender) == ("too-many-requests", protocol.CLOSE_TOO_OFTEN)


# --- When access is taken away --------------------------------------------------------------------


def _revoke_key(house) -> None:
    accounts.revoke_key(house["key"][0], by=factories.TESTS, now=timezone.now())


def _unlink(house) -> None:
    house["ann"].links.all().delete()


def _end(house) -> None:
    mark_ended(Session.objects.get(), reason=EndReason.EXPLICIT, ended_at=timezone.now())


TAKEN = {
    "key revoked": (_revoke_key, "access-revoked", protocol.CLOSE_REVOKED),
    "client unlinked": (_unlink, "access-revoked", protocol.CLOSE_REVOKED),
    "consent withdrawn": (withdraw_consent, "consent-required", protocol.CLOSE_FORBIDDEN),
    "session ended": (_end, "session-ended", protocol.CLOSE_CONFLICT),
}


@pytest.mark.parametrize(("take", "slug", "code"), TAKEN.values(), ids=TAKEN)
async def test_whoever_may_not_any_more_is_let_go(house, monkeypatch, take, slug, code):
    monkeypatch.setattr(connection, "CHECK_EVERY_S", 0.02)
    sender = await sender_in(house)
    await sync_to_async(take)(house)
    assert await sender.closed(within_s=20) == code
    assert sender.heard[-1]["error"]["type"] == f"/problems/{slug}"


async def test_a_counselor_who_lost_the_client_is_let_go(house, monkeypatch):
    monkeypatch.setattr(connection, "CHECK_EVERY_S", 0.02)
    cookie = await sync_to_async(cookie_of)(house["alice"])
    sender = await Sender(house["session"].public_id, cookie=cookie, origin=ORIGIN).opened()
    await sync_to_async(Assignment.objects.all().delete)()
    assert await sender.closed(within_s=20) == protocol.CLOSE_REVOKED


async def test_access_is_looked_at_often_enough():
    assert connection.CHECK_EVERY_S < 5


async def test_consent_withdrawn_between_two_looks_keeps_nothing_more(house):
    sender = await sender_in(house)
    await sync_to_async(withdraw_consent)(house)
    await sender.sound(SAID)
    assert await sender.closed() == protocol.CLOSE_FORBIDDEN
    assert await kept_rows() == []
