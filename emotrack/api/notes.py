"""One note: its words changed or put away, by who wrote it."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from emotrack.api import bodies, shapes
from emotrack.api.answers import note_answer
from emotrack.api.door import Door
from emotrack.history.models import Note
from emotrack.history.remarks import delete_note, rewrite_note


class OneNote(Door):
    people = frozenset({"PATCH", "DELETE"})

    def own(self, public_id: str) -> Note:
        """A note whose words the caller may read; whether it is theirs the action says."""
        return self.find_content(Note.objects.select_related("client", "session", "author"), public_id)

    @extend_schema(operation_id="change_note", request=bodies.NoteChange, responses=shapes.NoteAnswer)
    def patch(self, request: Request, note: str) -> Response:
        """Change the words of a note of your own; the moment it speaks of stays."""
        found = self.own(note)
        text = self.body(bodies.NoteChange)["text"]
        return Response(note_answer(rewrite_note(found, text=text, by=self.viewer, now=self.now)))

    @extend_schema(operation_id="delete_note", responses={204: None})
    def delete(self, request: Request, note: str) -> Response:
        """Delete a note of your own. Its page can bring it back for ten minutes; then it is gone."""
        delete_note(self.own(note), by=self.viewer, now=self.now)
        return Response(status=204)
