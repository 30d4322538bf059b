"""Recordings made elsewhere: upload them for a client, see how far they are, cancel one."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from analysis.audio import AudioRejected
from emotrack.history import retention
from emotrack.history.actions import Refused
from emotrack.history.models import Client, Session
from emotrack.pipeline import accept_recording, admit_session, cancel_recording
from emotrack.privacy.models import Purpose
from emotrack.recordings.actions import NewFile
from emotrack.recordings.models import Recording
from emotrack.web.client_frame import frame
from emotrack.web.recording_lines import FAILURES, OTHER_FAILURE, recording_lines, upload_words
from emotrack.web.views.live import counseled, standing_consents

CHANNELS = {
    "mixed": (),
    "client-counselor": ("client", "counselor"),
    "counselor-client": ("counselor", "client"),
}


@login_required
@require_safe
def upload(request: HttpRequest, public_id: str) -> HttpResponse:
    return _page(request, counseled(request.user, public_id))


def _page(request: HttpRequest, client: Client, wrong: str = "", status: int = 200) -> HttpResponse:
    context = frame(request, client, "", now=timezone.now()) | {
        "consent": standing_consents(client).get(Purpose.VOICE_EMOTION),
        "needs_consent": Purpose.VOICE_EMOTION in settings.CONSENT_REQUIRED,
        "kept": retention.in_force(),
        "lines": recording_lines(client),
        "most_mb": settings.RECORDING_MAX_BYTES // (1024 * 1024),
        "most_bytes": settings.RECORDING_MAX_BYTES,
        "most_hours": settings.RECORDING_MAX_SECONDS / 3600,
        "upload_words": upload_words(),
        "wrong": wrong,
    }
    return render(request, "web/upload.html", context, status=status)


@login_required
@require_safe
def now(request: HttpRequest, public_id: str) -> HttpResponse:
    """The list of uploads, as it stands."""
    client = counseled(request.user, public_id)
    return render(request, "web/_recordings.html", {"client": client, "lines": recording_lines(client)})


@login_required
@require_POST
def send(request: HttpRequest, public_id: str) -> HttpResponse:
    """Keep one recording as a session of its own. Scripts get JSON, a plain form the page."""
    client = counseled(request.user, public_id)
    try:
        recording = _accepted(request, client)
    except (Refused, AudioRejected) as error:
        status = error.status if isinstance(error, Refused) else 422
        said = str(FAILURES.get(error.slug, OTHER_FAILURE))
        if request.headers.get("X-Requested-With"):
            return JsonResponse({"slug": error.slug, "said": said}, status=status)
        return _page(request, client, said, status)
    if request.headers.get("X-Requested-With"):
        return JsonResponse({"id": recording.public_id}, status=202)
    return redirect("web:upload", public_id=public_id)


def _accepted(request: HttpRequest, client: Client) -> Recording:
    at = timezone.now()
    sound = request.FILES.get("audio")
    if sound is None:
        raise AudioRejected("audio-empty", "no file")
    if sound.size > settings.RECORDING_MAX_BYTES:
        raise AudioRejected("audio-too-large", "too large")
    started_at = _moment(request.POST.get("started_at", "")) or at
    file = NewFile(
        chunks=sound.chunks(),
        name=sound.name or "",
        started_at=started_at,
        speakers=CHANNELS.get(request.POST.get("channels", ""), ()),
        ends_session=True,
    )

    def admit() -> Session:
        return admit_session(client=client, by=request.user.actor, now=at, started_at=started_at)[0]

    return accept_recording(
        client=client, admit=admit, file=file, by=request.user.actor, now=at, user=request.user
    )[0]


def _moment(text: str) -> datetime | None:
    """A time with an offset, or in the reader's own zone; ``None`` for anything else."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if timezone.is_aware(moment) else timezone.make_aware(moment)


@login_required
@require_POST
def cancel(request: HttpRequest, public_id: str) -> HttpResponse:
    rows = Recording.objects.files().content_visible_to(request.user).select_related("client")
    recording = get_object_or_404(rows, public_id=public_id)
    cancel_recording(recording, by=request.user.actor, now=timezone.now())
    return redirect("web:upload", public_id=recording.client.public_id)
