"""One client, one session, one recognizer."""

import pytest

from tests.emotrack import factories


@pytest.fixture
def ann():
    return factories.client("Ann")


@pytest.fixture
def session(ann):
    return factories.session(ann)


@pytest.fixture
def recognizer():
    return factories.recognizer()
