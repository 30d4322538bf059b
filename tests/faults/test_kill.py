"""Promise: what was answered with 201 or 202 survives a kill at any moment, once and byte for byte."""

from __future__ import annotations

from dataclasses import dataclass, field

import httpx
import pytest

from tests.faults.site import ANN, SPOKEN, Site, site_in

MOMENTS = [
    "emotrack.history.actions:_write_durably:after",  # the file is there, its row is not
    "emotrack.pipeline.accepting:_store:after",  # all is written, nothing committed
    "emotrack.pipeline.accepting:_accept:after",  # committed, not yet answered
    "emotrack.pipeline.reading:_recognize:before",  # leased
    "emotrack.pipeline.reading:carry_on:after",  # read, mood and alerts written, not committed
    "emotrack.history.actions:drop_file:before",  # deleted, the file still there
]
MOST_STUCK_S = 60


@dataclass
class Ledger:
    """What the server acknowledged: id → the sound that was sent; keys that were sent; ids deleted."""

    kept: dict[str, bytes] = field(default_factory=dict)
    keys: list[tuple[str, bytes]] = field(default_factory=list)
    deleted: set[str] = field(default_factory=set)

    def post(self, api: httpx.Client, key: str, sound: bytes, wait: str = "0") -> str:
        self.keys.append((key, sound))
        return self.send(api, key, sound, wait)

    def send(self, api: httpx.Client, key: str, sound: bytes, wait: str = "0") -> str:
        headers = {"Idempotency-Key": key}
        answer = api.post("utterances", data=ANN | {"wait": wait}, files={"audio": sound}, headers=headers)
        assert answer.status_code in (201, 202), answer.text
        self.kept[answer.json()["id"]] = sound
        return answer.json()["id"]


def sound_of_its_own(number: int) -> bytes:
    """The same speech with other bytes behind it, so that a mix-up would show."""
    comment = b"\0" * 3 + number.to_bytes(4, "big")
    return SPOKEN + comment


def live_until_the_trap(site: Site, ledger: Ledger, place: str, number: int) -> None:
    site.begin_trapped(place)
    with site.api() as api:
        before = ledger.post(api, f"{number}-before", sound_of_its_own(10 * number))
        victim = ledger.post(api, f"{number}-victim", sound_of_its_own(10 * number + 1), wait="10")
        site.trap.touch()
        with pytest.raises(httpx.TransportError):
            if "drop_file" in place:
                api.delete(f"utterances/{victim}")
            else:
                ledger.post(api, f"{number}-during", sound_of_its_own(10 * number + 2), wait="10")
        if "drop_file" in place:
            del ledger.kept[victim]
            ledger.deleted.add(victim)
            ledger.keys = [pair for pair in ledger.keys if pair[0] != f"{number}-victim"]
    assert before in ledger.kept
    site.wait_until_dead()


@pytest.fixture(scope="module")
def survived(tmp_path_factory, migrated):
    """One installation that was killed at every moment in turn, started again and left to catch up."""
    with site_in(tmp_path_factory.mktemp("killed"), migrated, EMOTRACK_LEASE_SECONDS="2") as site:
        ledger = Ledger()
        for number, place in enumerate(MOMENTS, start=1):
            live_until_the_trap(site, ledger, place, number)
        site.begin()
        site.wait_until_read(MOST_STUCK_S)
        with site.api() as api:
            for key, sound in ledger.keys:  # as an app does that had no answer
                ledger.send(api, key, sound, wait="10")
            site.wait_until_read(MOST_STUCK_S)
            yield site, ledger, api


def test_every_acknowledged_utterance_is_there_and_read(survived):
    _site, ledger, api = survived
    answers = {i: api.get(f"utterances/{i}").json() for i in ledger.kept}
    assert len(answers) >= 2 * len(MOMENTS)
    assert {a["status"] for a in answers.values()} == {"analyzed"}


def test_every_sound_is_byte_equal(survived):
    _site, ledger, api = survived
    changed = [i for i, sound in ledger.kept.items() if api.get(f"utterances/{i}/audio").content != sound]
    assert changed == []


def test_no_key_has_two_rows_and_no_row_came_from_nowhere(survived):
    site, ledger, _api = survived
    keys = site.rows("SELECT key, count(*) FROM history_idempotencykey GROUP BY key")
    assert dict(keys) == {key: 1 for key, _sound in ledger.keys}
    stored = {row[0] for row in site.rows("SELECT public_id FROM history_utterance")}
    assert stored == set(ledger.kept)


def test_each_utterance_has_one_point_in_the_series(survived):
    site, ledger, _api = survived
    points = site.rows(
        "SELECT u.public_id FROM mood_moodpoint p JOIN history_utterance u ON u.id = p.utterance_id"
    )
    assert sorted(p[0] for p in points) == sorted(ledger.kept)


def test_what_was_deleted_stays_deleted(survived):
    _site, ledger, api = survived
    assert len(ledger.deleted) == 1
    assert [api.get(f"utterances/{i}").status_code for i in ledger.deleted] == [404]


def test_a_day_later_no_sound_lies_around_that_belongs_to_no_row(survived):
    site, _ledger, _api = survived
    rows = {row[0] for row in site.rows("SELECT path FROM history_audio WHERE deleted_at IS NULL")}
    assert len(site.sound_files() - rows) == 3  # never came to a row, twice; outlived its row, once
    site.manage(
        "shell", "--verbosity=0", "-c",
        "from datetime import timedelta; from django.utils import timezone;"
        "from emotrack import pipeline; pipeline.tick(now=timezone.now() + timedelta(days=2))",
    )  # fmt: skip
    assert site.sound_files() == rows
