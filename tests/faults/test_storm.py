"""Promises under load: one row per key, nothing lost, never an error 500, and an end without loss."""

from __future__ import annotations

import signal
import sqlite3
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial

import httpx
import pytest

from tests.faults.site import ANN, SOUND, Site, site_in

KEYS, SENDS, WRITERS, POSTS = 40, 16, 32, 4
JSON = {
    "scores": {"angry": 0.1, "disgusted": 0.05, "fearful": 0.05, "happy": 0.3, "neutral": 0.3, "other": 0.05,
               "sad": 0.05, "surprised": 0.05, "unknown": 0.05},
    "recognizer": {"id": "their-own", "version": "1"},
}  # fmt: skip


@pytest.fixture(scope="module")
def site(tmp_path_factory, migrated):
    with site_in(tmp_path_factory.mktemp("storm"), migrated) as site:
        yield site.begin()


def at_once(calls: list) -> list:
    with ThreadPoolExecutor(WRITERS) as threads:
        return [done.result() for done in [threads.submit(call) for call in calls]]


def patient_api(site: Site) -> httpx.Client:
    return httpx.Client(
        base_url=f"{site.address}/api/v1/",
        headers={"Authorization": f"Bearer {site.key}"},
        timeout=120,
        limits=httpx.Limits(max_connections=WRITERS),
    )


def test_a_key_sent_many_times_at_once_makes_one_row(site):
    with patient_api(site) as api:

        def send(number: int):
            def call() -> tuple[int, int, str]:
                body = ANN | {"session": "keys", "text": f"words {number}"}
                while True:
                    answer = api.post("utterances", json=body, headers={"Idempotency-Key": f"key-{number}"})
                    if answer.status_code not in (409, 503):
                        return number, answer.status_code, answer.json().get("id")
                    assert "Retry-After" in answer.headers
                    time.sleep(0.1)

            return call

        answers = at_once([send(number) for _ in range(SENDS) for number in range(KEYS)])
    assert {status for _n, status, _id in answers} == {201}
    ids = {number: {i for n, _status, i in answers if n == number} for number in range(KEYS)}
    assert {number: len(found) for number, found in ids.items()} == dict.fromkeys(range(KEYS), 1)
    (rows,) = site.rows("SELECT count(*) FROM history_idempotencykey WHERE key LIKE 'key-%'")
    assert rows == (KEYS,)


def test_writers_deletions_and_rebuilding_at_once_lose_nothing_and_break_nothing(site):
    statuses, kept, doomed = Counter(), [], []
    with patient_api(site) as api:

        def write(number: int) -> None:
            person = {"client": f"person-{number % 6}", "session": f"storm-{number % 6}", "wait": 0}
            for turn in range(POSTS):
                answer = api.post("utterances", json=person | JSON | {"text": "x"})
                statuses[answer.status_code] += 1
                if answer.status_code == 201:
                    kept.append(answer.json()["id"])
                if turn % 4 == 3:
                    doomed.append(gone := kept.pop())
                    statuses[api.delete(f"utterances/{gone}").status_code] += 1

        def rebuild() -> None:
            site.manage("rebuild_mood")

        rebuilding = threading.Thread(target=rebuild)
        rebuilding.start()
        at_once([lambda n=n: write(n) for n in range(WRITERS)])
        rebuilding.join()
        found = {api.get(f"utterances/{i}").status_code for i in kept}
    assert set(statuses) <= {201, 204, 503}
    assert statuses[201] == len(kept) + len(doomed)
    assert found == {200}
    points = site.rows("SELECT count(DISTINCT utterance_id), count(*) FROM mood_moodpoint")[0]
    assert points == (len(kept), len(kept))
    before = series(site)
    site.manage("rebuild_mood")
    assert series(site) == before


def series(site: Site) -> list[tuple]:
    return site.rows(
        "SELECT utterance_id, valence, level, volatility FROM mood_moodpoint ORDER BY utterance_id"
    )


def test_while_the_storage_is_held_the_answer_is_come_back_later(tmp_path, migrated):
    with site_in(tmp_path, migrated) as site:
        site.begin()
        with patient_api(site) as api:
            assert api.post("utterances", json=ANN | {"text": "before"}).status_code == 201
            with closing(sqlite3.connect(tmp_path / "var" / "emotrack.sqlite3")) as holder:
                holder.execute("BEGIN IMMEDIATE")
                words = partial(api.post, "utterances", json=ANN | {"text": "meanwhile"})
                sound = partial(api.post, "utterances", data=ANN, files=SOUND)
                refused = at_once([words, sound])
                holder.rollback()
            assert [(a.status_code, a.headers.get("Retry-After")) for a in refused] == [(503, "1")] * 2
            assert refused[0].json()["type"] == "/problems/storage-busy"
            assert api.post("utterances", json=ANN | {"text": "after"}).status_code == 201
        assert site.sound_files() == set()
        assert site.rows("SELECT count(*) FROM history_utterance") == [(2,)]


def test_what_is_in_flight_when_the_server_is_told_to_end_is_answered_and_kept(tmp_path, migrated):
    answers = []
    with site_in(tmp_path, migrated, EMOTRACK_LEASE_SECONDS="2") as site:
        site.begin()

        def post_until_refused() -> None:
            with site.api() as api:
                while True:
                    try:
                        answers.append(api.post("utterances", data=ANN | {"wait": "10"}, files=SOUND))
                    except httpx.ConnectError:
                        return
                    except httpx.TransportError:  # an idle connection that the server closed
                        continue

        threads = [threading.Thread(target=post_until_refused) for _ in range(4)]
        for thread in threads:
            thread.start()
        while len(answers) < 4:
            time.sleep(0.05)
        process = site.processes.pop()
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
        for thread in threads:
            thread.join(30)
        acknowledged = {a.json()["id"] for a in answers if a.status_code in (201, 202)}
        assert len(acknowledged) == len(answers)
        stored = {row[0] for row in site.rows("SELECT public_id FROM history_utterance")}
        assert stored == acknowledged
        site.begin()
        site.wait_until_read()
