"""Queues again every utterance that the recognizer could not read, once it has been mended."""

from django.core.management.base import BaseCommand

from emotrack import pipeline


class Command(BaseCommand):
    help = __doc__

    def handle(self, **options: object) -> None:
        self.stdout.write(f"{pipeline.retry_failed()} utterances wait again.")
