"""What ails the service, in sentences."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from emotrack.alerts.models import SystemAlert, Trouble


def sentence(trouble: SystemAlert) -> str:
    """One sentence with its numbers, in the reader's language."""
    return _SENTENCES[Trouble(trouble.kind)](trouble.detail)


def _recognizer(detail: dict) -> str:
    said = _("The recognizer does not answer. Turns wait and are read once it is back. It says: %(why)s")
    return said % {"why": detail["sentence"]}


def _backlog(detail: dict) -> str:
    said = ngettext(
        "%(waiting)d turn waits to be read, for %(minutes)d minutes.",
        "%(waiting)d turns wait to be read, the oldest for %(minutes)d minutes.",
        detail["waiting"],
    )
    return said % detail


def _deliveries(detail: dict) -> str:
    parts = []
    if detail["dead"]:
        said = ngettext(
            "%(dead)d notice about a client was given up in the last 24 hours.",
            "%(dead)d notices about clients were given up in the last 24 hours.",
            detail["dead"],
        )
        parts.append(said % detail)
    if detail["overdue"]:
        said = ngettext(
            "%(overdue)d notice waits and nobody sends it.",
            "%(overdue)d notices wait and nobody sends them.",
            detail["overdue"],
        )
        parts.append(said % detail)
    return " ".join(parts)


def _trial(detail: dict) -> str:
    said = _("No trial alert has arrived for %(minutes)d minutes: alerts may not get through.")
    return said % detail


def _disk(detail: dict) -> str:
    return _("Only %(free_mb)d MB are free on the disk.") % detail


def _audit(detail: dict) -> str:
    return _("The audit log has not been sealed for %(minutes)d minutes.") % detail


def _drift(detail: dict) -> str:
    said = ngettext(
        "The mix of readings of %(clients)d client has shifted; a new microphone or recognizer may be why.",
        "The mix of readings of %(clients)d clients has shifted; a new microphone or recognizer may be why.",
        detail["clients"],
    )
    return said % detail


def _low_quality(detail: dict) -> str:
    said = ngettext(
        "Much of what %(clients)d client says is too noisy, clipped or short to be read.",
        "Much of what %(clients)d clients say is too noisy, clipped or short to be read.",
        detail["clients"],
    )
    return said % detail


_SENTENCES = {
    Trouble.RECOGNIZER: _recognizer,
    Trouble.BACKLOG: _backlog,
    Trouble.DELIVERIES: _deliveries,
    Trouble.TRIAL: _trial,
    Trouble.DISK: _disk,
    Trouble.AUDIT: _audit,
    Trouble.DRIFT: _drift,
    Trouble.LOW_QUALITY: _low_quality,
}
