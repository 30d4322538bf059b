"""Who opens ``/ws/listen``, and whether they still may: an app by its key, a person by the site's session."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone

from emotrack.accounts.actions import key_for
from emotrack.accounts.models import App, Scope, User
from emotrack.api.authentication import is_loopback
from emotrack.api.errors import Problem
from emotrack.api.throttling import windows
from emotrack.history.models import Session
from emotrack.live.watch import person_of
from emotrack.pipeline import check_may_stream


@dataclass(frozen=True, slots=True)
class Caller:
    """``token`` of an app, or ``session_key`` of a person; both are looked up anew every time."""

    token: str | None
    session_key: str | None
    meta: Mapping[str, str]

    def identity(self) -> App | User:
        """Raises ``Problem`` (401, 403) for who may not, or may not any more."""
        if self.token is None:
            person = person_of(self.session_key)
            if person is None:
                raise Problem("not-authenticated", status=401)
            return person
        key = key_for(self.token, now=timezone.now())
        if key is None or (key.loopback_only and not is_loopback(self._request())):
            raise Problem("invalid-key", status=401)
        if Scope.INGEST not in key.scopes:
            raise Problem("missing-scope", f"This needs the scope {Scope.INGEST}.", status=403)
        return key.app

    def session(self, public_id: str) -> tuple[App | User, Session]:
        """The session, for a caller who may stream into it now. Raises ``Problem`` or ``Refused``."""
        viewer = self.identity()
        rows = Session.objects.select_related("client").filter(public_id=public_id)
        found = rows.content_visible_to(viewer).first()
        if found is None and rows.visible_to(viewer).exists():
            raise Problem("content-not-visible", status=403)
        if found is None:
            raise Problem("not-found", status=404)
        check_may_stream(found)
        return viewer, found

    def count(self, viewer: App | User) -> None:
        """A connection counts as a request. Raises ``Problem`` (429)."""
        who = "key" if isinstance(viewer, App) else "user"
        if windows.count(f"{who}:listen:{viewer.pk}", settings.RATE_PER_MINUTE).left < 0:
            raise Problem("too-many-requests", status=429)

    def _request(self) -> HttpRequest:
        request = HttpRequest()
        request.META.update(self.meta)
        return request


def bearer_of(scope: Mapping[str, Any]) -> str | None:
    """The token of the ``Authorization`` header; "" for a header that holds none; ``None`` without one.

    No page can make a browser send this header, so that a caller with one needs no Origin.
    """
    for name, value in scope["headers"]:
        if name == b"authorization":
            kind, _space, token = value.decode("latin-1").partition(" ")
            return token.strip() if kind.lower() == "bearer" else ""
    return None


_FORWARDED = {b"x-forwarded-for": "HTTP_X_FORWARDED_FOR", b"forwarded": "HTTP_FORWARDED"}


def caller_of(scope: Mapping[str, Any]) -> Caller:
    token = bearer_of(scope)
    meta = {_FORWARDED[n]: v.decode("latin-1") for n, v in scope["headers"] if n in _FORWARDED}
    meta["REMOTE_ADDR"] = (scope.get("client") or ("", 0))[0]
    key = None if token is not None else scope["session"].session_key
    return Caller(token, key, meta)
