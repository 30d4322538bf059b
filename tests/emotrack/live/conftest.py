"""What a stream leaves behind is over before the next test's database is emptied."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, wait

import pytest

from emotrack.pipeline import waiting

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
