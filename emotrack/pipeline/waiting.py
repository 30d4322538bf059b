"""Wait for a reading, for as long as the caller cares to."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from time import monotonic, sleep

from django.conf import settings
from django.db import close_old_connections

from emotrack.history.models import Status, Utterance
from emotrack.pipeline.reading import process

log = logging.getLogger("emotrack.pipeline")

POLL_S = 0.05


class _Readers:
    """Threads that read what callers wait for; they never keep the process from ending."""

    def __init__(self, threads: int) -> None:
        self._work: queue.SimpleQueue[tuple[Future, Callable[[int], None], int]] = queue.SimpleQueue()
        self._lock, self._missing = threading.Lock(), threads

    def submit(self, function: Callable[[int], None], utterance_id: int) -> Future:
        done: Future = Future()
        self._work.put((done, function, utterance_id))
        self._start()
        return done

    def _start(self) -> None:
        with self._lock:
            while self._missing:
                threading.Thread(target=self._run, name=f"journey-{self._missing}", daemon=True).start()
                self._missing -= 1

    def _run(self) -> None:
        while True:
            done, function, utterance_id = self._work.get()
            if done.set_running_or_notify_cancel():
                _settle(done, function, utterance_id)


def _settle(done: Future, function: Callable[[int], None], utterance_id: int) -> None:
    try:
        done.set_result(function(utterance_id))
    except Exception as error:
        done.set_exception(error)


_executor = _Readers(threads=2)


def _process_in_thread(utterance_id: int) -> None:
    close_old_connections()
    try:
        process(utterance_id)
    finally:
        close_old_connections()


def hurry(utterance: Utterance, *, wait_s: float) -> Utterance:
    """Wait for the reading, ``wait_s`` at most; the fresh row, which may still be queued."""
    if utterance.status == Status.QUEUED:
        until = monotonic() + wait_s
        if settings.RECOGNIZE_IN_WEB:
            _wait_for(_executor.submit(_process_in_thread, utterance.pk), wait_s)
        # A worker may have been quicker to take it; then the reading is on its way there.
        _wait_for_row(utterance.pk, until)
    return Utterance.objects.select_related("client", "session", "recognizer").get(pk=utterance.pk)


def _wait_for(done: Future, wait_s: float) -> None:
    try:
        done.result(wait_s)
    except FutureTimeout:
        log.info("a reading was not ready within %g s", wait_s)
    except Exception:
        # The utterance is durable and will be tried again; the caller is told that it waits.
        log.exception("a reading broke off")


def _wait_for_row(utterance_id: int, until: float) -> None:
    waiting = Utterance.objects.filter(pk=utterance_id, status=Status.QUEUED)
    while waiting.exists() and monotonic() < until and not _is_delayed(utterance_id):
        sleep(POLL_S)


def _is_delayed(utterance_id: int) -> bool:
    """Whether it was given back untried, so that waiting for it now is in vain."""
    return Utterance.objects.filter(pk=utterance_id, attempts=0, leased_until__isnull=False).exists()
