"""A real EmoTrack in a process of its own, started as a newcomer would, on a folder of its own."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

ROOT = Path(__file__).resolve().parents[2]
START_WITHIN_S = 120.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@dataclass
class Server:
    """``output`` is what it printed so far; ``environment`` starts other commands on the same folder."""

    address: str
    environment: dict[str, str]
    log: Path
    processes: list[subprocess.Popen] = field(default_factory=list)

    @property
    def output(self) -> str:
        return self.log.read_text(errors="replace")

    @property
    def password(self) -> str:
        return re.search(r"Sign in as counselor with (\S+)", self.output)[1]

    @property
    def key(self) -> str:
        return re.findall(r"emo_[a-z0-9]+_[a-z0-9]+", self.output)[-1]

    def api(self, **options: object) -> httpx.Client:
        headers = {"Authorization": f"Bearer {self.key}"}
        return httpx.Client(base_url=f"{self.address}/api/v1/", headers=headers, timeout=40, **options)

    def manage(self, *arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def start(self, *arguments: str) -> subprocess.Popen:
        process = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=ROOT,
            env=self.environment,
            stdout=self.log.open("a"),
            stderr=subprocess.STDOUT,
        )
        self.processes.append(process)
        return process

    def wait_until_up(self, path: str = "/readyz") -> None:
        give_up = time.monotonic() + START_WITHIN_S
        while time.monotonic() < give_up:
            assert all(p.poll() is None for p in self.processes), self.output
            try:
                if httpx.get(self.address + path, timeout=5).status_code == 200:
                    return
            except httpx.TransportError:
                time.sleep(0.2)
        raise AssertionError(f"not up in {START_WITHIN_S:g} s:\n{self.output}")

    def stop(self) -> None:
        for process in self.processes:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for process in self.processes:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(5)


def environment(folder: Path, **more: str) -> dict[str, str]:
    ours = {k: v for k, v in os.environ.items() if not k.startswith(("EMOTRACK_", "DATABASE_", "REDIS_"))}
    return ours | {
        "EMOTRACK_VAR_DIR": str(folder / "var"),
        "EMOTRACK_WEBHOOK_ALLOW_HTTP": "1",
        "EMOTRACK_WEBHOOK_ALLOW_PRIVATE": "1",
        "DJANGO_SETTINGS_MODULE": "emotrack.settings",
        **more,
    }


@contextmanager
def running(folder: Path, *arguments: str, **more: str) -> Iterator[Server]:
    """``manage.py run`` on an empty folder, without the sample practice, until the block ends."""
    port = free_port()
    server = Server(f"http://127.0.0.1:{port}", environment(folder, **more), folder / "server.log")
    server.start("manage.py", "run", "--no-sample", "--port", str(port), *arguments)
    try:
        server.wait_until_up()
        yield server
    finally:
        server.stop()
