"""A session to speak in."""

import pytest
from django.utils import timezone

from emotrack.history.models import Session
from tests.emotrack import factories as make


@pytest.fixture
def session(db) -> Session:
    return make.session(make.client(), started_at=timezone.now())
