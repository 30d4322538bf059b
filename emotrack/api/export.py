"""Files out: a session or all of a client, in the formats of other tools; a line for a language model."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from itertools import chain

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, StreamingHttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from emotrack.accounts.models import Scope
from emotrack.api import bodies
from emotrack.api.door import Door
from emotrack.api.errors import Problem
from emotrack.api.export_shapes import FILE, ContextAnswer
from emotrack.api.fields import refuse_field
from emotrack.audit.actions import record
from emotrack.exports.context import context_of
from emotrack.exports.formats import FORMATS, Export, Format, client_export, session_export
from emotrack.exports.rows import About
from emotrack.history import listening
from emotrack.history.models import Client, Session


def as_download(request: HttpRequest, export: Export) -> StreamingHttpResponse:
    """The file, sent part by part. The first part is made at once, so that what fails early fails clearly."""
    parts = chain([next(export.parts, b"")], export.parts)
    return StreamingHttpResponse(
        _in_turns(parts) if isinstance(request, ASGIRequest) else parts,
        content_type=export.media_type,
        headers={
            "Content-Disposition": f'attachment; filename="{export.name}"',
            "Cache-Control": "private, no-store",
            "X-Content-Type-Options": "nosniff",
        },
    )


async def _in_turns(parts: Iterator[bytes]) -> AsyncIterator[bytes]:
    """Each part is made in a thread while the loop serves others."""
    following = sync_to_async(next)
    while (part := await following(parts, None)) is not None:
        yield part


class _Export(Door):
    scopes = {"GET": Scope.EXPORT}
    people = frozenset({"GET"})

    def asked(self) -> tuple[Format, bool]:
        """The format, and whether notes were chosen. Raises ``Problem`` where they cannot be."""
        asked = self.query(bodies.ExportQuery)
        wanted, notes = FORMATS[asked["format"]], "notes" in asked["include"]
        if notes and self.app is not None:
            raise Problem("people-only", status=403)
        if notes and not wanted.notes:
            raise refuse_field("?include", "not-a-choice", "This format has no place for notes.")
        return wanted, notes

    def refuse_waiting(self, session: Session | None) -> None:
        """Raises ``Problem`` for a person who listens first and has not yet said what they heard in it."""
        if self.app is None and session is not None and listening.waits(session, self.request.user):
            raise Problem("listen-first", status=409)

    def note_export(self, action: str, subject: str, client: Client, wanted: Format, *, notes: bool) -> None:
        record(
            action,
            by=self.actor,
            now=self.now,
            subject=subject,
            client=client.public_id,
            format=wanted.slug,
            notes=notes,
        )

    def about(self, client: Client, *, notes: bool) -> About:
        base = self.request.build_absolute_uri("/")
        return About(client.public_id, client.code, self.now, base, notes=notes)


class SessionExport(_Export):
    @extend_schema(
        operation_id="export_session",
        parameters=[bodies.ExportQuery],
        responses=FILE,
    )
    def get(self, request: Request, session: str) -> StreamingHttpResponse:
        """The session as a file that other tools open."""
        wanted, notes = self.asked()
        found = self.find_content(Session.objects.select_related("client"), session)
        self.refuse_waiting(found)
        about = self.about(found.client, notes=notes)
        self.note_export("session.exported", found.public_id, found.client, wanted, notes=notes)
        return as_download(request._request, session_export(found, wanted, about))


class ClientExport(_Export):
    @extend_schema(
        operation_id="export_client",
        parameters=[bodies.ExportQuery],
        responses=FILE,
    )
    def get(self, request: Request, client: str) -> StreamingHttpResponse:
        """All sessions of the client; formats of one session a file come as a zip of them."""
        wanted, notes = self.asked()
        found = self.find_content(Client.objects, client)
        self.refuse_waiting(Session.objects.filter(client=found).order_by("-started_at", "-id").first())
        about = self.about(found, notes=notes)
        self.note_export("client.exported", found.public_id, found, wanted, notes=notes)
        return as_download(request._request, client_export(found, wanted, about))


class SessionContext(Door):
    scopes = {"GET": Scope.READ}
    people = frozenset({"GET"})

    @extend_schema(operation_id="get_session_context", responses=ContextAnswer)
    def get(self, request: Request, session: str) -> Response:
        """One line for the prompt of a language model: how the client's latest utterance may sound."""
        self.query(bodies.Nothing)
        found = self.find(Session.objects, session)
        return Response(context_of(found))
