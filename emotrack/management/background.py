"""What runs beside the web: tasks, the schedule and deliveries, as threads or as processes of their own."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from time import monotonic

from django.conf import settings
from django.db import close_old_connections
from django.utils import timezone
from django.utils.crypto import get_random_string
from django_tasks_db.management.commands.db_worker import Worker
from django_tasks_db.models import DBTaskResult

from emotrack import pipeline

log = logging.getLogger("emotrack.background")

TASK_INTERVAL_S = 1.0
TICK_INTERVAL_S = 5.0
RESTART_AFTER_S = 5.0


class Background:
    """Threads that go on until ``stop``; one that breaks is logged and started again."""

    def __init__(self) -> None:
        self.stopping = threading.Event()
        self._threads: list[threading.Thread] = []

    def start(self, name: str, run: Callable[[threading.Event], None]) -> None:
        thread = threading.Thread(target=self._keep_running, args=(name, run), name=name, daemon=True)
        thread.start()
        self._threads.append(thread)

    def _keep_running(self, name: str, run: Callable[[threading.Event], None]) -> None:
        while not self.stopping.is_set():
            try:
                run(self.stopping)
            except Exception:
                log.exception("%s broke and starts again in %g s", name, RESTART_AFTER_S)
                self.stopping.wait(RESTART_AFTER_S)
            finally:
                close_old_connections()

    def stop(self, within_s: float = 10.0) -> None:
        """Let what is in flight finish, but no longer than that in all."""
        self.stopping.set()
        until = monotonic() + within_s
        for thread in self._threads:
            thread.join(max(0.0, until - monotonic()))


class _TaskWorker(Worker):
    """Stops after the task that it is at, however many still wait."""

    stopping: threading.Event

    def run_task(self, db_task_result: DBTaskResult) -> None:
        super().run_task(db_task_result)
        self.running = not self.stopping.is_set()


def work(stopping: threading.Event) -> None:
    """Run queued tasks from the database."""
    worker = _TaskWorker(
        queue_names=["*"],
        interval=TASK_INTERVAL_S,
        batch=True,
        backend_name="default",
        startup_delay=False,
        max_tasks=None,
        worker_id=get_random_string(32),
        excluded_queue_names=[],
    )
    worker.stopping = stopping
    while not stopping.wait(TASK_INTERVAL_S):
        worker.run()


def tick(stopping: threading.Event) -> None:
    """Run what the schedule says is due."""
    while not stopping.is_set():
        pipeline.tick(now=timezone.now())
        close_old_connections()
        stopping.wait(TICK_INTERVAL_S)


def uses_celery() -> bool:
    return settings.TASKS_BACKEND == "celery"
