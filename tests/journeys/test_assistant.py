"""The example assistant talks to a real server, loses its connection on the way, and nothing is doubled."""

from __future__ import annotations

import http.client
import itertools
import socket
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from emotrack.history.models import Utterance
from examples import assistant
from tests.analysis import sounds
from tests.emotrack import factories

pytest_plugins = ["tests.emotrack.api.live_site"]

ENDED_AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("fake_recognizer"),
]


@pytest.fixture
def key(transactional_db) -> str:
    alice = factories.counselor("alice")
    return factories.key(factories.app("Assistant", (alice,)))[1]


@pytest.fixture
def conversation(tmp_path) -> Path:
    (tmp_path / "01-counselor.wav").write_bytes(sounds.wav(sounds.spoken(1.2)))
    (tmp_path / "02-client.wav").write_bytes(sounds.wav(sounds.spoken(1.5)))
    (tmp_path / "02-client.txt").write_text("It was a long week.", encoding="utf-8")
    (tmp_path / "03-client.wav").write_bytes(sounds.wav(sounds.silence(1.0)))
    (tmp_path / "notes.md").write_text("not a turn")
    return tmp_path


def _run(port: int, key: str, folder: Path) -> int:
    url = f"http://127.0.0.1:{port}"
    told = {
        "--url": url,
        "--key": key,
        "--client": "ann",
        "--session": "s-1",
        "--ended-at": ENDED_AT.isoformat(),
    }
    return assistant.main([str(folder), *itertools.chain(*told.items())])


def test_a_conversation_is_posted_and_each_turn_gets_its_reaction(site, key, conversation, capsys):
    assert _run(site, key, conversation) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "01-counselor.wav (counselor): analyzed"
    assert said[1] == "  → listen (only the client is read)"
    assert said[2].startswith("02-client.wav (client): may sound ")
    assert "avoid" in said[3]
    assert said[4] == "03-client.wav (client): no_speech"
    assert said[5].startswith("  → wait: say “")
    assert [u.text for u in Utterance.objects.in_order()] == [None, "It was a long week.", None]


def test_running_it_again_doubles_nothing(site, key, conversation):
    assert [_run(site, key, conversation) for _ in range(2)] == [0, 0]
    assert Utterance.objects.count() == 3


class LossyLine:
    """Stands before the site and cuts the line after the request went through, for the first requests."""

    def __init__(self, port: int, losses: int) -> None:
        self.port, self.losses = port, losses
        self.listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._serve, daemon=True).start()

    @property
    def own_port(self) -> int:
        return self.listener.getsockname()[1]

    def _serve(self) -> None:
        while True:
            try:
                caller, _address = self.listener.accept()
            except OSError:
                return
            with caller:
                self._pass_on(caller)

    def _pass_on(self, caller: socket.socket) -> None:
        request = caller.makefile("rb")
        head = b"".join(iter(request.readline, b"\r\n"))
        length = next(
            int(line.split(b":")[1])
            for line in head.splitlines()
            if line.lower().startswith(b"content-length")
        )
        with socket.create_connection(("127.0.0.1", self.port)) as site:
            site.sendall(head + b"\r\n" + request.read(length))
            answer = site.makefile("rb").read()
        if self.losses > 0:
            self.losses -= 1
            return
        caller.sendall(answer)


def test_a_lost_answer_is_asked_for_again_and_nothing_is_doubled(site, key, conversation):
    line = LossyLine(site, losses=2)
    pauses: list[float] = []
    emotrack = assistant.EmoTrack(f"http://127.0.0.1:{line.own_port}", key, sleep=pauses.append)
    count = assistant.converse(emotrack, conversation, ENDED_AT, client="ann", session="s-1", language="en")
    line.listener.close()
    assert (count, len(pauses), Utterance.objects.count()) == (3, 2, 3)


def test_a_key_that_is_not_valid_is_said_so_at_once(site, transactional_db, conversation, capsys):
    assert _run(site, "emo_a_b", conversation) == 1
    assert "401 /problems/invalid-key" in capsys.readouterr().err


def test_a_claim_of_three_gigabytes_is_refused_without_a_byte_of_it(site, key):
    connection = http.client.HTTPConnection("127.0.0.1", site, timeout=20)
    connection.putrequest("POST", "/api/v1/utterances")
    connection.putheader("Authorization", f"Bearer {key}")
    connection.putheader("Content-Type", "multipart/form-data; boundary=b")
    connection.putheader("Content-Length", str(3 * 1024**3))
    connection.endheaders()
    answer = connection.getresponse()
    assert (answer.status, answer.headers["Content-Type"]) == (413, "application/problem+json")


def test_a_body_in_chunks_is_read_like_any_other(site, key):
    connection = http.client.HTTPConnection("127.0.0.1", site, timeout=20)
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    body = iter([b'{"client": "ann", "session": "s",', b' "text": "in pieces"}'])
    connection.request("POST", "/api/v1/utterances", body, headers, encode_chunked=True)
    answer = connection.getresponse()
    assert answer.status == 201, answer.read()
    assert Utterance.objects.get().text == "in pieces"
