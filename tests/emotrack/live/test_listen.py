"""Sound that is streamed becomes turns: each once, kept before it is told, read as if it had been posted."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import numpy as np
import pytest
from asgiref.sync import sync_to_async
from django.db import OperationalError

from analysis.turns import wav_of
from emotrack.history.actions import read_audio
from emotrack.history.models import Utterance
from emotrack.live import connection, protocol
from emotrack.recordings.models import Part
from tests.emotrack.live.listening import as_described, cookie_of, kept_rows, sender_in
from tests.emotrack.live.sender import ORIGIN, RATE_HZ, SAID, Sender

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.asyncio]


def _slice(start_ms: int, end_ms: int, rate: int = RATE_HZ, pcm: bytes = SAID) -> bytes:
    first, last = (2 * round(at * rate / 1000) for at in (start_ms, end_ms))
    return pcm[first:last]


# --- In good order --------------------------------------------------------------------------------


async def test_two_turns_are_told_kept_and_read(house):
    sender = await sender_in(house)
    await sender.sound(SAID)
    heard = await sender.finish()
    for message in heard:
        as_described(message)
    kinds = [m["type"] for m in heard]
    assert kinds.count("utterance.start") == kinds.count("utterance.end") == kinds.count("measurement") == 2
    assert kinds[-1] == "session.closed" and heard[-1]["reason"] == "closed"
    rows = await kept_rows()
    ends = sender.of("utterance.end")
    assert [row.public_id for row in rows] == [end["utterance"] for end in ends]
    assert [row.status for row in rows] == ["analyzed", "analyzed"]
    measured = {m["utterance"]["id"]: m for m in sender.of("measurement")}
    assert {m["trigger"] for m in measured.values()} == {"speech_ended"}
    assert [measured[row.public_id]["utterance"]["emotion"] for row in rows] == ["sad", "angry"]


async def test_the_slice_that_is_named_holds_the_very_sound_that_was_sent(house):
    sender = await sender_in(house)
    await sender.sound(SAID, step_ms=70)
    await sender.finish()
    rows, ends = await kept_rows(), sender.of("utterance.end")
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
    sender = await sender_in(house)
    await sender.sound(SAID)
    end = await sender.next("utterance.end")
    assert order and order[0] == ("kept", True)
    assert end["committed_ms"] == end["audio_end_ms"]
    await sender.finish()


async def test_the_speaker_can_change_and_only_the_client_is_read(house):
    sender = await sender_in(house)
    half = len(SAID) // 2 // 2 * 2
    await sender.tell(type="session.update", speaker="counselor", language="de")
    await sender.sound(SAID[:half])
    await sender.tell(type="session.update", speaker="client")
    await sender.sound(SAID[half:])
    await sender.finish()
    rows = await kept_rows()
    assert [(r.speaker, r.language) for r in rows] == [("counselor", "de"), ("client", "de")]
    assert [m["utterance"]["reading"] for m in sender.of("measurement")] == [None, "ok"]


async def test_a_provisional_reading_is_told_and_never_stored(house):
    sender = await sender_in(house)
    await sender.tell(type="session.update", interval=500)
    for start in range(0, len(SAID), 3200):
        await sender.send_to(bytes_data=SAID[start : start + 3200])
        await asyncio.sleep(0.02)
    await sender.finish()
    for message in sender.heard:
        as_described(message)
    provisional = [m for m in sender.of("measurement") if m["trigger"] == "interval"]
    assert provisional and all("id" not in m["utterance"] for m in provisional)
    assert len(await kept_rows()) == 2


async def test_silence_becomes_nothing_and_the_sender_is_told_to_forget_it(house):
    sender = await sender_in(house)
    await sender.sound(bytes(2 * RATE_HZ * 12))
    position = await sender.next("session.position")
    assert position["received_ms"] - position["committed_ms"] <= 300
    await sender.finish()
    assert await kept_rows() == []


async def test_a_page_streams_with_its_cookie_and_origin(house):
    cookie = await sync_to_async(cookie_of)(house["alice"])
    sender = await Sender(house["session"].public_id, cookie=cookie, origin=ORIGIN).opened()
    await sender.sound(SAID)
    await sender.finish()
    assert len(await kept_rows()) == 2


@pytest.mark.parametrize("rate", [8000, 44100, 48000])
async def test_any_rate_is_kept_as_it_came(house, rate):
    import soxr

    said = soxr.resample(np.frombuffer(SAID, "<i2").astype(np.float32) / 32768, RATE_HZ, rate)
    pcm = np.clip(np.rint(said * 32768), -32768, 32767).astype("<i2").tobytes()
    sender = await sender_in(house)
    await sender.tell(type="session.update", rate=rate)
    await sender.sound(pcm, rate=rate)
    await sender.finish()
    rows, ends = await kept_rows(), sender.of("utterance.end")
    assert len(rows) == 2
    for row, end in zip(rows, ends, strict=True):
        sound = wav_of(_slice(end["audio_start_ms"], end["audio_end_ms"], rate, pcm), rate)
        assert await sync_to_async(read_audio)(row.audio) == sound


# --- When the line breaks -------------------------------------------------------------------------


async def test_what_was_said_when_the_line_broke_is_kept_and_goes_on_from_there(house):
    sender = await sender_in(house)
    cut = 2 * RATE_HZ * 2  # in the middle of the first turn
    await sender.sound(SAID[:cut])
    await sender.vanish()
    (first,) = await kept_rows()
    again = Sender(house["session"].public_id, house["key"][1])
    await again.connect(timeout=20)
    committed = (await again.next("session.created"))["committed_ms"]
    assert 1900 <= committed <= 2000
    await again.tell(type="session.update", audio_start_ms=committed)
    await again.sound(SAID[2 * RATE_HZ * committed // 1000 :])
    await again.finish()
    rows = await kept_rows()
    assert rows[0].pk == first.pk and len(rows) == 3
    kept = b"".join([(await sync_to_async(read_audio)(row.audio))[44:] for row in rows])
    ends = [await sync_to_async(lambda r=row: (r.part.start_ms, r.part.end_ms))() for row in rows]
    assert kept == b"".join(_slice(*place) for place in ends)
    assert ends[0][1] == ends[1][0] == committed


async def test_sending_everything_again_doubles_nothing(house):
    sender = await sender_in(house)
    await sender.sound(SAID)
    await sender.finish()
    again = await sender_in(house)
    await again.tell(type="session.update", audio_start_ms=0)
    await again.sound(SAID)
    await again.finish()
    assert len(await kept_rows()) == 2
    assert await sync_to_async(Part.objects.count)() == 2


async def test_a_sender_who_resends_half_a_turn_loses_nothing_of_it(house):
    sender = await sender_in(house)
    await sender.sound(SAID[: 2 * RATE_HZ * 2])
    await sender.vanish()
    again = await sender_in(house)
    await again.tell(type="session.update", audio_start_ms=1000)
    await again.sound(SAID[2 * RATE_HZ :])
    await again.finish()
    places = await sync_to_async(list)(Part.objects.order_by("start_ms").values_list("start_ms", "end_ms"))
    assert len(places) == 3 and places[0][1] == places[1][0]


async def test_a_pause_is_a_gap_on_the_time_axis(house):
    sender = await sender_in(house)
    half = 2 * RATE_HZ * 3
    await sender.sound(SAID[:half])
    await sender.tell(type="session.update", audio_start_ms=33_000)
    await sender.sound(SAID[half:])
    await sender.finish()
    first, second = await kept_rows()
    assert second.occurred_at - first.occurred_at > timedelta(seconds=30)


async def test_a_new_connection_takes_over_and_the_old_one_writes_no_more(house):
    old = await sender_in(house)
    await old.sound(SAID[: 2 * RATE_HZ * 2])
    new = await sender_in(house)
    await old.sound(SAID[2 * RATE_HZ * 2 :])
    assert await old.closed() == protocol.CLOSE_CONFLICT
    assert old.heard[-1]["error"]["type"] == "/problems/stream-superseded"
    assert await kept_rows() == []
    await new.sound(SAID)
    await new.finish()
    assert len(await kept_rows()) == 2


async def test_a_busy_storage_is_tried_again_and_loses_nothing(house, monkeypatch):
    kept, tries = connection.keep_turn, []

    def busy_at_first(*args, **more):
        tries.append(1)
        if len(tries) < 3:
            raise OperationalError("database is locked")
        return kept(*args, **more)

    monkeypatch.setattr(connection, "KEEP_AGAIN_AFTER_S", (0.01, 0.01, 0.01))
    monkeypatch.setattr(connection, "keep_turn", busy_at_first)
    sender = await sender_in(house)
    await sender.sound(SAID)
    await sender.finish()
    assert len(await kept_rows()) == 2


async def test_a_storage_that_stays_busy_is_told_and_the_sender_knows_what_to_resend(house, monkeypatch):
    def busy(*args, **more):
        raise OperationalError("database is locked")

    monkeypatch.setattr(connection, "KEEP_AGAIN_AFTER_S", (0.01,))
    monkeypatch.setattr(connection, "keep_turn", busy)
    sender = await sender_in(house)
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
    sender = await sender_in(house)
    await sender.sound(SAID * 3)
    await sender.finish()
    assert len(await kept_rows()) == 6


async def test_a_slow_recognizer_delays_the_reading_and_not_the_keeping(house, fake_recognizer, monkeypatch):
    monkeypatch.setattr(connection, "READ_WITHIN_S", 0.1)
    fake_recognizer.hold.clear()
    sender = await sender_in(house)
    await sender.sound(SAID)
    ends = [await sender.next("utterance.end") for _ in range(2)]
    late = await sender.next("measurement")
    assert len(ends) == 2 and late["utterance"]["status"] == "queued"
    fake_recognizer.hold.set()
    await sender.finish()
