"""Alice counsels Ann, for whom the app Helpline posts; Bob is a colleague, Dora admin, Charlie a stranger."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from django.test import Client as HttpClient

from emotrack.accounts.models import App, Scope, User
from emotrack.api.throttling import windows
from emotrack.history.models import Client, Session
from tests.emotrack import factories

EVERY_SCOPE = tuple(Scope)


@dataclass(frozen=True)
class House:
    alice: User
    bob: User
    dora: User
    helpline: App
    token: str
    ann: Client
    session: Session
    charlies_token: str


@pytest.fixture(autouse=True)
def _no_rate_yet():
    windows.forget()


@pytest.fixture
def house(db) -> House:
    alice, bob, dora = factories.counselor("alice"), factories.counselor("bob"), factories.admin("dora")
    helpline, charlie = factories.app("Helpline", (alice,)), factories.app("Charlie's app")
    ann = factories.client("Ann", assigned_to=alice, linked_to=helpline)
    return House(
        alice,
        bob,
        dora,
        helpline,
        factories.key(helpline, EVERY_SCOPE)[1],
        ann,
        factories.session(ann, owner=helpline),
        factories.key(charlie, EVERY_SCOPE)[1],
    )


class Api:
    """An HTTP client that speaks JSON and carries a key; ``path`` is below ``/api/v1/``."""

    def __init__(self, token: str | None = None, user: User | None = None) -> None:
        self.http = HttpClient(raise_request_exception=True)
        self.headers = {"Authorization": f"Bearer {token}"} if token else {}
        if user is not None:
            self.http.force_login(user)

    def _path(self, path: str) -> str:
        return path if path.startswith("/") else f"/api/v1/{path}"

    def get(self, path: str, **headers: str) -> Any:
        return self.http.get(self._path(path), headers=self.headers | _named(headers))

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        return self._send("post", path, body, headers)

    def patch(self, path: str, body: Any = None, **headers: str) -> Any:
        return self._send("patch", path, body, headers)

    def delete(self, path: str) -> Any:
        return self.http.delete(self._path(path), headers=self.headers)

    def raw(self, path: str, body: bytes, content_type: str = "application/json", **headers: str) -> Any:
        return self.http.post(
            self._path(path), body, content_type=content_type, headers=self.headers | _named(headers)
        )

    def form(self, path: str, fields: dict[str, Any], **headers: str) -> Any:
        return self.http.post(self._path(path), fields, headers=self.headers | _named(headers))

    def _send(self, method: str, path: str, body: Any, headers: dict[str, str]) -> Any:
        send = getattr(self.http, method)
        return send(
            self._path(path),
            {} if body is None else body,
            content_type="application/json",
            headers=self.headers | _named(headers),
        )


def _named(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


@pytest.fixture
def api(house) -> Api:
    """The app Helpline, with every scope."""
    return Api(house.token)


@pytest.fixture
def charlie(house) -> Api:
    """An app that is linked to nobody here."""
    return Api(house.charlies_token)
