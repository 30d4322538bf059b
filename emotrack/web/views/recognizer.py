"""Whether the recognizer keeps up, how good it is, and what it could not read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.contrib import messages
from django.db.models import Avg, Count, DurationField, ExpressionWrapper, F, Max, Min
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST, require_safe
from markdown_it import MarkdownIt

from analysis.values import RecognizerError
from emotrack.audit.actions import record
from emotrack.history.models import Recognizer, Status, Utterance
from emotrack.pipeline.upkeep import retry_failed
from emotrack.recognition import RecognizerStatus, service, word_recognizer
from emotrack.web.administration import admins_only

LATELY = timedelta(hours=1)
WORDS = "words"
"""The reader of words: it has no series."""

CARDS = Path(__file__).resolve().parents[3] / "analysis" / "recognition"
REASONS = {
    "recognizer-failed": gettext_lazy("The recognizer gave no honest answer"),
    "consent-withdrawn": gettext_lazy("Consent was withdrawn before it was read"),
    "audio-lost": gettext_lazy("Its sound is not there any more"),
    "analysis-failed": gettext_lazy("It brought its worker down again and again"),
}


@dataclass(frozen=True, slots=True)
class Pace:
    """How the queue moves. mean_s: seconds from arrival to reading in the last hour, ``None`` without any."""

    waiting: int
    oldest_s: float | None
    read: int
    mean_s: float | None


def pace(now: datetime) -> Pace:
    queued = Utterance.objects.filter(status=Status.QUEUED).aggregate(n=Count("pk"), first=Min("received_at"))
    took = ExpressionWrapper(F("analyzed_at") - F("received_at"), output_field=DurationField())
    done = Utterance.objects.filter(
        status=Status.ANALYZED, analyzed_at__gte=now - LATELY, source="audio"
    ).aggregate(n=Count("pk"), mean=Avg(took))
    return Pace(
        waiting=queued["n"],
        oldest_s=(now - queued["first"]).total_seconds() if queued["first"] else None,
        read=done["n"],
        mean_s=done["mean"].total_seconds() if done["mean"] is not None else None,
    )


@admins_only
@require_safe
def recognizer(request: HttpRequest) -> HttpResponse:
    failed = (
        Utterance.objects.filter(status=Status.FAILED)
        .values("failure")
        .annotate(n=Count("pk"), last=Max("received_at"))
        .order_by("-n")
    )
    series = (
        Recognizer.objects.select_related("app")
        .exclude(app=None, name=WORDS)
        .annotate(
            points=Count("moodpoint"),
            people=Count("moodpoint__client", distinct=True),
            last=Max("moodpoint__occurred_at"),
        )
        .order_by("-last", "-pk")
    )
    context = {
        "active": "recognizer",
        "here": settings.RECOGNIZE_IN_WEB,
        "status": service().status() if settings.RECOGNIZE_IN_WEB else None,
        "name": settings.RECOGNIZER,
        "pace": pace(timezone.now()),
        "failed": [(row, REASONS.get(row["failure"], row["failure"])) for row in failed],
        "can_retry": any(row["failure"] == "recognizer-failed" for row in failed),
        "series": series,
        "card": model_card(settings.RECOGNIZER),
        "words": words_state(),
        "words_card": model_card(WORDS),
    }
    return render(request, "web/recognizer.html", context)


def words_state() -> RecognizerStatus:
    """Whether the words of a turn can be read in this process."""
    try:
        card = word_recognizer().card
    except RecognizerError as error:
        return RecognizerStatus(False, str(error), 0)
    return RecognizerStatus(True, f"{card.id} {card.version}", 0)


def model_card(name: str) -> str:
    """The recognizer's own card as HTML; empty where the checkout holds none. Raw HTML in it stays text."""
    path = CARDS / name / "MODEL_CARD.md"
    if not path.is_file():
        return ""
    _title, _, text = path.read_text(encoding="utf-8").partition("\n")
    html = MarkdownIt("commonmark", {"html": False}).enable("table").render(text)
    return html.replace("<th></th>", "<td></td>")  # a heading that says nothing is none


@require_POST
@admins_only
def read_again(request: HttpRequest) -> HttpResponse:
    """Queue again what the recognizer failed at, once it has been mended."""
    n = retry_failed()
    record("recognition.retried", by=request.user.actor, now=timezone.now(), count=n)
    said = ngettext("%(n)d turn is queued again.", "%(n)d turns are queued again.", n)
    messages.success(request, said % {"n": n} if n else _("There was nothing to read again."))
    return redirect("web:recognizer")
