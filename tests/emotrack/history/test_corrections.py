"""Promise: every reading of a session subtracts one and the same voice, however many are read at once."""

from __future__ import annotations

import pytest
from django.utils import timezone

from emotrack.history import actions, corrections
from emotrack.history.models import SpeakerCorrection
from emotrack.recognition import service
from tests.emotrack import factories

pytestmark = pytest.mark.django_db


def test_two_readers_at_the_same_moment_share_the_first_ones_correction(monkeypatch):
    session = factories.session(factories.client("Ann"), started_at=timezone.now())
    recognizer = actions.our_recognizer(service().card)
    look_back = corrections._earlier_embeddings

    def overtaken(*asked):
        monkeypatch.setattr(corrections, "_earlier_embeddings", look_back)
        SpeakerCorrection.objects.create(
            session=session, recognizer=recognizer, utterances=0, version="the-first-one"
        )
        return look_back(*asked)

    monkeypatch.setattr(corrections, "_earlier_embeddings", overtaken)
    assert corrections.correction_for(session, recognizer) == (None, "the-first-one")
    assert SpeakerCorrection.objects.count() == 1
