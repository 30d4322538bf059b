"""Promise: a broken recognizer delays readings and never refuses, loses or blocks what is posted."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

import pytest

from tests.faults.site import ANN, SOUND, Site, site_in
from tests.journeys.server import ROOT


@pytest.fixture(scope="module")
def site(tmp_path_factory, migrated):
    folder = tmp_path_factory.mktemp("sick")
    with site_in(folder, migrated, EMOTRACK_LEASE_SECONDS="2") as site:
        yield site.begin("-m", "tests.faults.sick", str(folder / "illness"))


@pytest.fixture
def ill(site):
    """Give the recognizer an illness; it is well again when the test ends."""
    file = site.folder / "illness"
    yield file.write_text
    file.unlink(missing_ok=True)
    site.manage("retry_failed")
    site.wait_until_read()


def post(site: Site, wait: str = "0", **more: str) -> dict:
    with site.api() as api:
        answer = api.post("utterances", data=ANN | {"wait": wait} | more, files=SOUND)
    assert answer.status_code in (201, 202), answer.text
    return answer.json()


def fate(site: Site, utterance: str) -> dict:
    with site.api() as api:
        return api.get(f"utterances/{utterance}").json()


def until_waits_again(site: Site, utterance: str) -> None:
    give_up = time.monotonic() + 20
    query = "SELECT attempts, leased_until FROM history_utterance WHERE public_id = ?"
    while (row := site.rows(query, utterance)[0])[0] != 0 or row[1] is None:
        assert time.monotonic() < give_up, (row, fate(site, utterance))
        time.sleep(0.1)


def test_while_it_hangs_posts_are_accepted_in_time_and_read_once_it_is_back(site, ill):
    ill("hang")
    begun = time.monotonic()
    posted = [post(site, wait="1")["id"] for _ in range(6)]
    assert time.monotonic() - begun < 30
    assert {fate(site, one)["status"] for one in posted} == {"queued"}
    assert site.is_ready()
    (site.folder / "illness").unlink()
    site.wait_until_read()
    assert {fate(site, one)["status"] for one in posted} == {"analyzed"}


@pytest.mark.parametrize("illness", ["nan", "short", "crash"])
def test_what_is_no_reading_is_never_stored_as_one(site, ill, illness):
    ill(illness)
    answer = post(site, wait="20")
    assert (answer["status"], answer["scores"], answer["emotion"]) == ("failed", None, None)


def test_the_next_utterance_is_read_as_if_nothing_had_been(site, ill):
    ill("short")
    post(site, wait="20")
    (site.folder / "illness").unlink()
    assert post(site, wait="20")["status"] == "analyzed"


def test_without_memory_a_backlog_waits_and_is_read_in_the_order_in_which_it_came(site, ill):
    ill("memory")
    posted = [post(site)["id"] for _ in range(4)]
    for one in posted:
        until_waits_again(site, one)
    (site.folder / "illness").unlink()
    site.wait_until_read()
    done = site.rows(
        "SELECT public_id FROM history_utterance WHERE public_id IN (?, ?, ?, ?) ORDER BY analyzed_at",
        *posted,
    )
    assert [row[0] for row in done] == posted


def test_a_hanging_recognizer_does_not_keep_the_server_from_ending(tmp_path, migrated):
    with site_in(tmp_path, migrated, EMOTRACK_LEASE_SECONDS="2") as site:
        site.begin("-m", "tests.faults.sick", str(tmp_path / "illness"))
        (tmp_path / "illness").write_text("hang")
        posted = [post(site)["id"] for _ in range(5)]
        process = site.processes.pop()
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
        (tmp_path / "illness").unlink()
        site.begin()
        site.wait_until_read()
        assert {fate(site, one)["status"] for one in posted} == {"analyzed"}


def test_without_weights_the_start_says_in_one_sentence_what_to_do(tmp_path, migrated):
    with site_in(tmp_path, migrated, EMOTRACK_RECOGNIZER="emotion2vec") as site:
        told = subprocess.run(
            [sys.executable, "manage.py", "run", "--no-sample", "--port", str(site.port)],
            cwd=ROOT, env=site.environment, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        assert told.returncode != 0
        sentence = told.stderr.strip().splitlines()[-1]
        assert sentence.startswith("CommandError: emotion2vec+ has no weights at")
        assert "EMOTRACK_RECOGNIZER=acoustic" in sentence
        assert "Traceback" not in told.stderr
