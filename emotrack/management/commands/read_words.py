"""manage.py read_words"""

from __future__ import annotations

from django.core.management.base import BaseCommand
from django.utils import timezone

from emotrack import pipeline


class Command(BaseCommand):
    help = "Read the words of utterances that no reader of words has seen, or at which it failed."

    def handle(self, **options: object) -> None:
        done = pipeline.read_unread_words(now=timezone.now())
        self.stdout.write(f"The words of {done} utterances were read.")
