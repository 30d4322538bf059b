"""Utterances: post one, list a session's, change or delete one, say what you heard yourself."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from emotrack.accounts.models import Scope
from emotrack.api import bodies, shapes
from emotrack.api.answers import Shown, utterance_answer, utterance_answers, with_reading
from emotrack.api.clients import claim_of
from emotrack.api.door import Door
from emotrack.api.errors import Problem
from emotrack.api.fields import Fields, refuse_field, validated
from emotrack.api.idempotency import fingerprint, key_of
from emotrack.api.paging import Order, Page, page
from emotrack.api.parsers import AUDIO_PART, Form, StrictFormParser, StrictJSONParser
from emotrack.history.models import Session, Status, Utterance
from emotrack.history.remarks import correct
from emotrack.pipeline import (
    Accepted,
    Posted,
    accept,
    accept_first_seen,
    amend_utterance,
    hurry,
    remove_utterance,
)

_PREFERRED_WAIT = re.compile(r"(?:^|[,;\s])wait\s*=\s*(\d{1,4})(?=$|[,;\s])", re.ASCII)
_TOLD = ("speaker", "occurred_at", "duration_ms", "scores", "embedding")


class _Posting(Door):
    """What both ways to post have in common."""

    wait_s: float
    shown: Shown

    parser_classes = [StrictJSONParser, StrictFormParser]

    def told(self, as_json: type[Fields], as_form: type[Fields]) -> dict[str, Any]:
        data = self.request.data
        body = validated(as_form, data, as_text=True) if isinstance(data, Form) else self.body(as_json)
        self.wait_s = _wait(self.request, body, self.query(bodies.WaitQuery))
        self.shown = self.shown_parts(_parts(body))
        return body

    def shown_parts(self, parts: frozenset[str]) -> Shown:
        """Raises ``Problem`` for an embedding without the scope that lets it out."""
        if "embedding" in parts and not self.has_scope(Scope.EXPORT):
            raise Problem("missing-scope", f"An embedding needs the scope {Scope.EXPORT}.", status=403)
        return Shown(text=self.has_scope(Scope.READ), parts=parts)

    def accepted(self, accept: Callable[..., Accepted], body: dict[str, Any]) -> Response:
        """The answer once ``accept``, given what every way to post has in common, has made it durable."""
        data = self.request.data
        audio = data.audio if isinstance(data, Form) else None
        accepted = accept(
            posted=_posted(body, audio),
            by=self.actor,
            now=self.now,
            app=self.app,
            key=self._key(),
            fingerprint=fingerprint(
                self.request.method, self.request.path, data, {} if audio is None else {AUDIO_PART: audio}
            ),
        )
        utterance = hurry(accepted.utterance, wait_s=self.wait_s)
        response = Response(
            utterance_answer(utterance, self.shown),
            status=202 if utterance.status == Status.QUEUED else 201,
            headers={"Location": f"/api/v1/utterances/{utterance.public_id}"},
        )
        if accepted.replayed:
            response.headers["Idempotent-Replayed"] = "true"
        return response

    def _key(self) -> str | None:
        key = key_of(self.request.headers.get("Idempotency-Key"))
        if key is not None and self.app is None:
            raise Problem("invalid-idempotency-key", "Only apps have idempotency keys.", status=400)
        return key


def _parts(body: dict[str, Any]) -> frozenset[str]:
    frames = {"frames"} if body["granularity"] == "frame" else set()
    return frozenset(body["include"]) | frames


def _wait(request: Request, body: dict[str, Any], asked: dict[str, Any]) -> float:
    """Seconds: the field, else the query, else ``Prefer: wait=N`` (shortened to the longest), else 5."""
    if "wait" in body or "wait" in asked:
        return body.get("wait", asked.get("wait"))
    preferred = _PREFERRED_WAIT.search(request.headers.get("Prefer", ""))
    if preferred:
        return float(min(int(preferred[1]), bodies.LONGEST_WAIT_S))
    return bodies.DEFAULT_WAIT_S


def _posted(body: dict[str, Any], audio: bytes | None) -> Posted:
    """Raises ``Problem`` where a recognizer is named for nothing."""
    recognizer = body.get("recognizer")
    if recognizer and body.get("scores") is None and body.get("embedding") is None:
        raise refuse_field("/recognizer", "recognizer-unused", "Send its scores, too.")
    return Posted(
        text=body.get("text") or None,
        language=body.get("language", ""),
        audio=audio,
        recognizer=(recognizer["id"], recognizer["version"]) if recognizer else None,
        **{name: body[name] for name in _TOLD if name in body},
    )


class SessionUtterances(_Posting):
    scopes = {"GET": Scope.READ, "POST": Scope.INGEST}
    people = frozenset({"GET", "POST"})

    @extend_schema(
        operation_id="post_utterance",
        parameters=[bodies.WaitQuery, *shapes.POST_HEADERS],
        request=shapes.either(bodies.UtteranceBody, bodies.UtteranceUpload),
        responses=shapes.POSTED,
        examples=shapes.POST_EXAMPLES,
    )
    def post(self, request: Request, session: str) -> Response:
        """Post one utterance: an audio file, or JSON with words or your own recognizer's scores."""
        found = self.find_content(Session.objects.select_related("client"), session)
        body = self.told(bodies.UtteranceBody, bodies.UtteranceForm)
        return self.accepted(partial(accept, session=found), body)

    @extend_schema(
        operation_id="list_utterances",
        parameters=[bodies.UtterancesQuery],
        responses=shapes.listed(shapes.UtteranceAnswer),
    )
    def get(self, request: Request, session: str) -> Response:
        """What was said in a session, in order. The admin role alone sees it without the words."""
        found = self.find(Session.objects.select_related("client"), session)
        asked = self.query(bodies.UtterancesQuery)
        shown = self._shown(found, frozenset(asked["include"]))
        rows = page(with_reading(found.utterances.all()), Order("occurred_at"), asked)
        if shown.text:
            self.note_reading(
                "utterances.read",
                subject=found.public_id,
                client=found.client.public_id,
                count=len(rows.rows),
            )
        return Response(_listed(rows, shown))

    def _shown(self, session: Session, parts: frozenset[str]) -> Shown:
        shown = self.shown_parts(parts)
        if session.client.content_visible_to(self.viewer):
            return shown
        if parts:
            raise Problem("content-not-visible", status=403)
        return Shown()


def _listed(rows: Page, shown: Shown) -> dict[str, Any]:
    return {"items": utterance_answers(rows.rows, shown), "next_cursor": rows.next_cursor}


class Shortcut(_Posting):
    scopes = {"POST": Scope.INGEST}

    @extend_schema(
        operation_id="post_utterance_at_once",
        parameters=[bodies.WaitQuery, *shapes.POST_HEADERS],
        request=shapes.either(bodies.ShortcutBody, bodies.ShortcutUpload),
        responses=shapes.POSTED,
    )
    def post(self, request: Request) -> Response:
        """One call and you are integrated: the client and the session are made when first seen."""
        body = self.told(bodies.ShortcutBody, bodies.ShortcutForm)
        first_seen = partial(
            accept_first_seen,
            client=body["client"],
            session=body["session"],
            name=body.get("client_name"),
            consent=claim_of(body),
        )
        return self.accepted(first_seen, body)


class OneUtterance(_Posting):
    parser_classes = [StrictJSONParser]
    scopes = {"GET": Scope.READ, "PATCH": Scope.INGEST, "DELETE": Scope.INGEST}
    people = frozenset({"GET", "PATCH", "DELETE"})

    @extend_schema(
        operation_id="get_utterance",
        parameters=[bodies.IncludeQuery],
        responses=shapes.UtteranceAnswer,
    )
    def get(self, request: Request, utterance: str) -> Response:
        """The utterance as it stands now: poll this after a 202."""
        asked = self.query(bodies.IncludeQuery)
        found = self.find_content(with_reading(Utterance.objects), utterance)
        shown = self.shown_parts(frozenset(asked["include"]))
        self.note_reading("utterances.read", subject=found.session.public_id, client=found.client.public_id)
        return Response(utterance_answer(found, shown))

    @extend_schema(
        operation_id="change_utterance",
        request={"application/json": bodies.UtteranceChange},
        responses=shapes.UtteranceAnswer,
    )
    def patch(self, request: Request, utterance: str) -> Response:
        """Mend the words, the time or who spoke; a changed time or speaker replays the series."""
        found = self.find_content(with_reading(Utterance.objects), utterance)
        body = self.body(bodies.UtteranceChange)
        amend_utterance(found, by=self.actor, now=self.now, **body)
        changed = with_reading(Utterance.objects).get(pk=found.pk)
        return Response(utterance_answer(changed, self.shown_parts(frozenset())))

    @extend_schema(operation_id="delete_utterance", responses={204: None})
    def delete(self, request: Request, utterance: str) -> Response:
        """Delete an utterance and its sound; the series is replayed without it."""
        found = self.find_content(Utterance.objects.select_related("client", "session"), utterance)
        remove_utterance(found, by=self.actor, now=self.now)
        return Response(status=204)


class UtteranceCorrection(Door):
    people = frozenset({"POST"})

    @extend_schema(
        operation_id="correct_utterance",
        request=bodies.CorrectionBody,
        responses={201: shapes.UtteranceAnswer},
    )
    def post(self, request: Request, utterance: str) -> Response:
        """Say which emotion you heard; it stands beside the machine's label, never over it."""
        found = self.find_content(with_reading(Utterance.objects), utterance)
        body = self.body(bodies.CorrectionBody)
        correct(utterance=found, label=body["emotion"], by=self.viewer, now=self.now)
        return Response(utterance_answer(found, Shown(text=True)), status=201)
