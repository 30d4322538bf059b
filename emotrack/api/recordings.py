"""Whole recordings: upload one, and follow the job that cuts it into turns."""

from __future__ import annotations

import hashlib
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from emotrack.accounts.models import Scope, User
from emotrack.api import bodies, shapes
from emotrack.api.door import Door
from emotrack.api.errors import Problem
from emotrack.api.fields import validated
from emotrack.api.idempotency import fingerprint, key_of
from emotrack.api.parsers import AUDIO_PART, Form, RecordingFormParser
from emotrack.api.problems import title_of
from emotrack.api.recording_shapes import JobAnswer
from emotrack.history.models import Session
from emotrack.pipeline import accept_recording, cancel_recording
from emotrack.recordings.actions import NewFile
from emotrack.recordings.models import Recording
from emotrack.recordings.queries import Turns, turns_of


class SessionRecording(Door):
    parser_classes = [RecordingFormParser]
    scopes = {"POST": Scope.INGEST}
    people = frozenset({"POST"})

    @extend_schema(
        operation_id="post_recording",
        parameters=shapes.POST_HEADERS[:1],
        request={"multipart/form-data": bodies.RecordingUpload},
        responses={202: JobAnswer},
    )
    def post(self, request: Request, session: str) -> Response:
        """Upload a whole recording; it is cut into utterances at its silences. Follow `Location`."""
        found = self.find_content(Session.objects.select_related("client"), session)
        form = request.data
        if not isinstance(form, Form):
            raise Problem("not-multipart", status=400)
        told = validated(bodies.RecordingForm, form, as_text=True)
        key = key_of(request.headers.get("Idempotency-Key"))
        if key is not None and self.app is None:
            raise Problem("invalid-idempotency-key", "Only apps have idempotency keys.", status=400)
        file = NewFile(
            chunks=form.file.chunks(),
            name=form.file.name or "",
            started_at=told.get("started_at"),
            speakers=tuple(told["speakers"]),
            language=told.get("language", ""),
            key=key,
            fingerprint=None if key is None else _fingerprint(request, form),
        )
        recording, replayed = accept_recording(
            client=found.client,
            admit=lambda: found,
            file=file,
            by=self.actor,
            now=self.now,
            app=self.app,
            user=self.viewer if isinstance(self.viewer, User) else None,
        )
        headers = {"Location": f"/api/v1/jobs/{recording.public_id}"}
        if replayed:
            headers["Idempotent-Replayed"] = "true"
        return Response(job_answer(recording), status=202, headers=headers)


def _fingerprint(request: Request, form: Form) -> bytes:
    digest = hashlib.sha256()
    for chunk in form.file.chunks():
        digest.update(chunk)
    form.file.seek(0)
    return fingerprint(request.method, request.path, form, {AUDIO_PART: digest.digest()})


class OneJob(Door):
    scopes = {"GET": Scope.READ, "DELETE": Scope.INGEST}
    people = frozenset({"GET", "DELETE"})

    @extend_schema(operation_id="get_job", responses=JobAnswer)
    def get(self, request: Request, job: str) -> Response:
        """How far a recording is, and what went wrong with it, if anything."""
        self.query(bodies.Nothing)
        return Response(job_answer(self._job(job)))

    @extend_schema(operation_id="cancel_job", responses={200: JobAnswer})
    def delete(self, request: Request, job: str) -> Response:
        """Stop reading a recording and delete its file; turns that were kept stay in the session."""
        found = self._job(job)
        cancel_recording(found, by=self.actor, now=self.now)
        return Response(job_answer(found))

    def _job(self, public_id: str) -> Recording:
        return self.find_content(Recording.objects.files().select_related("session", "client"), public_id)


def job_answer(recording: Recording) -> dict[str, Any]:
    turns = turns_of([recording]).get(recording.pk, Turns())
    failure = recording.failure
    return {
        "id": recording.public_id,
        "session": recording.session.public_id,
        "client": recording.client.public_id,
        "state": recording.state,
        "created_at": recording.created_at,
        "started_at": recording.started_at,
        "finished_at": recording.finished_at,
        "size_bytes": recording.size_bytes,
        "speakers": recording.speakers or ["client"],
        "progress": {"done_ms": recording.done_ms, "duration_ms": recording.duration_ms},
        "utterances": {
            "found": turns.found, "read": turns.read, "waiting": turns.waiting, "failed": turns.failed,
        },
        "errors": [{"type": f"/problems/{failure}", "detail": recording.detail or title_of(failure)}]
        if failure
        else [],
        "warnings": recording.warnings,
    }  # fmt: skip
