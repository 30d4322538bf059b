"""The parts of an utterance: its sound in ranges, its outline, its embedding and its frames."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass

import numpy as np
from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from emotrack.accounts.models import Scope
from emotrack.api import bodies, shapes
from emotrack.api.answers import frames_answer
from emotrack.api.door import Door
from emotrack.api.errors import Problem
from emotrack.history.actions import read_audio
from emotrack.history.models import Utterance
from emotrack.history.queries import embedding_of, frames_of, kept_audio, peaks_of
from emotrack.pipeline.sound import PEAKS_PER_SECOND

NPY = "application/x-npy"
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Slice:
    """Bytes ``first``..``last``, both included."""

    first: int
    last: int


def asked_slice(header: str | None, size: int) -> Slice | None:
    """What a ``Range`` header asks of ``size`` bytes; ``None`` for all of it (RFC 9110, section 14).

    Several ranges, other units and what is not a range are answered with the whole. Raises ``Problem``
    (416) for a range that begins behind the end.
    """
    found = _RANGE.fullmatch(header or "")
    if not found or found[1] == found[2] == "":
        return None
    if not found[1]:
        first, last = max(0, size - int(found[2])), size - 1
    else:
        first, last = int(found[1]), min(int(found[2] or size), size - 1)
        if found[2] and int(found[2]) < first:
            return None
    if first >= size:
        raise Problem("range-not-satisfiable", status=416, headers={"Content-Range": f"bytes */{size}"})
    return Slice(first, last)


class _Part(Door):
    scopes = {"GET": Scope.READ}
    people = frozenset({"GET"})

    def utterance(self, public_id: str) -> Utterance:
        return self.find_content(Utterance.objects.select_related("client", "session"), public_id)

    def note_part(self, action: str, utterance: Utterance) -> None:
        self.note_reading(action, subject=utterance.public_id, client=utterance.client.public_id)


class UtteranceAudio(_Part):
    @extend_schema(
        operation_id="get_audio",
        parameters=[shapes.RANGE],
        responses={(200, "audio/*"): bytes, (206, "audio/*"): bytes},
    )
    def get(self, request: Request, utterance: str) -> HttpResponse:
        """The sound as it was posted, whole or in a range."""
        self.query(bodies.Nothing)
        found = self.utterance(utterance)
        audio = kept_audio(found)
        if audio is None:
            raise Problem("audio-not-kept", status=404)
        try:
            sound = read_audio(audio)
        except FileNotFoundError as error:
            raise Problem("audio-not-kept", status=404) from error
        part = asked_slice(request.headers.get("Range"), len(sound))
        if part is None or part.first == 0:
            self.note_part("audio.read", found)
        return _sound(sound, part, audio.media_type)


def _sound(sound: bytes, part: Slice | None, media_type: str) -> HttpResponse:
    body = sound if part is None else sound[part.first : part.last + 1]
    headers = {
        "Accept-Ranges": "bytes",
        "Cache-Control": "private, no-store",
        "Content-Disposition": "inline",
        "X-Content-Type-Options": "nosniff",
    }
    if part is not None:
        headers["Content-Range"] = f"bytes {part.first}-{part.last}/{len(sound)}"
    return HttpResponse(body, status=200 if part is None else 206, content_type=media_type, headers=headers)


class UtterancePeaks(_Part):
    @extend_schema(operation_id="get_peaks", responses=shapes.PeaksAnswer)
    def get(self, request: Request, utterance: str) -> Response:
        """The outline of the sound, to draw it; it stays when the sound is deleted."""
        self.query(bodies.Nothing)
        peaks = peaks_of(self.utterance(utterance))
        if peaks is None:
            raise Problem("audio-not-kept", status=404)
        return Response(
            {
                "rate_hz": PEAKS_PER_SECOND,
                "full_scale": 127,
                "low": peaks[:, 0].tolist(),
                "high": peaks[:, 1].tolist(),
            }
        )


class UtteranceEmbedding(_Part):
    scopes = {"GET": Scope.EXPORT}

    @extend_schema(
        operation_id="get_embedding",
        parameters=[bodies.ArrayQuery],
        responses={(200, "application/json"): shapes.EmbeddingAnswer, (200, NPY): bytes},
    )
    def get(self, request: Request, utterance: str) -> HttpResponse:
        """The embedding before any speaker correction, as JSON or `.npy` (float16)."""
        as_npy = _wants_npy(self)
        found = self.utterance(utterance)
        vector = embedding_of(found)
        if vector is None:
            raise Problem("embedding-missing", status=404)
        self.note_part("embedding.read", found)
        if as_npy:
            return _npy(vector)
        return Response({"dimension": len(vector), "embedding": vector.astype(np.float32)})


class UtteranceFrames(_Part):
    @extend_schema(
        operation_id="get_frames",
        parameters=[bodies.ArrayQuery],
        responses={(200, "application/json"): shapes.FramesAnswer, (200, NPY): bytes},
    )
    def get(self, request: Request, utterance: str) -> HttpResponse:
        """Logits along the utterance: `softmax(mean of a window's rows)` are that window's scores."""
        as_npy = _wants_npy(self)
        found = self.utterance(utterance)
        frames = frames_of(found)
        if frames is None:
            raise Problem("frames-missing", status=404)
        self.note_part("frames.read", found)
        return _npy(frames.logits) if as_npy else Response(frames_answer(frames))


def _wants_npy(door: Door) -> bool:
    asked = door.query(bodies.ArrayQuery).get("format")
    return asked == "npy" or (asked is None and NPY in door.request.headers.get("Accept", ""))


def _npy(array: np.ndarray) -> HttpResponse:
    target = io.BytesIO()
    np.save(target, array, allow_pickle=False)
    return HttpResponse(target.getvalue(), content_type=NPY)
