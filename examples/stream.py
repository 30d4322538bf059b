"""A microphone's side: stream a WAV file into a session as if it were spoken now, and print each reading.

    python examples/stream.py --key emo_… talk.wav

The file holds 16-bit samples; of several channels the first is sent. When the line breaks, the rest is sent
again from where everything is kept, so that nothing is lost and nothing doubled. Needs ``websockets``, which
comes with what ``make run`` installs.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import urllib.error
import urllib.request
import wave
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

STEP_MS = 100
PAUSES_S = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0)
"""Before each new attempt when the line broke."""


class Refused(Exception):
    """EmoTrack will not take this, however often it is sent; the text says why."""


@dataclass(frozen=True)
class Sound:
    """One channel of 16-bit little-endian samples. rate: samples per second."""

    pcm: bytes
    rate: int

    def steps(self, from_ms: int) -> list[bytes]:
        """What is still to be sent, a tenth of a second at once."""
        start, step = 2 * round(from_ms * self.rate / 1000), 2 * round(STEP_MS * self.rate / 1000)
        return [self.pcm[at : at + step] for at in range(start, len(self.pcm), step)]


def sound_of(path: Path) -> Sound:
    with wave.open(str(path)) as file:
        if file.getsampwidth() != 2:
            raise Refused(f"{path} has {8 * file.getsampwidth()}-bit samples; 16-bit ones are needed.")
        frames, channels = file.readframes(file.getnframes()), file.getnchannels()
        whole = 2 * channels
        first = b"".join(frames[at : at + 2] for at in range(0, len(frames), whole))
        return Sound(frames if channels == 1 else first, file.getframerate())


@dataclass
class EmoTrack:
    """Where to stream to. real_time: send no faster than people speak. say: takes each line of words."""

    url: str
    key: str
    real_time: bool = True
    say: Callable[[str], None] = print

    def open_session(self, client: str) -> str:
        """The public id of a new session with the person whom your app calls ``client``."""
        person = self._post("clients", {"external_id": client})
        return self._post(f"clients/{person['id']}/sessions", {})["id"]

    def _post(self, path: str, body: dict) -> dict:
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
        asked = urllib.request.Request(f"{self.url}/api/v1/{path}", json.dumps(body).encode(), headers)
        try:
            with urllib.request.urlopen(asked, timeout=30) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise Refused(f"{error.code} {error.read().decode(errors='replace')}") from error

    async def stream(self, session: str, sound: Sound) -> None:
        """Send all of it, on as many lines as that takes."""
        for pause_s in (*PAUSES_S, None):
            try:
                return await self._on_one_line(session, sound)
            except InvalidStatus as error:
                raise Refused(f"the handshake was answered with {error.response.status_code}") from error
            except (OSError, ConnectionClosed) as error:
                if pause_s is None:
                    raise Refused(f"no line after {len(PAUSES_S) + 1} tries") from error
                print(f"  the line broke ({error}); going on where everything is kept", file=sys.stderr)
                await asyncio.sleep(pause_s)

    async def _on_one_line(self, session: str, sound: Sound) -> None:
        """Raises ``ConnectionClosed`` where the line ends before EmoTrack said that it has everything."""
        address = f"{self.url.replace('http', 'ws', 1)}/ws/listen?session={session}"
        async with connect(address, additional_headers={"Authorization": f"Bearer {self.key}"}) as line:
            created = self._heard(await line.recv())
            sending = asyncio.create_task(self._send(line, sound, created["committed_ms"]))
            try:
                while self._heard(await line.recv())["type"] != "session.closed":
                    pass
            finally:
                sending.cancel()
                await asyncio.gather(sending, return_exceptions=True)  # what broke the line is raised above

    async def _send(self, line: ClientConnection, sound: Sound, from_ms: int) -> None:
        told = {"type": "session.update", "rate": sound.rate, "audio_start_ms": from_ms}
        await line.send(json.dumps(told))
        for step in sound.steps(from_ms):
            await line.send(step)
            if self.real_time:
                await asyncio.sleep(STEP_MS / 1000)
        await line.send(json.dumps({"type": "session.close"}))

    def _heard(self, text: str | bytes) -> dict:
        """The message, said in words where it is a reading, an alert or an error that ends the session."""
        message = json.loads(text)
        if message["type"] == "measurement":
            self.say(described(message))
        elif message["type"] == "alert":
            self.say(f"  ALERT {message['alert']['title']}")
        elif message["type"] == "error":
            problem = message["error"]
            if message["closing"] and problem["status"] < 500:
                raise Refused(f"{problem['status']} {problem['type']}: {problem['detail']}")
            print(f"  {problem['title']}", file=sys.stderr)
        return message


def described(message: dict) -> str:
    """One reading in one line: a prompt to look, not a finding."""
    start, stop = message["audio_start_ms"] / 1000, message["audio_end_ms"] / 1000
    reading = message["utterance"]
    if reading["emotion"] is None:
        return f"{start:6.1f} – {stop:.1f} s: {reading['reading'] or reading.get('status')}"
    return f"{start:6.1f} – {stop:.1f} s: may sound {reading['emotion']} ({reading['confidence']:.0%})"


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("file", type=Path, help="a WAV file with 16-bit samples")
    parser.add_argument("--url", default="http://127.0.0.1:8000")
    parser.add_argument("--key", default=os.environ.get("EMOTRACK_KEY"), help="or set EMOTRACK_KEY")
    parser.add_argument("--client", default="example-client", help="what your app calls the person")
    parser.add_argument("--fast", action="store_true", help="as fast as it is taken, not as it was spoken")
    options = parser.parse_args(arguments)
    if not options.key:
        parser.error("give a key with --key or EMOTRACK_KEY")
    emotrack = EmoTrack(options.url.rstrip("/"), options.key, real_time=not options.fast)
    try:
        session = emotrack.open_session(options.client)
        asyncio.run(emotrack.stream(session, sound_of(options.file)))
    except (Refused, OSError, wave.Error) as error:
        print(f"Not streamed: {error}", file=sys.stderr)
        return 1
    print(f"It stands at {emotrack.url}/sessions/{session}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
