"""A real EmoTrack that a test may kill, start again on the same folder and look into from outside."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import httpx

from emotrack.sample import conversation
from tests.journeys.server import Server, environment, free_port

SPOKEN = next(turn.audio for turn in conversation.load().turns if turn.speaker == "client").read_bytes()
SOUND = {"audio": SPOKEN}
ANN = {"client": "ann", "session": "today"}


class Site(Server):
    """``folder`` holds the database and the sound; ``begin`` may be called again after a death."""

    def __init__(self, folder: Path, **more: str) -> None:
        settings = environment(folder, EMOTRACK_RATE_PER_MINUTE="1000000", **more)
        super().__init__(f"http://127.0.0.1:{free_port()}", settings, folder / "server.log")
        self.folder = folder
        self.trap = folder / "armed"

    @property
    def port(self) -> int:
        return int(self.address.rpartition(":")[2])

    def begin(self, *launcher: str) -> Site:
        launcher = launcher or ("manage.py",)
        self.start(*launcher, "run", "--no-sample", "--port", str(self.port))
        self.wait_until_up()
        return self

    def begin_trapped(self, place: str) -> Site:
        self.trap.unlink(missing_ok=True)
        return self.begin("-m", "tests.faults.trapped", place, str(self.trap))

    def wait_until_dead(self, within_s: float = 40) -> None:
        process = self.processes.pop()
        process.wait(within_s)
        assert process.returncode == -9, self.output

    def rows(self, query: str, *values: object) -> list[tuple]:
        """What the database holds, read past the product."""
        with closing(sqlite3.connect(self.folder / "var" / "emotrack.sqlite3", timeout=20)) as database:
            return database.execute(query, values).fetchall()

    def sound_files(self) -> set[str]:
        audio = self.folder / "var" / "audio"
        return {str(path.relative_to(audio)) for path in audio.rglob("*") if path.is_file()}

    def is_ready(self) -> bool:
        return httpx.get(f"{self.address}/readyz", timeout=20).status_code == 200

    def wait_until_read(self, within_s: float = 60) -> None:
        give_up = time.monotonic() + within_s
        while waiting := self.rows("SELECT id, attempts FROM history_utterance WHERE status = 'queued'"):
            assert time.monotonic() < give_up, f"still waiting: {waiting}\n{self.output}"
            time.sleep(0.3)


@contextmanager
def site_in(folder: Path, migrated: Callable[[Path], Path] | None = None, **more: str) -> Iterator[Site]:
    """``migrated`` lays an empty database ready, which a first start would else make."""
    if migrated is not None:
        migrated(folder / "var")
    site = Site(folder, **more)
    try:
        yield site
    finally:
        site.stop()
