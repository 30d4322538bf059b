"""A voice assistant's side: post what was said, turn by turn, and let the answer shape the reply.

    python examples/assistant.py --key emo_… [folder of audio files]

The files of a folder are one conversation, in the order of their names. A name may end in who speaks, as in
``04-client.opus`` or ``05-counselor.opus``; a text file beside it (``04-client.txt``) is its transcript.
Without a folder the sample conversation is posted. Nothing but Python's standard library is needed.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

SAMPLE = Path(__file__).resolve().parents[1] / "emotrack" / "sample" / "audio"
AUDIO = {".wav", ".mp3", ".m4a", ".flac", ".ogg", ".opus", ".webm"}
SPEAKERS = {"client", "counselor", "assistant", "other"}
TRY_AGAIN = {409, 429, 500, 502, 503, 504, 507}
"""Nothing is wrong with a request that is answered so: the same one may succeed later."""

READING_WAIT_S = 10
POLL_S = 1.0
TURN_SPACING = timedelta(seconds=10)


@dataclass(frozen=True)
class Turn:
    """One file of a conversation."""

    path: Path
    speaker: str
    transcript: str | None


class Refused(Exception):
    """EmoTrack will not take this, however often it is sent; the text says why."""


def turns(folder: Path) -> Iterator[Turn]:
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() in AUDIO:
            ending = path.stem.rpartition("-")[2]
            words = path.with_suffix(".txt")
            yield Turn(
                path,
                ending if ending in SPEAKERS else "client",
                words.read_text(encoding="utf-8").strip() if words.exists() else None,
            )


@dataclass
class EmoTrack:
    """The API, as far as an assistant needs it. ``sleep`` takes seconds."""

    url: str
    key: str
    tries: int = 8
    sleep: Callable[[float], None] = time.sleep

    def post_turn(self, turn: Turn, spoken_at: datetime, *, client: str, session: str, language: str) -> dict:
        """The answer to one turn; a retry carries the same key, so that nothing is doubled."""
        sound = turn.path.read_bytes()
        fields = {
            "client": client,
            "session": session,
            "speaker": turn.speaker,
            "occurred_at": spoken_at.isoformat(),
            "language": language,
        }
        if turn.transcript:
            fields["text"] = turn.transcript
        boundary = uuid.uuid4().hex
        headers = {
            "Content-Type": f"multipart/form-data; boundary={boundary}",
            "Idempotency-Key": idempotency_key(session, turn, sound),
            "Prefer": f"wait={READING_WAIT_S}",
        }
        answer = self._send("/api/v1/utterances", form(boundary, fields, turn.path.name, sound), headers)
        while answer["status"] == "queued":
            self.sleep(POLL_S)
            answer = self._send(f"/api/v1/utterances/{answer['id']}")
        return answer

    def _send(self, path: str, body: bytes | None = None, headers: dict[str, str] | None = None) -> dict:
        for attempt in range(1, self.tries + 1):
            request = urllib.request.Request(self.url + path, body, headers or {})
            request.add_header("Authorization", f"Bearer {self.key}")
            try:
                with urllib.request.urlopen(request, timeout=READING_WAIT_S + 30) as response:
                    return json.load(response)
            except urllib.error.HTTPError as error:
                if error.code not in TRY_AGAIN:
                    raise Refused(_reason(error)) from error
                pause = float(error.headers.get("Retry-After") or _pause(attempt))
            except (urllib.error.URLError, ConnectionError, TimeoutError) as error:
                print(f"  no connection ({error}); the same turn goes out again", file=sys.stderr)
                pause = _pause(attempt)
            self.sleep(pause)
        raise Refused(f"no answer after {self.tries} tries")


def _pause(attempt: int) -> float:
    """Seconds: doubling up to 30, a little different for everybody."""
    return min(30.0, 0.5 * 2**attempt) * random.uniform(0.5, 1.0)


def _reason(error: urllib.error.HTTPError) -> str:
    try:
        problem = json.load(error)
        return f"{error.code} {problem['type']}: {problem['detail']}"
    except (ValueError, KeyError):
        return f"{error.code} {error.reason}"


def idempotency_key(session: str, turn: Turn, sound: bytes) -> str:
    """The same turn of the same conversation has the same key, in this run and in the next."""
    told = "\n".join([session, turn.path.name, turn.speaker, turn.transcript or ""]).encode()
    return hashlib.sha256(told + sound).hexdigest()


def form(boundary: str, fields: dict[str, str], filename: str, sound: bytes) -> bytes:
    """A multipart/form-data body with the sound as its part ``audio``."""
    lines = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    ]
    safe = filename.replace('"', "")
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="audio"; filename="{safe}"\r\n'
    kind = "Content-Type: application/octet-stream\r\n\r\n"
    return "".join([*lines, head, kind]).encode() + sound + f"\r\n--{boundary}--\r\n".encode()


def reaction(answer: dict) -> str:
    """What an assistant does now: the one place where a reading turns into behavior."""
    if answer["status"] == "failed":
        return f"reply as usual (no reading: {answer['failure']})"
    if answer["fallback_action"]:
        return f"{answer['fallback_action']}: say “{answer['suggested_response']}”"
    if answer["response_strategy"]:
        manner = answer["response_strategy"]
        return f"{manner['strategy']}: {manner['tone']}; {manner['do']}; avoid {manner['avoid']}"
    return "listen (only the client is read)"


def described(answer: dict) -> str:
    """The reading in one line: a prompt to look, not a finding."""
    if answer["emotion"] is None:
        return answer["reading"] or answer["status"]
    moves = answer["volatility"]["z"] if answer["volatility"] else None
    return (
        f"may sound {answer['emotion']} ({answer['confidence']:.0%}), {answer['reading']}"
        f"{'' if moves is None else f', volatility z {moves:+.1f}'}"
        f"{''.join(' · ALERT ' + alert['title'] for alert in answer['alerts'])}"
    )


def converse(
    emotrack: EmoTrack, folder: Path, ended_at: datetime, *, client: str, session: str, language: str
) -> int:
    """Post every turn; how many there were. Files do not say when they were spoken, so turns are spaced."""
    conversation = list(turns(folder))
    for left, turn in zip(range(len(conversation), 0, -1), conversation, strict=True):
        spoken_at = ended_at - left * TURN_SPACING
        answer = emotrack.post_turn(turn, spoken_at, client=client, session=session, language=language)
        print(f"{turn.path.name} ({turn.speaker}): {described(answer)}")
        print(f"  → {reaction(answer)}")
    return len(conversation)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument(
        "folder", nargs="?", type=Path, default=SAMPLE, help="audio files of one conversation"
    )
    parser.add_argument("--url", default="http://127.0.0.1:8000")
    parser.add_argument("--key", default=os.environ.get("EMOTRACK_KEY"), help="or set EMOTRACK_KEY")
    parser.add_argument("--client", default="example-client", help="what your app calls the person")
    now = datetime.now().astimezone().replace(microsecond=0)
    parser.add_argument("--session", default=f"example-{now:%Y-%m-%dT%H-%M-%S}")
    parser.add_argument(
        "--ended-at",
        type=datetime.fromisoformat,
        default=now,
        help="with its offset from UTC; the same session and end sent again resume what was cut short",
    )
    parser.add_argument("--language", default="en")
    options = parser.parse_args(arguments)
    if not options.key:
        parser.error("give a key with --key or EMOTRACK_KEY")
    emotrack = EmoTrack(options.url.rstrip("/"), options.key)
    try:
        count = converse(
            emotrack,
            options.folder,
            options.ended_at,
            client=options.client,
            session=options.session,
            language=options.language,
        )
    except Refused as refused:
        print(f"EmoTrack refused: {refused}", file=sys.stderr)
        return 1
    if not count:
        print(f"There is no audio file in {options.folder}.", file=sys.stderr)
    return 0 if count else 1


if __name__ == "__main__":
    sys.exit(main())
