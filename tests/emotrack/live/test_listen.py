"""Sound that is streamed becomes turns: each once, kept before it is told, read as if it had been posted."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
import yaml
from asgiref.sync import sync_to_async
from django.conf import settings as django_settings
from django.db import OperationalError
from django.test import Client as HttpClient
from django.utils import timezone
from jsonschema import Draft202012Validator

from analysis.turns import wav_of
from emotrack.accounts import actions as accounts
from emotrack.accounts.models import Scope
from emotrack.history.actions import mark_ended, read_audio
from emotrack.history.models import Assignment, EndReason, Session, Utterance
from emotrack.live import connection, protocol
from emotrack.privacy import actions as privacy
from emotrack.recordings.models import Part, Recording
from tests.emotrack import factories
from tests.emotrack.live.sender import ORIGIN, RATE_HZ, SAID, Sender

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.asyncio]


LIVE = yaml.safe_load((Path(__file__).resolve().parents[3] / "docs" / "asyncapi.yaml").read_text("utf-8"))


def _as_described(message: dict) -> None:
    described = LIVE["components"]["messages"][f"listen_{message['type'].replace('.', '_')}"]["payload"]
    Draft202012Validator(described | {"components": LIVE["components"]}).validate(message)


@pytest.fixture(autouse=True)
def _localhost(settings, fake_recognizer):
    settings.ALLOWED_HOSTS = ["localhost"]


@pytest.fixture
def house(transactional_db):
    alice, app = factories.counselor("alice"), factories.app("Helpline")
    ann = factories.client("Ann", assigned_to=alice, linked_to=app)
    session = factories.session(ann, started_at=timezone.now())
    return {"alice": alice, "app": app, "ann": ann, "session": session, "key": factories.key(app)}


def _cookie(user) -> bytes:
    browser = HttpClient()
    browser.force_login(user)
    name = django_settings.SESSION_COOKIE_NAME
    return f"{name}={browser.cookies[name].value}".encode()


async def _sender(house) -> Sender:
    return await Sender(house["session"].public_id, house["key"][1]).opened()


async def _rows() -> list[Utterance]:
    rows = Utterance.objects.select_related("client", "session", "audio", "part").order_by("occurred_at")
    return await sync_to_async(list)(rows)


def _slice(start_ms: int, end_ms: int, rate: int = RATE_HZ, pcm: bytes = SAID) -> bytes:
    first, last = (2 * round(at * rate / 1000) for at in (start_ms, end_ms))
    return pcm[first:last]


# --- In good order --------------------------------------------------------------------------------


async def test_two_turns_are_told_kept_and_read(house):
    sender = await _sender(house)
    await sender.sound(SAID)
    heard = await sender.finish()
    for message in heard:
        _as_described(message)
    kinds = [m["type"] for m in heard]
    assert kinds.count("utterance.start") == kinds.count("utterance.end") == kinds.count("measurement") == 2
    assert kinds[-1] == "session.closed" and heard[-1]["reason"] == "closed"
    rows = await _rows()
    ends = sender.of("utterance.end")
    assert [row.public_id for row in rows] == [end["utterance"] for end in ends]
    assert [row.status for row in rows] == ["analyzed", "analyzed"]
    measured = {m["utterance"]["id"]: m for m in sender.of("measurement")}
    assert {m["trigger"] for m in measured.values()} == {"speech_ended"}
    assert [measured[row.public_id]["utterance"]["emotion"] for row in rows] == ["sad", "angry"]


async def test_the_slice_that_is_named_holds_the_very_sound_that_was_sent(house):
    sender = await _sender(house)
    await sender.sound(SAID, step_ms=70)
    await sender.finish()
    rows, ends = await _rows(), sender.of("utterance.end")
    for row, end in zip(rows, ends, strict=True):
        kept = await sync_to_async(read_audio)(row.audio)
        assert kept == wav_of(_slice(end["audio_start_ms"], end["audio_end_ms"]), RATE_HZ)
    first_ms = [end["audio_start_ms"] for end in ends]
    assert rows[1].occurred_at - rows[0].occurred_at == timedelta(milliseconds=first_ms[1] - first_ms[0])


async def test_nothing_is_told_to_be_ended_before_it_is_committed(house, monkeypatch):
    order = []
    kept = connection.keep_turn

    def noted(*args, **more):
        utterance = kept(*args, **more)
        order.append(("kept", Utterance.objects.filter(pk=utterance.pk).exists()))
        return utterance

    monkeypatch.setattr(connection, "keep_turn", noted)
    sender = await _sender(house)
    await sender.sound(SAID)
    end = await sender.next("utterance.end")
    assert order and order[0] == ("kept", True)
    assert end["committed_ms"] == end["audio_end_ms"]
    await sender.finish()


async def test_the_speaker_can_change_and_only_the_client_is_read(house):
    sender = await _sender(house)
    half = len(SAID) // 2 // 2 * 2
    await sender.tell(type="session.update", speaker="counselor", language="de")
    await sender.sound(SAID[:half])
    await sender.tell(type="session.update", speaker="client")
    await sender.sound(SAID[half:])
    await sender.finish()
    rows = await _rows()
    assert [(r.speaker, r.language) for r in rows] == [("counselor", "de"), ("client", "de")]
    assert [m["utterance"]["reading"] for m in sender.of("measurement")] == [None, "ok"]


async def test_a_provisional_reading_is_told_and_never_stored(house):
    sender = await _sender(house)
    await sender.tell(type="session.update", interval=500)
    for start in range(0, len(SAID), 3200):
        await sender.send_to(bytes_data=SAID[start : start + 3200])
        await asyncio.sleep(0.02)
    await sender.finish()
    for message in sender.heard:
        _as_described(message)
    provisional = [m for m in sender.of("measurement") if m["trigger"] == "interval"]
    assert provisional and all("id" not in m["utterance"] for m in provisional)
    assert len(await _rows()) == 2


async def test_silence_becomes_nothing_and_the_sender_is_told_to_forget_it(house):
    sender = await _sender(house)
    await sender.sound(bytes(2 * RATE_HZ * 12))
    position = await sender.next("session.position")
    assert position["received_ms"] - position["committed_ms"] <= 300
    await sender.finish()
    assert await _rows() == []


async def test_a_page_streams_with_its_cookie_and_origin(house):
    cookie = await sync_to_async(_cookie)(house["alice"])
    sender = await Sender(house["session"].public_id, cookie=cookie, origin=ORIGIN).opened()
    await sender.sound(SAID)
    await sender.finish()
    assert len(await _rows()) == 2


@pytest.mark.parametrize("rate", [8000, 44100, 48000])
async def test_any_rate_is_kept_as_it_came(house, rate):
    import soxr

    said = soxr.resample(np.frombuffer(SAID, "<i2").astype(np.float32) / 32768, RATE_HZ, rate)
    pcm = np.clip(np.rint(said * 32768), -32768, 32767).astype("<i2").tobytes()
    sender = await _sender(house)
    await sender.tell(type="session.update", rate=rate)
    await sender.sound(pcm, rate=rate)
    await sender.finish()
    rows, ends = await _rows(), sender.of("utterance.end")
    assert len(rows) == 2
    for row, end in zip(rows, ends, strict=True):
        sound = wav_of(_slice(end["audio_start_ms"], end["audio_end_ms"], rate, pcm), rate)
        assert await sync_to_async(read_audio)(row.audio) == sound


# --- When the line breaks -------------------------------------------------------------------------


async def test_what_was_said_when_the_line_broke_is_kept_and_goes_on_from_there(house):
    sender = await _sender(house)
    cut = 2 * RATE_HZ * 2  # in the middle of the first turn
    await sender.sound(SAID[:cut])
    await sender.vanish()
    (first,) = await _rows()
    again = Sender(house["session"].public_id, house["key"][1])
    await again.connect(timeout=20)
    committed = (await again.next("session.created"))["committed_ms"]
    assert 1900 <= committed <= 2000
    await again.tell(type="session.update", audio_start_ms=committed)
    await again.sound(SAID[2 * RATE_HZ * committed // 1000 :])
    await again.finish()
    rows = await _rows()
    assert rows[0].pk == first.pk and len(rows) == 3
    kept = b"".join([(await sync_to_async(read_audio)(row.audio))[44:] for row in rows])
    ends = [await sync_to_async(lambda r=row: (r.part.start_ms, r.part.end_ms))() for row in rows]
    assert kept == b"".join(_slice(*place) for place in ends)
    assert ends[0][1] == ends[1][0] == committed


async def test_sending_everything_again_doubles_nothing(house):
    sender = await _sender(house)
    await sender.sound(SAID)
    await sender.finish()
    again = await _sender(house)
    await again.tell(type="session.update", audio_start_ms=0)
    await again.sound(SAID)
    await again.finish()
    assert len(await _rows()) == 2
    assert await sync_to_async(Part.objects.count)() == 2


async def test_a_sender_who_resends_half_a_turn_loses_nothing_of_it(house):
    sender = await _sender(house)
    await sender.sound(SAID[: 2 * RATE_HZ * 2])
    await sender.vanish()
    again = await _sender(house)
    await again.tell(type="session.update", audio_start_ms=1000)
    await again.sound(SAID[2 * RATE_HZ :])
    await again.finish()
    places = await sync_to_async(list)(Part.objects.order_by("start_ms").values_list("start_ms", "end_ms"))
    assert len(places) == 3 and places[0][1] == places[1][0]


async def test_a_pause_is_a_gap_on_the_time_axis(house):
    sender = await _sender(house)
    half = 2 * RATE_HZ * 3
    await sender.sound(SAID[:half])
    await sender.tell(type="session.update", audio_start_ms=33_000)
    await sender.sound(SAID[half:])
    await sender.finish()
    first, second = await _rows()
    assert second.occurred_at - first.occurred_at > timedelta(seconds=30)


async def test_a_new_connection_takes_over_and_the_old_one_writes_no_more(house):
    old = await _sender(house)
    await old.sound(SAID[: 2 * RATE_HZ * 2])
    new = await _sender(house)
    await old.sound(SAID[2 * RATE_HZ * 2 :])
    assert await old.closed() == protocol.CLOSE_CONFLICT
    assert old.heard[-1]["error"]["type"] == "/problems/stream-superseded"
    assert await _rows() == []
    await new.sound(SAID)
    await new.finish()
    assert len(await _rows()) == 2


async def test_a_busy_storage_is_tried_again_and_loses_nothing(house, monkeypatch):
    kept, tries = connection.keep_turn, []

    def busy_at_first(*args, **more):
        tries.append(1)
        if len(tries) < 3:
            raise OperationalError("database is locked")
        return kept(*args, **more)

    monkeypatch.setattr(connection, "KEEP_AGAIN_AFTER_S", (0.01, 0.01, 0.01))
    monkeypatch.setattr(connection, "keep_turn", busy_at_first)
    sender = await _sender(house)
    await sender.sound(SAID)
    await sender.finish()
    assert len(await _rows()) == 2


async def test_a_storage_that_stays_busy_is_told_and_the_sender_knows_what_to_resend(house, monkeypatch):
    def busy(*args, **more):
        raise OperationalError("database is locked")

    monkeypatch.setattr(connection, "KEEP_AGAIN_AFTER_S", (0.01,))
    monkeypatch.setattr(connection, "keep_turn", busy)
    sender = await _sender(house)
    await sender.sound(SAID)
    assert await sender.closed() == protocol.CLOSE_TRY_AGAIN
    assert sender.heard[-1]["error"]["type"] == "/problems/storage-busy"
    assert sender.of("utterance.end") == []
    again = Sender(house["session"].public_id, house["key"][1])
    await again.connect(timeout=20)
    assert (await again.next("session.created"))["committed_ms"] == 0
    await again.disconnect()


async def test_sound_that_comes_faster_than_it_can_be_kept_makes_the_sender_wait(house, monkeypatch):
    monkeypatch.setattr(connection, "MOST_WAITING_BYTES", 20_000)
    sender = await _sender(house)
    await sender.sound(SAID * 3)
    await sender.finish()
    assert len(await _rows()) == 6


async def test_a_slow_recognizer_delays_the_reading_and_not_the_keeping(house, fake_recognizer, monkeypatch):
    monkeypatch.setattr(connection, "READ_WITHIN_S", 0.1)
    fake_recognizer.hold.clear()
    sender = await _sender(house)
    await sender.sound(SAID)
    ends = [await sender.next("utterance.end") for _ in range(2)]
    late = await sender.next("measurement")
    assert len(ends) == 2 and late["utterance"]["status"] == "queued"
    fake_recognizer.hold.set()
    await sender.finish()


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
    sender = await _sender(house)
    await sender.sound(SAID[:32000])
    await sender.send_input({"type": "websocket.receive", **frame})
    error = await sender.next("error")
    _as_described(error)
    assert (error["error"]["type"], error["closing"]) == ("/problems/bad-frame", False)
    await sender.sound(SAID[32000:])
    await sender.finish()
    assert len(await _rows()) == 2


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
    sender = await _sender(house)
    await sender.sound(SAID)
    await sender.tell(type="session.update", **update)
    assert await sender.closed() == protocol.CLOSE_BAD_CONFIGURATION
    error = sender.heard[-1]
    assert (error["error"]["type"], error["closing"]) == (f"/problems/{slug}", True)
    assert len(await _rows()) == 2


@pytest.mark.parametrize("frame", [{"bytes_data": bytes(300_000)}, {"text_data": " " * 20_000}])
async def test_an_oversized_frame_closes(house, frame):
    sender = await _sender(house)
    await sender.send_to(**frame)
    assert await sender.closed() == protocol.CLOSE_TOO_LARGE
    assert sender.heard[-1]["error"]["type"] == "/problems/frame-too-large"


async def test_sound_far_ahead_of_the_clock_is_refused(house):
    sender = await _sender(house)
    await sender.tell(type="session.update", audio_start_ms=0, started_at=timezone.now().isoformat())
    await sender.tell(type="session.update", audio_start_ms=600_000)
    await sender.sound(SAID[:3200])
    assert await sender.closed() == protocol.CLOSE_BAD_CONFIGURATION
    assert sender.heard[-1]["error"]["type"] == "/problems/stream-ahead"


@pytest.mark.parametrize("origin", [None, (b"origin", b"https://charlie.example")])
async def test_another_site_cannot_listen_with_the_counselors_cookie(house, origin):
    cookie = await sync_to_async(_cookie)(house["alice"])
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
    cookie = await sync_to_async(lambda: _cookie(factories.admin("dora")))()
    sender = Sender(house["session"].public_id, cookie=cookie, origin=ORIGIN)
    assert await _refused(sender) == ("content-not-visible", protocol.CLOSE_FORBIDDEN)


async def test_without_consent_nothing_is_heard(house):
    await sync_to_async(_withdraw)(house)
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


def _withdraw(house) -> None:
    privacy.withdraw_consent(
        client=house["ann"], purpose="voice_emotion", by=factories.TESTS, now=timezone.now()
    )


def _revoke_key(house) -> None:
    accounts.revoke_key(house["key"][0], by=factories.TESTS, now=timezone.now())


def _unlink(house) -> None:
    house["ann"].links.all().delete()


def _end(house) -> None:
    mark_ended(Session.objects.get(), reason=EndReason.EXPLICIT, ended_at=timezone.now())


TAKEN = {
    "key revoked": (_revoke_key, "access-revoked", protocol.CLOSE_REVOKED),
    "client unlinked": (_unlink, "access-revoked", protocol.CLOSE_REVOKED),
    "consent withdrawn": (_withdraw, "consent-required", protocol.CLOSE_FORBIDDEN),
    "session ended": (_end, "session-ended", protocol.CLOSE_CONFLICT),
}


@pytest.mark.parametrize(("take", "slug", "code"), TAKEN.values(), ids=TAKEN)
async def test_whoever_may_not_any_more_is_let_go(house, monkeypatch, take, slug, code):
    monkeypatch.setattr(connection, "CHECK_EVERY_S", 0.02)
    sender = await _sender(house)
    await sync_to_async(take)(house)
    assert await sender.closed(within_s=20) == code
    assert sender.heard[-1]["error"]["type"] == f"/problems/{slug}"


async def test_a_counselor_who_lost_the_client_is_let_go(house, monkeypatch):
    monkeypatch.setattr(connection, "CHECK_EVERY_S", 0.02)
    cookie = await sync_to_async(_cookie)(house["alice"])
    sender = await Sender(house["session"].public_id, cookie=cookie, origin=ORIGIN).opened()
    await sync_to_async(Assignment.objects.all().delete)()
    assert await sender.closed(within_s=20) == protocol.CLOSE_REVOKED


async def test_access_is_looked_at_often_enough():
    assert connection.CHECK_EVERY_S < 5


async def test_consent_withdrawn_between_two_looks_keeps_nothing_more(house):
    sender = await _sender(house)
    await sync_to_async(_withdraw)(house)
    await sender.sound(SAID)
    assert await sender.closed() == protocol.CLOSE_FORBIDDEN
    assert await _rows() == []
