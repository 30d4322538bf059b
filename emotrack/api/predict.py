"""The single call that services of today make: one audio file in, one label out, nothing stored."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from analysis.affect import top_label
from analysis.response import respond
from emotrack.accounts.models import Scope
from emotrack.api import bodies, shapes
from emotrack.api.answers import reading_answer
from emotrack.api.authentication import HasScope, is_loopback
from emotrack.api.door import Door
from emotrack.api.errors import Problem
from emotrack.api.fields import refuse_field, validated
from emotrack.api.parsers import Form, StrictFormParser
from emotrack.mood.queries import response_policy
from emotrack.pipeline import predict


class OpenOnLoopback(BasePermission):
    """As everywhere, unless the installation opens this one call to its own machine."""

    def has_permission(self, request: Request, view: Any) -> bool:
        if settings.LEGACY_PREDICT_OPEN and request.user is None and is_loopback(request._request):
            return True
        return HasScope().has_permission(request, view)


class PredictEmotion(Door):
    scopes = {"POST": Scope.INGEST}
    people = frozenset({"POST"})
    parser_classes = [StrictFormParser]
    permission_classes = [OpenOnLoopback]

    @extend_schema(
        operation_id="predict_emotion",
        request={"multipart/form-data": bodies.PredictUpload},
        responses=shapes.PredictAnswer,
    )
    def post(self, request: Request) -> Response:
        """Read one audio file and forget it."""
        form = request.data
        if not isinstance(form, Form):
            raise Problem("missing-part", "Send the sound as a file part named audio.", status=400)
        asked = validated(bodies.PredictForm, form, as_text=True)
        if asked["granularity"] != "utterance":
            raise refuse_field("/granularity", "not-a-choice", "This call answers per utterance only.")
        prediction = predict(form.audio)
        shares = prediction.scores
        answer = reading_answer(prediction.reading, shares)
        response = respond(
            prediction.reading,
            None if shares is None else top_label(shares),
            asked.get("language") or None,
            response_policy(),
        )
        del answer["reading"]
        answer |= {"granularity": "utterance", "timestamp": self.now}
        if response.fallback_action is not None:
            answer["fallback_action"] = response.fallback_action
            answer["suggested_response"] = response.suggested_response
        return Response(answer)
