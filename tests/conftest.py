"""What every test needs: a place for files, a clean recognizer, and where the speech is."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path

import pytest
from django.utils import translation

from tests.browser.chromium import chromium_path

pytest_plugins = ["tests.emptying", "tests.migrated", "tests.order"]

SPEECH_DIR = Path(
    os.environ.get("EMOTRACK_SPEECH_DIR", Path(__file__).resolve().parents[2] / "shared" / "data" / "speech")
)


@pytest.fixture(scope="session")
def speech_dir() -> Path:
    """Real speech with its ``manifest.csv``; skips where there is none."""
    if not (SPEECH_DIR / "manifest.csv").exists():
        pytest.skip("no speech corpora here: set EMOTRACK_SPEECH_DIR")
    return SPEECH_DIR


@pytest.fixture(autouse=True)
def _own_folders(settings, tmp_path) -> None:
    settings.AUDIO_DIR = tmp_path / "audio"
    # The real hasher is slow on purpose; people are made in nearly every test.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(autouse=True)
def _own_language() -> Iterator[None]:
    """A page in another language leaves its thread speaking it; the next test starts in English."""
    translation.deactivate()
    yield
    translation.deactivate()


@pytest.fixture
def processed_in_place(monkeypatch):
    """Readings are made in the caller's thread, so that a test's own transaction sees them."""
    from emotrack.pipeline import waiting

    class InPlace:
        def submit(self, function, *args):
            done = Future()
            try:
                done.set_result(function(*args))
            except Exception as error:
                done.set_exception(error)
            return done

    monkeypatch.setattr(waiting, "_executor", InPlace())
    monkeypatch.setattr(waiting, "close_old_connections", lambda: None)


@pytest.fixture
def fake_recognizer(monkeypatch):
    """The installation's recognizer for one test: see ``tests.emotrack.fakes``."""
    from emotrack.pipeline import reading
    from tests.emotrack.fakes import FakeRecognizer, service_of

    recognizer = FakeRecognizer()
    service = service_of(recognizer)
    monkeypatch.setattr(reading, "service", lambda: service)
    return recognizer


@pytest.fixture(scope="module")
def chromium():
    """A headless Chromium; skips where there is none. Its event loop must not outlive the module."""
    sync_api = pytest.importorskip("playwright.sync_api")
    path = chromium_path()
    with sync_api.sync_playwright() as play:
        browser = play.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()
