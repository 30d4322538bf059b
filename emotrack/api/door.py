"""What all REST views share: who asks and when, what they may see, ETags, limits and rate headers."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypeVar

from django.db.models import Model, QuerySet
from django.http import HttpResponse
from django.utils import timezone
from django.utils.cache import get_conditional_response, patch_vary_headers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from emotrack.accounts.models import App, Scope, User
from emotrack.api.errors import Problem
from emotrack.api.fields import Fields, validated
from emotrack.api.limits import limit_for, too_large
from emotrack.api.parsers import single_values
from emotrack.api.renderers import OneRenderer
from emotrack.api.schema import DoorSchema
from emotrack.api.throttling import Rate
from emotrack.audit.actions import record
from emotrack.audit.models import Actor

Row = TypeVar("Row", bound=Model)


class Door(APIView):
    """A resource. ``scopes`` names the scope an app's key needs per method; ``people`` who signed in may use
    the methods named there; a method in neither is for nobody.
    """

    scopes: Mapping[str, Scope] = {}
    people: frozenset[str] = frozenset()
    metadata_class = None
    schema = DoorSchema()
    content_negotiation_class = OneRenderer
    http_method_names = ["get", "head", "post", "patch", "delete"]

    now: datetime

    def initialize_request(self, request: Any, *args: Any, **kwargs: Any) -> Request:
        _give_length(request)
        return super().initialize_request(request, *args, **kwargs)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        self.now = timezone.now()
        super().initial(request, *args, **kwargs)
        limit = limit_for(request.content_type or "", request.path)
        if int(request.META.get("CONTENT_LENGTH") or 0) > limit:
            raise too_large(limit)

    @property
    def viewer(self) -> User | App:
        return self.request.user

    @property
    def app(self) -> App | None:
        return self.viewer if isinstance(self.viewer, App) else None

    @property
    def actor(self) -> Actor:
        return self.viewer.actor

    def has_scope(self, scope: Scope) -> bool:
        """Whether the caller's key opens ``scope``; people are held by their roles instead."""
        return self.app is None or scope in self.request.auth.scopes

    def body(self, fields: type[Fields]) -> dict[str, Any]:
        return validated(fields, self.request.data)

    def query(self, fields: type[Fields]) -> dict[str, Any]:
        asked = single_values(self.request.query_params)
        return validated(fields, asked, as_text=True, unknown="unknown-parameter")

    def find(self, rows: QuerySet[Row], public_id: str) -> Row:
        """A row that the caller may see; 404 for any other, so that ids cannot be tried out."""
        row = rows.visible_to(self.viewer).filter(public_id=public_id).first()
        if row is None:
            raise Problem("not-found", status=404)
        return row

    def find_content(self, rows: QuerySet[Row], public_id: str) -> Row:
        """A row whose words and sound the caller may see."""
        row = rows.content_visible_to(self.viewer).filter(public_id=public_id).first()
        if row is None:
            self.find(rows, public_id)
            raise Problem("content-not-visible", status=403)
        return row

    def require_app(self) -> None:
        if self.app is None:
            raise Problem("apps-only", status=403)

    def note_reading(self, action: str, *, subject: str = "", client: str = "", count: int = 1) -> None:
        """Content is about to be shown: one event for the whole batch."""
        record(action, by=self.actor, now=self.now, subject=subject, client=client, count=count)

    def finalize_response(
        self, request: Request, response: HttpResponse, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        response = super().finalize_response(request, response, *args, **kwargs)
        rate: Rate | None = getattr(request, "rate", None)
        for name, value in rate.headers().items() if rate else ():
            response.headers[name] = value
        response.headers.setdefault("Cache-Control", "private, no-cache")
        patch_vary_headers(response, ["Authorization", "Cookie"])
        if (
            isinstance(response, Response)
            and request.method in {"GET", "HEAD"}
            and response.status_code == 200
        ):
            response.add_post_render_callback(lambda rendered: _unless_known(request, rendered))
        return response


def _give_length(request: Any) -> None:
    """A chunked body has no length in its header, and the framework would take it for an empty one."""
    chunked = request.META.get("HTTP_TRANSFER_ENCODING", "").lower() == "chunked"
    if chunked and not request.META.get("CONTENT_LENGTH"):
        request.META["CONTENT_LENGTH"] = str(len(request.body))


def _unless_known(request: Request, response: Response) -> HttpResponse:
    """304 when the caller already holds these very bytes."""
    etag = f'"{hashlib.sha256(response.content).hexdigest()[:32]}"'
    response.headers["ETag"] = etag
    return get_conditional_response(request._request, etag=etag, response=response)
