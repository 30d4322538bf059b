"""A meeting or conversation: look at it, end it."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from emotrack.accounts.models import Scope
from emotrack.api import bodies, shapes
from emotrack.api.answers import session_answer
from emotrack.api.door import Door
from emotrack.history.models import Session
from emotrack.pipeline import end_session


class OneSession(Door):
    scopes = {"GET": Scope.READ}
    people = frozenset({"GET"})

    @extend_schema(operation_id="get_session", responses=shapes.SessionAnswer)
    def get(self, request: Request, session: str) -> Response:
        """A session's times."""
        self.query(bodies.Nothing)
        found = self.find(Session.objects.select_related("client"), session)
        return Response(session_answer(found, viewer=self.viewer))


class SessionEnd(Door):
    scopes = {"POST": Scope.INGEST}
    people = frozenset({"POST"})

    @extend_schema(operation_id="end_session", request=None, responses=shapes.SessionAnswer)
    def post(self, request: Request, session: str) -> Response:
        """End a session; ending it twice changes nothing. Rules on whole sessions run now."""
        found = self.find_content(Session.objects, session)
        self.body(bodies.Nothing)
        ended = end_session(found, by=self.actor, now=self.now)
        return Response(session_answer(ended, viewer=self.viewer))
