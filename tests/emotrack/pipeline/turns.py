"""One turn, accepted and read as the doors and the workers do it."""

from __future__ import annotations

from django.utils import timezone

from emotrack import pipeline
from emotrack.accounts.models import App
from emotrack.history.models import Session, Utterance
from emotrack.pipeline import Posted
from tests.analysis import sounds
from tests.emotrack import factories as make

SPEECH = sounds.wav(sounds.spoken(2.5))


def accept(session: Session, app: App | None = None, **posted: object) -> Utterance:
    return pipeline.accept(
        session=session, posted=Posted(**posted), by=make.TESTS, now=timezone.now(), app=app
    ).utterance


def read(utterance: Utterance) -> Utterance:
    pipeline.process(utterance.pk)
    return Utterance.objects.get(pk=utterance.pk)
