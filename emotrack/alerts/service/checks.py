"""Looks at the service again and again: does it read, does it keep up, does it get through to people."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from django.conf import settings

from emotrack.alerts.delivery.sending import SWITCHED_OFF
from emotrack.alerts.models import Alert, Kind, Notification, Trouble
from emotrack.alerts.service.trial import trial_state
from emotrack.alerts.service.troubles import observe
from emotrack.audit.models import AuditEvent
from emotrack.history.models import Status, Utterance
from emotrack.recognition import service

log = logging.getLogger("emotrack.alerts")

Check = Callable[[datetime], dict[str, object] | None]
"""What is wrong now, as numbers for its sentence; ``None`` when nothing is."""

BACKLOG_AFTER = timedelta(minutes=10)
OVERDUE_AFTER = timedelta(minutes=10)
DEAD_WITHIN = timedelta(hours=24)
SEAL_LATE_AFTER = timedelta(minutes=5)
_MB = 1024 * 1024


def check_service(*, now: datetime) -> None:
    """Look at everything; a look that breaks costs no other, and is reported at the end."""
    broken = []
    for kind, look in LOOKS.items():
        try:
            found = look(now)
        except Exception:
            log.exception("the look at %s broke", kind)
            broken.append(str(kind))
        else:
            observe(kind, found, now=now)
    if broken:
        raise RuntimeError(f"These looks at the service broke: {', '.join(broken)}")


def recognizer(now: datetime) -> dict[str, object] | None:
    status = service().status()
    return None if status.ready else {"sentence": status.sentence}


def backlog(now: datetime) -> dict[str, object] | None:
    waiting = Utterance.objects.filter(status=Status.QUEUED)
    oldest = waiting.order_by("received_at").values_list("received_at", flat=True).first()
    if oldest is None or now - oldest <= BACKLOG_AFTER:
        return None
    return {"waiting": waiting.count(), "minutes": int((now - oldest).total_seconds() // 60)}


def deliveries(now: datetime) -> dict[str, object] | None:
    """Dead letters of a day about clients, and notices that no sender took up."""
    about_clients = Notification.objects.filter(alert__isnull=False)
    dead = about_clients.dead().filter(dead_at__gt=now - DEAD_WITHIN).exclude(last_error=SWITCHED_OFF)
    overdue = about_clients.undone().filter(
        due_at__lt=now - OVERDUE_AFTER, channel__disabled_at=None, channel__removed_at=None
    )
    found = {"dead": dead.count(), "overdue": overdue.count()}
    return found if any(found.values()) else None


def trial(now: datetime) -> dict[str, object] | None:
    state = trial_state(now)
    if not state.missing:
        return None
    return {"minutes": int((now - state.waited_since).total_seconds() // 60)}


def disk(now: datetime) -> dict[str, object] | None:
    free_mb = shutil.disk_usage(settings.VAR_DIR).free // _MB
    return None if free_mb >= settings.DISK_FREE_MB else {"free_mb": free_mb}


def audit(now: datetime) -> dict[str, object] | None:
    late = AuditEvent.objects.filter(sealed_at__isnull=True, at__lt=now - SEAL_LATE_AFTER)
    oldest = late.order_by("id").values_list("at", flat=True).first()
    return None if oldest is None else {"minutes": int((now - oldest).total_seconds() // 60)}


def _clients_of(kind: Kind) -> dict[str, object] | None:
    """Clients on whom a rule about the sound or the recognizer holds an alert open."""
    clients = Alert.objects.open().filter(rule__kind=kind).values("client").distinct().count()
    return {"clients": clients} if clients else None


def drift(now: datetime) -> dict[str, object] | None:
    return _clients_of(Kind.RECOGNIZER_DRIFT)


def low_quality(now: datetime) -> dict[str, object] | None:
    return _clients_of(Kind.LOW_QUALITY)


LOOKS: Mapping[Trouble, Check] = {
    Trouble.RECOGNIZER: recognizer,
    Trouble.BACKLOG: backlog,
    Trouble.DELIVERIES: deliveries,
    Trouble.TRIAL: trial,
    Trouble.DISK: disk,
    Trouble.AUDIT: audit,
    Trouble.DRIFT: drift,
    Trouble.LOW_QUALITY: low_quality,
}
