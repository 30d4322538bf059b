"""Runs queued recognition and the schedule in a process of its own; start as many as there is work for."""

import signal
import threading

from django.core.management.base import BaseCommand, CommandError

from emotrack import pipeline
from emotrack.management import background
from emotrack.recognition import service


class Command(BaseCommand):
    help = __doc__

    def handle(self, **options: object) -> None:
        status = service().status()
        self.stderr.write(
            ("Recognizer ready: " if status.ready else "Recognizer missing: ") + status.sentence
        )
        if background.uses_celery():
            self._run_celery()
        else:
            self._run_threads()

    def _run_threads(self) -> None:
        threads = background.Background()
        threads.start("tasks", background.work)
        threads.start("schedule", background.tick)
        threads.start("recordings", pipeline.read_recordings)
        stop = threading.Event()
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, lambda *_: stop.set())
        stop.wait()
        threads.stop()

    def _run_celery(self) -> None:
        try:
            from django_tasks_fennel.app import app
        except ImportError as error:
            raise CommandError("EMOTRACK_TASKS=celery needs requirements/scale.txt installed.") from error
        threads = background.Background()
        threads.start("schedule", background.tick)
        threads.start("recordings", pipeline.read_recordings)
        app.worker_main(["worker", "--concurrency=1", "--pool=solo", "--loglevel=WARNING"])
        threads.stop()
