"""A house to stream into; what a stream leaves behind is over before the next test's database is emptied."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, wait

import pytest
from django.utils import timezone

from emotrack.pipeline import waiting
from tests.emotrack import factories

PATIENCE_S = 60


@pytest.fixture(autouse=True)
def _readings_end(transactional_db, monkeypatch) -> Iterator[None]:
    begun: list[Future] = []
    submit = waiting._executor.submit

    def noted(*args: object) -> Future:
        begun.append(submit(*args))
        return begun[-1]

    monkeypatch.setattr(waiting._executor, "submit", noted)
    yield
    assert not wait(begun, PATIENCE_S).not_done


@pytest.fixture
def house(transactional_db, settings, fake_recognizer):
    settings.ALLOWED_HOSTS = ["localhost"]
    alice, app = factories.counselor("alice"), factories.app("Helpline")
    ann = factories.client("Ann", assigned_to=alice, linked_to=app)
    session = factories.session(ann, started_at=timezone.now())
    return {"alice": alice, "app": app, "ann": ann, "session": session, "key": factories.key(app)}
