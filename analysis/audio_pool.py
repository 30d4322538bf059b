"""Keeps a few decoder processes warm, hands each job to one, and ends any that crashes or takes too long."""

from __future__ import annotations

import atexit
import json
import math
import os
import select
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

PROGRAM = Path(__file__).with_name("audio_child.py")
JOBS_PER_CHILD = 1000
"""A child is replaced after so many jobs, so that a slow leak in a decoder never matters."""


class ChildDied(Exception):
    """The decoder process ended in the middle of a job."""


class ChildTooSlow(Exception):
    """The decoder process gave no answer in time and was ended."""


class Child:
    """One decoder process and the pipes to it; used by one thread at a time."""

    def __init__(self, memory_bytes: int) -> None:
        self.memory_bytes = memory_bytes
        self.jobs = 0
        # Only the import path is handed on: a decoder that a file took over must find no secrets.
        self.process = subprocess.Popen(  # noqa: S603
            [sys.executable, "-P", str(PROGRAM), str(memory_bytes)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            start_new_session=True,
            env={"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "OPENBLAS_NUM_THREADS": "1"},
        )
        self.stdin, self.stdout = self.process.stdin.fileno(), self.process.stdout.fileno()
        os.set_blocking(self.stdin, False)
        os.set_blocking(self.stdout, False)
        self.buffer = bytearray()

    def decode(
        self, job: dict[str, Any], data: bytes, timeout_s: float, silence_s: float, most_bytes: int
    ) -> tuple[bytearray, str, dict[str, Any]]:
        """Run one job; gives (samples as bytes, "D" or "E", the report of the child).

        Raises ``ChildDied``, and ``ChildTooSlow`` after ``timeout_s`` in all or ``silence_s`` without a byte.
        """
        self.deadline, self.silence_s = time.monotonic() + timeout_s, silence_s
        self._begin(job, [data], len(data))
        samples = bytearray()
        while True:
            kind, payload = self._message()
            if kind != "P":
                return samples, kind, json.loads(payload)
            samples += payload
            if len(samples) > most_bytes:
                raise ChildDied("the decoder sent more than it may")

    def stream(
        self, job: dict[str, Any], pieces: Iterable[bytes], size: int, silence_s: float
    ) -> Iterator[tuple[str, bytes]]:
        """Run one long job; gives every message as it comes. ``pieces`` are ``size`` bytes in all.

        While nobody takes the next message the decoder waits. Raises as ``decode`` does.
        """
        self.deadline, self.silence_s = math.inf, silence_s
        self._begin(job, pieces, size)
        kind = "P"
        while kind in "PH":
            kind, payload = self._message()
            yield kind, payload

    def _begin(self, job: dict[str, Any], pieces: Iterable[bytes], size: int) -> None:
        self.jobs += 1
        head = json.dumps(job).encode()
        self._write(struct.pack("<II", len(head), size) + head)
        for piece in pieces:
            self._write(piece)

    def _wait(self, fd: int, event: int) -> None:
        left = min(self.deadline - time.monotonic(), self.silence_s)
        poll = select.poll()
        poll.register(fd, event)
        if left <= 0 or not poll.poll(left * 1000):
            raise ChildTooSlow

    def _write(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            self._wait(self.stdin, select.POLLOUT)
            try:
                view = view[os.write(self.stdin, view[: 1 << 16]) :]
            except BrokenPipeError as error:
                raise ChildDied from error

    def _message(self) -> tuple[str, bytes]:
        kind, size = struct.unpack("<cI", self._read(5))
        return kind.decode("latin-1"), self._read(size)

    def _read(self, size: int) -> bytes:
        while len(self.buffer) < size:
            self._wait(self.stdout, select.POLLIN)
            if not (piece := os.read(self.stdout, 1 << 20)):
                raise ChildDied
            self.buffer += piece
        taken = bytes(self.buffer[:size])
        del self.buffer[:size]
        return taken

    def close(self) -> None:
        """End the process and wait for it."""
        self.process.kill()
        self.forget()
        self.process.wait()

    def forget(self) -> None:
        """Let go of the pipes without touching the process."""
        self.process.stdin.close()
        self.process.stdout.close()


class Pool:
    """At most ``size`` decoder processes, started when first needed."""

    def __init__(self, size: int) -> None:
        self.places = threading.Semaphore(size)
        self.lock = threading.Lock()
        self.idle: list[Child] = []

    def decode(
        self, job: dict[str, Any], data: bytes, memory_bytes: int, **bounds: Any
    ) -> tuple[bytearray, str, dict[str, Any]]:
        """As ``Child.decode``; a child that fails is ended, and the next job gets a fresh one."""
        with self.places:
            child = self._take(memory_bytes)
            try:
                result = child.decode(job, data, **bounds)
            except BaseException:
                child.close()
                raise
            self._give_back(child)
            return result

    def _take(self, memory_bytes: int) -> Child:
        while True:
            with self.lock:
                child = self.idle.pop() if self.idle else None
            if child is None:
                return Child(memory_bytes)
            if child.memory_bytes == memory_bytes and child.process.poll() is None:
                return child
            child.close()

    def _give_back(self, child: Child) -> None:
        if child.jobs >= JOBS_PER_CHILD:
            child.close()
            return
        with self.lock:
            self.idle.append(child)

    def close(self) -> None:
        """End every idle process."""
        with self.lock:
            children, self.idle = self.idle, []
        for child in children:
            child.close()


def _size() -> int:
    return max(2, min(4, os.cpu_count() or 1))


shared = Pool(_size())


def _start_over_after_fork() -> None:
    """The pipes belong to the parent: two processes that write into them would mix their clients' sounds."""
    global shared
    inherited, shared = shared, Pool(_size())
    for child in inherited.idle:
        child.forget()
        child.process.returncode = 0


os.register_at_fork(after_in_child=_start_over_after_fork)
atexit.register(lambda: shared.close())
