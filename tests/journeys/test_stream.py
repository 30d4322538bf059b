"""The streaming example before a real server: a broken line loses nothing and doubles nothing."""

from __future__ import annotations

import asyncio
import re
import socket
import threading
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from emotrack.history.models import Utterance
from examples import stream
from tests.analysis import sounds
from tests.emotrack import factories
from tests.emotrack.live.sender import SAID

pytest_plugins = ["tests.emotrack.api.live_site"]

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("fake_recognizer"),
]


@pytest.fixture
def key(transactional_db) -> str:
    alice = factories.counselor("alice")
    return factories.key(factories.app("Microphone", (alice,)))[1]


@pytest.fixture
def talk(tmp_path) -> Path:
    """Two turns; on a second channel a loud other voice that must not be sent."""
    spoken = np.frombuffer(SAID, "<i2") / 32768
    other = np.resize(sounds.spoken(3.0, seed=9), len(spoken))
    path = tmp_path / "talk.wav"
    path.write_bytes(sounds.wav(np.column_stack([spoken, other])))
    return path


def test_each_turn_is_told_with_its_time_and_kept_once(site, key, talk, capsys):
    told = ["--url", f"http://127.0.0.1:{site}", "--key", key, "--fast", str(talk)]
    assert stream.main(told) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3 and lines[-1].startswith(f"It stands at http://127.0.0.1:{site}/sessions/")
    assert all(re.match(r" +\d+\.\d – \d+\.\d s: may sound \w+ \(\d+%\)", line) for line in lines[:2])
    assert Utterance.objects.count() == 2


class LossyLine:
    """Stands before the site and cuts the first line after so many bytes went up."""

    def __init__(self, port: int, after: int) -> None:
        self.port, self.after, self.cuts = port, after, 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.own_port = self.listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                caller, _address = self.listener.accept()
            except OSError:
                return
            site = socket.create_connection(("127.0.0.1", self.port))
            threading.Thread(target=self._pass, args=(site, caller, None), daemon=True).start()
            most = None if self.cuts else self.after
            threading.Thread(target=self._pass, args=(caller, site, most), daemon=True).start()

    def _pass(self, start: socket.socket, end: socket.socket, most: int | None) -> None:
        passed = 0
        try:
            while data := start.recv(4096):
                passed += len(data)
                if most is not None and passed > most:
                    self.cuts += 1
                    break
                end.sendall(data)
        except OSError:
            self.cuts += most is not None and not self.cuts
        for line in (start, end):
            line.close()


def test_a_line_that_breaks_loses_and_doubles_nothing(site, key, talk, monkeypatch):
    monkeypatch.setattr(stream, "PAUSES_S", (0.1,) * 6)
    said: list[str] = []
    straight = stream.EmoTrack(f"http://127.0.0.1:{site}", key, real_time=False, say=said.append)
    whole, session, sound = (
        straight.open_session("ben"),
        straight.open_session("ann"),
        stream.sound_of(talk),
    )
    asyncio.run(straight.stream(whole, sound))
    line = LossyLine(site, after=len(sound.pcm) // 2)
    broken = stream.EmoTrack(f"http://127.0.0.1:{line.own_port}", key, real_time=False, say=said.append)
    asyncio.run(broken.stream(session, sound))
    line.listener.close()
    assert line.cuts == 1
    kept, straight_on = turns_of(session), turns_of(whole)
    assert (
        len(straight_on) == 2 and 2 <= len(kept) <= 3
    )  # a line that breaks while somebody speaks ends the turn
    assert all(earlier[1] <= later[0] for earlier, later in pairwise(kept))
    assert spoken_s(kept) == pytest.approx(spoken_s(straight_on), abs=0.5)


def turns_of(session: str) -> list[tuple[datetime, datetime]]:
    """When each kept turn of a session began and ended."""
    rows = Utterance.objects.filter(session__public_id=session).in_order()
    return [(row.occurred_at, row.occurred_at + timedelta(milliseconds=row.duration_ms)) for row in rows]


def spoken_s(turns: list[tuple[datetime, datetime]]) -> float:
    return sum((end - start).total_seconds() for start, end in turns)


def test_a_key_that_is_not_valid_is_said_so_at_once(site, transactional_db, talk, capsys):
    told = ["--url", f"http://127.0.0.1:{site}", "--key", "emo_a_b", str(talk)]
    assert stream.main(told) == 1
    assert "401" in capsys.readouterr().err


def test_a_file_of_another_kind_is_refused_before_anything_is_sent(site, key, tmp_path, capsys):
    path = tmp_path / "deep.wav"
    path.write_bytes(sounds.wav(sounds.spoken(1.0), "int24"))
    assert stream.main(["--url", f"http://127.0.0.1:{site}", "--key", key, str(path)]) == 1
    assert "16-bit ones are needed" in capsys.readouterr().err
    assert Utterance.objects.count() == 0
