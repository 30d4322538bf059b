"""The people in counseling, and the sessions of one of them."""

from __future__ import annotations

from typing import Any

from django.db.models import Prefetch, QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from emotrack.accounts.models import Scope, User
from emotrack.api import bodies, shapes
from emotrack.api.answers import client_answer, note_answer, session_answer
from emotrack.api.door import Door
from emotrack.api.paging import Order, page
from emotrack.history.models import Client, Note, Session
from emotrack.history.remarks import rename_client, write_note
from emotrack.pipeline import admit_client, admit_session
from emotrack.privacy.actions import ConsentClaim, assert_consent
from emotrack.privacy.models import Consent


def claim_of(body: dict[str, Any]) -> ConsentClaim | None:
    consent = body.get("consent")
    if consent is None:
        return None
    return ConsentClaim(tuple(consent["purposes"]), consent["version"], consent["given_at"])


def _complete(clients: QuerySet[Client]) -> QuerySet[Client]:
    consents = Consent.objects.order_by("recorded_at", "id")
    return clients.prefetch_related("links", Prefetch("consents", consents))


class _ClientDoor(Door):
    def answer(self, client: Client) -> dict[str, Any]:
        """The client as the caller may see them; a name that is shown is noted as read."""
        content = self.has_scope(Scope.READ) and client.content_visible_to(self.viewer)
        return client_answer(client, viewer=self.viewer, content=content)


class Clients(_ClientDoor):
    scopes = {"GET": Scope.READ, "POST": Scope.INGEST}
    people = frozenset({"GET"})

    @extend_schema(
        operation_id="create_client",
        request=bodies.ClientBody,
        responses=shapes.both(shapes.ClientAnswer),
    )
    def post(self, request: Request) -> Response:
        """Find or create the client whom your app calls `external_id`: 201 new, 200 found."""
        body = self.body(bodies.ClientBody)
        client, new = admit_client(
            app=self.app,
            external_id=body["external_id"],
            name=body.get("name"),
            consent=claim_of(body),
            by=self.actor,
            now=self.now,
        )
        return Response(self.answer(client), status=201 if new else 200)

    @extend_schema(
        operation_id="list_clients",
        parameters=[bodies.ClientsQuery],
        responses=shapes.listed(shapes.ClientAnswer),
    )
    def get(self, request: Request) -> Response:
        """The clients that you may see, oldest first."""
        asked = self.query(bodies.ClientsQuery)
        clients = _complete(Client.objects.visible_to(self.viewer))
        if "external_id" in asked:
            clients = clients.filter(links__app=self.app, links__external_id=asked["external_id"])
        found = page(clients, Order("created_at"), asked)
        open_ids = self._open_ids(found.rows)
        if open_ids:
            self.note_reading("clients.read", count=len(open_ids))
        return Response(
            found.answer(lambda c: client_answer(c, viewer=self.viewer, content=c.pk in open_ids))
        )

    def _open_ids(self, clients: list[Client]) -> set[int]:
        """Those whose names the caller may read."""
        shown = Client.objects.filter(pk__in=[c.pk for c in clients]).content_visible_to(self.viewer)
        return set(shown.values_list("pk", flat=True))


class OneClient(_ClientDoor):
    scopes = {"GET": Scope.READ, "PATCH": Scope.INGEST}
    people = frozenset({"GET", "PATCH"})

    @extend_schema(operation_id="get_client", responses=shapes.ClientAnswer)
    def get(self, request: Request, client: str) -> Response:
        """A client and what they agreed to."""
        self.query(bodies.Nothing)
        found = self.find(Client.objects, client)
        answer = self.answer(found)
        if "name" in answer:
            self.note_reading("clients.read", client=found.public_id)
        return Response(answer)

    @extend_schema(operation_id="change_client", request=bodies.ClientChange, responses=shapes.ClientAnswer)
    def patch(self, request: Request, client: str) -> Response:
        """Change the name, or assert a consent (apps only: a person records it on the client's page)."""
        found = self.find_content(Client.objects, client)
        body = self.body(bodies.ClientChange)
        if "consent" in body:
            self.require_app()
            assert_consent(client=found, claim=claim_of(body), app=self.app, by=self.actor, now=self.now)
        if "name" in body:
            rename_client(found, name=body["name"], by=self.actor, now=self.now)
        return Response(self.answer(found))


class ClientSessions(Door):
    scopes = {"GET": Scope.READ, "POST": Scope.INGEST}
    people = frozenset({"GET"})

    @extend_schema(
        operation_id="create_session",
        request=bodies.SessionBody,
        responses=shapes.both(shapes.SessionAnswer),
    )
    def post(self, request: Request, client: str) -> Response:
        """Find or create a session: 201 new, 200 found. Without `external_id` it is always a new one."""
        found = self.find(Client.objects, client)
        body = self.body(bodies.SessionBody)
        session, new = admit_session(client=found, app=self.app, by=self.actor, now=self.now, **body)
        return Response(session_answer(session, viewer=self.viewer), status=201 if new else 200)

    @extend_schema(
        operation_id="list_sessions",
        parameters=[bodies.Paging],
        responses=shapes.listed(shapes.SessionAnswer),
    )
    def get(self, request: Request, client: str) -> Response:
        """The sessions of a client, newest first."""
        found = self.find(Client.objects, client)
        sessions = Session.objects.filter(client=found).select_related("client")
        asked = self.query(bodies.Paging)
        rows = page(sessions, Order("started_at", newest_first=True), asked)
        return Response(rows.answer(lambda session: session_answer(session, viewer=self.viewer)))


class ClientNotes(Door):
    people = frozenset({"GET", "POST"})

    @extend_schema(operation_id="write_note", request=bodies.NoteBody, responses={201: shapes.NoteAnswer})
    def post(self, request: Request, client: str) -> Response:
        """Write a note, pinned to a moment of a session or to the client."""
        found = self.find_content(Client.objects, client)
        body = self.body(bodies.NoteBody)
        if "session" in body:
            body["session"] = self.find(Session.objects, body["session"])
        author: User = self.viewer
        note = write_note(client=found, by=author, now=self.now, **body)
        return Response(note_answer(note), status=201)

    @extend_schema(
        operation_id="list_notes",
        parameters=[bodies.Paging],
        responses=shapes.listed(shapes.NoteAnswer),
    )
    def get(self, request: Request, client: str) -> Response:
        """The notes on a client, by the moment they speak of."""
        found = self.find_content(Client.objects, client)
        notes = Note.objects.filter(client=found).select_related("client", "session", "author")
        rows = page(notes, Order("at"), self.query(bodies.Paging))
        self.note_reading("notes.read", client=found.public_id, count=len(rows.rows))
        return Response(rows.answer(note_answer))
