"""One sender of one session's sound.

One task receives, one finds speech, one keeps turns in order, one looks whether the caller still may. What
waits between them is bounded: when finding or keeping is slow, nothing more is received until it has caught
up. A turn is told to be ended only when it is committed; reading it may take longer, and loses nothing.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from django.db import OperationalError
from django.utils import timezone

from analysis.values import RecognizerError
from emotrack.accounts.models import App, User
from emotrack.api.answers import Shown, reading_answer, utterance_answer, with_reading
from emotrack.api.errors import Problem
from emotrack.history.actions import StorageFull, refuse_future
from emotrack.history.models import Session, Utterance
from emotrack.live import protocol, threads
from emotrack.live.callers import Caller
from emotrack.live.hearing import Began, Event, Hearing, Moved, Setup, SoFar
from emotrack.live.inbox import Inbox
from emotrack.pipeline import SpokenTurn, hurry, keep_turn, open_stream, predict
from emotrack.recordings.actions import begin_stream

log = logging.getLogger("emotrack.live")

CHECK_EVERY_S = 4.0
"""Whoever lost access is let go within five seconds."""

POSITION_EVERY_MS = 5000
MOST_WAITING_BYTES = 4 * 1024 * 1024
MOST_TURNS_WAITING = 8
MOST_READINGS_AWAITED = 32
READ_WITHIN_S = 30.0
KEEP_AGAIN_AFTER_S = (0.2, 1.0, 3.0)
"""While the storage is busy or full; then the sender is told, who still has what was not kept."""

AHEAD = timedelta(minutes=1)


class Closing(Exception):
    """The connection ends in good order; the text says why, in one word."""


class Connection:
    """From the first look at the session until the socket is closed."""

    def __init__(
        self,
        caller: Caller,
        public_id: str,
        receive: Callable[[], Awaitable[MutableMapping[str, Any]]],
        send: Callable[[MutableMapping[str, Any]], Awaitable[None]],
    ) -> None:
        self.caller, self.public_id = caller, public_id
        self._receive, self._send = receive, send
        self._is_open = True
        self._inbox: Inbox[Moved] = Inbox(MOST_WAITING_BYTES)
        self._turns: asyncio.Queue[SpokenTurn | None] = asyncio.Queue(MOST_TURNS_WAITING)
        self._unkept = 0
        self._readings: set[asyncio.Task] = set()
        self._provisional: asyncio.Task | None = None
        self._speaking_ms: int | None = None
        self._setup = Setup()
        self._told_ms = 0

    async def run(self) -> None:
        try:
            await threads.run(threads.keeping, self._admit)
        except Exception as error:
            await self._refuse(error)
            return
        self._hearing = Hearing(self.stream.done_ms)
        self._committed_ms = self._at_ms = self.stream.done_ms
        await self._tell(
            "session.created",
            session=self.public_id,
            committed_ms=self._committed_ms,
            elapsed_ms=self._elapsed_ms(),
        )
        take, check = asyncio.create_task(self._take()), asyncio.create_task(self._check())
        hear, keep = asyncio.create_task(self._hear()), asyncio.create_task(self._keep())
        try:
            await asyncio.wait([take, check, hear, keep], return_when=asyncio.FIRST_COMPLETED)
            take.cancel()
            check.cancel()
            self._inbox.close()
            await asyncio.wait([hear, keep], return_when=asyncio.FIRST_EXCEPTION)
            await self._say_why(_first_error(keep, hear, check, take))
        finally:
            left = [take, check, hear, keep, *self._readings]
            for task in left:
                task.cancel()
            await asyncio.gather(*left, return_exceptions=True)

    def _admit(self) -> None:
        """Look up who asks and for what, and take over the session's stream."""
        self.viewer, self.session = self._allowed()
        self.caller.count(self.viewer)
        self.stream = open_stream(
            session=self.session,
            by=self.viewer.actor,
            now=timezone.now(),
            app=self.viewer if isinstance(self.viewer, App) else None,
            user=self.viewer if isinstance(self.viewer, User) else None,
        )

    def _elapsed_ms(self) -> int | None:
        """How long ago the first sample was spoken; ``None`` before there was one."""
        began = self.stream.started_at
        return None if began is None else max(0, round(1000 * (timezone.now() - began).total_seconds()))

    def _allowed(self) -> tuple[App | User, Session]:
        if not self.public_id:
            raise Problem("not-found", "Name a session: /ws/listen?session=ID.", status=404)
        return self.caller.session(self.public_id)

    # --- Receiving ------------------------------------------------------------------------------

    async def _take(self) -> None:
        while True:
            await self._inbox.room()
            message = await self._receive()
            if message["type"] == "websocket.disconnect":
                self._is_open = False
                return
            sound = message.get("bytes")
            if sound is not None:
                await self._frame(sound)
            else:
                await self._message(message.get("text") or "")

    async def _frame(self, sound: bytes) -> None:
        if len(sound) > protocol.LARGEST_FRAME:
            raise Problem("frame-too-large", f"At most {protocol.LARGEST_FRAME} bytes.", status=413)
        if len(sound) % 2 or not sound:
            await self._bad_frame("Sound comes in whole 16-bit samples, little-endian, one channel.")
            return
        self._at_ms += 500 * len(sound) / self._setup.rate_hz
        now = timezone.now()
        if self.stream.started_at is None:
            await self._begin(now - timedelta(milliseconds=self._at_ms))
        elif self.stream.started_at + timedelta(milliseconds=self._at_ms) > now + AHEAD:
            raise Problem("stream-ahead", "Say in started_at when the first sample was spoken.", status=422)
        self._inbox.put(sound)

    async def _message(self, text: str) -> None:
        if len(text) > protocol.LARGEST_TEXT:
            raise Problem("frame-too-large", f"At most {protocol.LARGEST_TEXT} characters.", status=413)
        try:
            message = protocol.parsed(text)
        except protocol.BadFrame as error:
            await self._bad_frame(str(error))
            return
        if message["type"] == "session.close":
            raise Closing("closed")
        await self._update(message)

    async def _bad_frame(self, detail: str) -> None:
        problem = Problem("bad-frame", detail, status=400)
        await self._tell("error", error=problem.body(), closing=False)

    async def _update(self, message: dict[str, Any]) -> None:
        if "started_at" in message:
            refuse_future(message["started_at"], timezone.now(), "/started_at")
            await self._begin(message["started_at"])
        old = self._setup
        self._setup = replace(
            old,
            rate_hz=message.get("rate", old.rate_hz),
            interval_ms=message.get("interval", old.interval_ms),
            language=message.get("language", old.language),
            speaker=message.get("speaker", old.speaker),
        )
        to_ms = message.get("audio_start_ms")
        self._at_ms = self._at_ms if to_ms is None else to_ms
        self._inbox.put(Moved(self._setup, to_ms))
        await self._tell(
            "session.updated",
            rate=self._setup.rate_hz,
            interval=self._setup.interval_ms,
            language=self._setup.language or None,
            speaker=self._setup.speaker,
        )

    async def _begin(self, at: datetime) -> None:
        await threads.run(threads.keeping, lambda: begin_stream(self.stream, started_at=at))

    # --- Finding turns --------------------------------------------------------------------------

    async def _hear(self) -> None:
        while (items := await self._inbox.take()) is not None:
            for event in await threads.run(threads.hearing, self._hearing.take, items):
                await self._happened(event)
            await self._tell_position()
        for turn in await threads.run(threads.hearing, self._hearing.flush):
            await self._happened(turn)
        await self._turns.put(None)

    async def _happened(self, event: Event) -> None:
        if isinstance(event, SpokenTurn):
            self._speaking_ms = None
            self._unkept += 1
            await self._turns.put(event)
        elif isinstance(event, Began):
            self._speaking_ms = event.start_ms
            await self._tell("utterance.start", audio_start_ms=event.start_ms, speaker=self._setup.speaker)
        elif self._provisional is None or self._provisional.done():
            self._provisional = asyncio.create_task(self._read_so_far(event))
            self._await(self._provisional)

    async def _tell_position(self) -> None:
        """The sender may forget what lies before ``committed_ms``: it was kept, or was silence."""
        if not self._unkept:
            self._committed_ms = max(self._committed_ms, self._hearing.settled_ms)
        received_ms = self._hearing.received_ms
        if received_ms - self._told_ms >= POSITION_EVERY_MS:
            self._told_ms = received_ms
            await self._tell("session.position", received_ms=received_ms, committed_ms=self._committed_ms)

    # --- Keeping and reading --------------------------------------------------------------------

    async def _keep(self) -> None:
        while (turn := await self._turns.get()) is not None:
            utterance = await self._kept(turn)
            self._unkept -= 1
            self._committed_ms = turn.turn.end_ms
            place = {"audio_start_ms": turn.turn.start_ms, "audio_end_ms": turn.turn.end_ms}
            named = utterance.public_id if utterance else None
            await self._tell("utterance.end", utterance=named, committed_ms=self._committed_ms, **place)
            if utterance is not None:
                self._await(asyncio.create_task(self._tell_reading(utterance, place)))

    async def _kept(self, turn: SpokenTurn) -> Utterance | None:
        for wait_s in KEEP_AGAIN_AFTER_S:
            try:
                return await threads.run(threads.keeping, self._keep_turn, turn)
            except (OperationalError, StorageFull) as error:
                log.warning("a turn cannot be kept now: %s", type(error).__name__)
                await asyncio.sleep(wait_s)
        return await threads.run(threads.keeping, self._keep_turn, turn)

    def _keep_turn(self, turn: SpokenTurn) -> Utterance | None:
        return keep_turn(self.stream, turn, by=self.viewer.actor, now=timezone.now())

    async def _tell_reading(self, utterance: Utterance, place: dict[str, int]) -> None:
        wait_s = READ_WITHIN_S if len(self._readings) <= MOST_READINGS_AWAITED else 0.0
        answer = await threads.run(threads.reading, _reading_of, utterance, wait_s)
        if answer is None:
            return
        await self._tell("measurement", trigger="speech_ended", utterance=answer, **place)
        for alert in answer["alerts"]:
            await self._tell("alert", utterance=utterance.public_id, alert=alert)

    async def _read_so_far(self, so_far: SoFar) -> None:
        """Provisional: not stored, and of no use once the turn has ended."""
        try:
            answer = await threads.run(threads.reading, _provisional, so_far.sound, self.session)
        except RecognizerError as error:
            log.info("no provisional reading: %s", error)
            return
        if self._speaking_ms == so_far.start_ms:
            place = {"audio_start_ms": so_far.start_ms, "audio_end_ms": so_far.end_ms}
            await self._tell("measurement", trigger="interval", utterance=answer, **place)

    def _await(self, reading: asyncio.Task) -> None:
        self._readings.add(reading)
        reading.add_done_callback(self._read)

    def _read(self, reading: asyncio.Task) -> None:
        self._readings.discard(reading)
        if not reading.cancelled() and (error := reading.exception()):
            log.error("a reading could not be told", exc_info=error)

    # --- The end --------------------------------------------------------------------------------

    async def _check(self) -> None:
        while True:
            await asyncio.sleep(CHECK_EVERY_S)
            await threads.run(threads.keeping, self._still_allowed)

    def _still_allowed(self) -> None:
        try:
            self._allowed()
        except Problem as problem:
            if problem.status in (401, 403, 404):
                raise Problem("access-revoked", status=401) from problem
            raise

    async def _say_why(self, error: BaseException | None) -> None:
        if isinstance(error, Closing):
            if self._readings:
                await asyncio.wait(self._readings, timeout=READ_WITHIN_S)
            await self._tell("session.closed", reason=str(error), committed_ms=self._committed_ms)
            await self._close(1000)
        elif error is not None:
            await self._refuse(error)

    async def _refuse(self, error: BaseException) -> None:
        problem = protocol.problem_for(error)
        if problem.status == 500:
            log.error("listening broke", exc_info=error)
        await self._tell("error", error=problem.body(), closing=True)
        await self._close(protocol.close_code(problem))

    async def _tell(self, kind: str, **fields: Any) -> None:
        if self._is_open:
            await self._sent({"type": "websocket.send", "text": protocol.written(kind, **fields)})

    async def _close(self, code: int) -> None:
        if self._is_open:
            await self._sent({"type": "websocket.close", "code": code})
            self._is_open = False

    async def _sent(self, message: dict[str, Any]) -> None:
        try:
            await self._send(message)
        except OSError:  # the sender has gone; what they said is kept all the same
            self._is_open = False


def _first_error(*tasks: asyncio.Task) -> BaseException | None:
    """What ended it; the first tasks weigh most."""
    ended = [task for task in tasks if task.done() and not task.cancelled()]
    return next((error for task in ended if (error := task.exception())), None)


def _reading_of(utterance: Utterance, wait_s: float) -> dict[str, Any] | None:
    """The answer that a post of this utterance would have had; ``None`` when it was deleted meanwhile."""
    try:
        hurry(utterance, wait_s=wait_s)
        found = with_reading(Utterance.objects).get(pk=utterance.pk)
    except Utterance.DoesNotExist:
        return None
    return utterance_answer(found, Shown())


def _provisional(sound: bytes, session: Session) -> dict[str, Any]:
    found = predict(sound, session)
    return reading_answer(found.reading, found.scores) | {"warnings": list(found.warnings)}
