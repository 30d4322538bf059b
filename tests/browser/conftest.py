"""A running service, an app that posts to it, and a browser before it."""

from __future__ import annotations

import json
import re
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.browser.screens import CHROMIUM, in_shell, plant, service, sign_in

_MAKE_KEY = """
from django.utils import timezone
from emotrack.accounts import actions
from emotrack.accounts.models import App, Scope, User
from emotrack.audit.models import Actor
by, now = Actor.system("tests"), timezone.now()
app = actions.create_app(name="Helpline", by=by, now=now, counselors=[User.objects.order_by("id")[0]],
                         consent_purposes=["voice_emotion", "text", "alerts"], consent_version="1")
print("key=" + actions.create_key(app=app, scopes=[Scope.INGEST, Scope.READ], by=by, now=now)[1])
"""


@dataclass(frozen=True)
class Site:
    """The running installation, and how an app posts to it."""

    address: str
    user: str
    key: str
    var: Path

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        request = urllib.request.Request(
            f"{self.address}/api/v1/{path}",
            data=json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.loads(answer.read())

    def say(self, words: str, client: str, ago_s: float = 0.0, **shares: float) -> dict[str, Any]:
        """One turn, begun so many seconds ago, of a client's session that is called as the client is."""
        at = datetime.now(UTC) - timedelta(seconds=ago_s)
        place = {"client": client, "session": client, "occurred_at": at.isoformat()}
        return self.post("utterances", turn(words, shares) | place)


def turn(words: str, shares: dict[str, float]) -> dict[str, Any]:
    shares = shares or {"neutral": 1.0}
    labels = ["angry", "disgusted", "fearful", "happy", "neutral", "other", "sad", "surprised", "unknown"]
    return {
        "text": words,
        "scores": {label: shares.get(label, 0.0) for label in labels},
        "recognizer": {"id": "planted", "version": "1"},
        "duration_ms": 2000,
    }


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory, migrated) -> Iterator[Site]:
    pytest.importorskip("playwright", reason="no Playwright here: make test installs it")
    if not Path(CHROMIUM).exists():
        pytest.skip(f"no Chromium at {CHROMIUM}")
    var = migrated(tmp_path_factory.mktemp("var"))
    with service(var, "--no-sample") as (address, user):
        said = in_shell(var, _MAKE_KEY)
        yield Site(address, user, re.search(r"key=(\S+)", said)[1], var)


@pytest.fixture(scope="session")
def planted(site) -> dict[str, str]:
    """Public ids of what pages must bear: odd names, empty, waiting and crowded sessions."""
    return plant(site.var)


@pytest.fixture
def page(chromium, site):
    """A signed-in page. The test fails on any error of a script and on any call to another host."""
    context = chromium.new_context(viewport={"width": 1440, "height": 900}, reduced_motion="reduce")
    opened, complaints = context.new_page(), []
    opened.on("console", lambda m: m.type == "error" and complaints.append(m.text))
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on(
        "request",
        lambda r: r.url.startswith((site.address, "ws://127", "data:", "blob:")) or complaints.append(r.url),
    )
    sign_in(opened, site.address, site.user)
    yield opened
    context.close()
    assert complaints == []
