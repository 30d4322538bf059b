"""Promise: a recording whose reader is killed is read to its end by the next, and no turn is kept twice."""

from __future__ import annotations

import contextlib
import time

import httpx
import numpy as np
import pytest

from tests.analysis import sounds
from tests.faults.site import Site, site_in

TURNS = 4
MOMENTS = [
    "emotrack.history.actions:_write_durably:after",  # the file of a turn is there, its row is not
    "emotrack.pipeline.accepting:_store:after",  # a turn is written, nothing committed
    "emotrack.pipeline.recording:keep_turn:after",  # a turn is committed, its recording is not finished
    "emotrack.recordings.actions:finish:before",  # all turns are kept
]


def recording() -> bytes:
    spoken = [p for k in range(TURNS) for p in (sounds.silence(1.2), sounds.spoken(1.5, seed=k))]
    return sounds.wav(np.concatenate([*spoken, sounds.silence(1.2)]))


def finished(site: Site, within_s: float = 60) -> list[tuple]:
    give_up = time.monotonic() + within_s
    while True:
        rows = site.rows("SELECT state, path, public_id FROM recordings_recording")
        if all(row[0] not in ("waiting", "working") for row in rows):
            return rows
        assert time.monotonic() < give_up, f"{rows}\n{site.output}"
        time.sleep(0.2)


@pytest.mark.parametrize("place", MOMENTS)
def test_a_killed_reader_is_followed_by_another_and_no_turn_is_kept_twice(place, tmp_path, migrated):
    with site_in(tmp_path, migrated, EMOTRACK_LEASE_SECONDS="2") as site:
        site.begin_trapped(place)
        with site.api() as api:
            first = api.post("utterances", json={"client": "ann", "session": "s", "text": "hello"})
            path = f"sessions/{first.json()['session']}/recording"
            site.trap.touch()
            with contextlib.suppress(httpx.TransportError):  # it may die before it can answer
                assert api.post(path, files={"audio": recording()}).status_code == 202
        site.wait_until_dead()
        site.begin()
        ((state, path, _id),) = finished(site)
        assert (state, path) == ("done", "")
        site.wait_until_read()
        starts = site.rows("SELECT start_ms FROM recordings_part ORDER BY start_ms")
        assert len(starts) == len(set(starts)) == TURNS
        spoken = site.rows("SELECT status FROM history_utterance WHERE duration_ms > 0")
        assert spoken == [("analyzed",)] * TURNS
