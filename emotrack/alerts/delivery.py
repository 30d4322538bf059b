"""Brings notices out: takes a due row by a lease, sends it, marks it; so each arrives at least once.

A sender that dies between sending and marking leaves a lease that runs out, and the next one sends again
under the same id.
"""

from __future__ import annotations

import json
import logging
import random
import threading
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta

from django.conf import settings
from django.db import DatabaseError, close_old_connections, connection, transaction
from django.db.models import F, Q
from django.utils import timezone

from emotrack.alerts.models import (
    Alert,
    ChannelKind,
    Notification,
    NotificationChannel,
    NotificationKind,
)
from emotrack.alerts.transports import Message, Transport, TransportError
from emotrack.alerts.transports.webhook import Webhook
from emotrack.audit.actions import record
from emotrack.audit.models import Actor

log = logging.getLogger("emotrack.alerts")

LEASE = timedelta(seconds=60)
"""Well above the longest call, so that no row is sent twice while its sender lives."""

RETRY_AFTER = tuple(timedelta(seconds=s) for s in (5, 5 * 60, 30 * 60, 2 * 3600, 5 * 3600, 10 * 3600))
"""After the first attempt; the last one repeats. As Standard Webhooks 1.0 suggests."""

GIVE_UP_AFTER = timedelta(hours=24)
JITTER = 0.1
IDLE_SECONDS = 1.0
"""How often a sender looks by itself: other processes cannot wake it."""

SENDER = Actor.system("deliver")
_work = threading.Event()


def wake() -> None:
    """Make the senders of this process look at once."""
    _work.set()


# --- Queueing -----------------------------------------------------------------------------------


def tell_fired(alerts: Iterable[Alert], *, now: datetime) -> None:
    """Queue a notice to each channel that may know of the client, in the caller's transaction."""
    for alert in alerts:
        everyones = Q(app__isnull=True) | Q(app__client_links__client_id=alert.client_id)
        channels = NotificationChannel.objects.filter(everyones, disabled_at__isnull=True).distinct()
        _queue(alert, channels, NotificationKind.FIRED, now)


def tell_resolved(alerts: Iterable[Alert], *, now: datetime) -> None:
    """Queue the end to each channel that was told of the beginning."""
    for alert in alerts:
        told = Q(notifications__alert=alert, notifications__kind=NotificationKind.FIRED)
        channels = NotificationChannel.objects.filter(told, disabled_at__isnull=True)
        _queue(alert, channels, NotificationKind.RESOLVED, now)


def _queue(
    alert: Alert, channels: Iterable[NotificationChannel], kind: NotificationKind, now: datetime
) -> None:
    rows = [
        Notification(alert=alert, channel=channel, kind=kind, created_at=now, queued_at=now, due_at=now)
        for channel in channels
    ]
    if rows:
        Notification.objects.bulk_create(rows, ignore_conflicts=True)
        transaction.on_commit(wake)


# --- Sending ------------------------------------------------------------------------------------


def transports() -> dict[str, Transport]:
    """What this installation sends with, per kind of channel."""
    return {
        ChannelKind.WEBHOOK: Webhook(
            allow_http=settings.WEBHOOK_ALLOW_HTTP, allow_private=settings.WEBHOOK_ALLOW_PRIVATE
        )
    }


def deliver_due(clock: Callable[[], datetime], *, by: Mapping[str, Transport], limit: int = 100) -> int:
    """Attempt what is due now, at most ``limit`` rows, each once; how many were attempted."""
    for attempted in range(limit):
        notification = take(clock())
        if notification is None:
            return attempted
        attempt(notification, by[notification.channel.kind], clock)
    return limit


def take(now: datetime) -> Notification | None:
    """The notice that has waited longest, leased to the caller; ``None`` when nothing is due.

    A channel with a notice on its way is left out, so that one slow receiver holds up nobody else. A lease
    further off than any can be was given by a clock that has since been set back.
    """
    free = Q(leased_until__isnull=True) | Q(leased_until__lte=now) | Q(leased_until__gt=now + LEASE)
    busy = Notification.objects.undone().exclude(free).values("channel")
    due = Notification.objects.undone().filter(free, due_at__lte=now, channel__disabled_at__isnull=True)
    for pk in due.exclude(channel__in=busy).order_by("due_at", "id").values_list("pk", flat=True)[:10]:
        mine = Notification.objects.undone().filter(free, pk=pk, due_at__lte=now)
        if mine.update(leased_until=now + LEASE, attempts=F("attempts") + 1):
            return Notification.objects.select_related("channel", "alert__client", "alert__session").get(
                pk=pk
            )
    return None


def attempt(notification: Notification, transport: Transport, clock: Callable[[], datetime]) -> None:
    """Send one leased notice and mark what came of it."""
    try:
        transport.send(message_of(notification, clock()))
    except TransportError as error:
        failed(notification, error, clock())
    except Exception as error:
        log.exception("notification %s could not be sent", notification.public_id)
        failed(notification, TransportError(f"{type(error).__name__} in the sender."), clock())
    else:
        _mark(notification, sent_at=clock(), last_error="")


def message_of(notification: Notification, now: datetime) -> Message:
    """Ids and links, no content: who may see the alert fetches it."""
    alert = notification.alert
    body = {
        "type": f"alert.{notification.kind}",
        "timestamp": notification.created_at.isoformat(),
        "data": {
            "alert": alert.public_id,
            "client": alert.client.public_id,
            "session": alert.session.public_id,
            "links": {
                "alert": f"/api/v1/alerts/{alert.public_id}",
                "session": f"/api/v1/sessions/{alert.session.public_id}",
            },
        },
    }
    channel = notification.channel
    payload = json.dumps(body, separators=(",", ":")).encode()
    return Message(notification.public_id, channel.url, channel.secret, payload, now)


@transaction.atomic
def failed(notification: Notification, error: TransportError, now: datetime) -> None:
    """Plan the next attempt, or lay the notice aside as a dead letter."""
    over = error.permanent or now >= notification.queued_at + GIVE_UP_AFTER
    outcome = {"dead_at": now} if over else {"due_at": next_attempt(notification, error, now)}
    _mark(notification, last_error=str(error)[:300], **outcome)
    if over:
        record("notification.dead", by=SENDER, now=now, subject=notification.public_id)
    if error.gone:
        disable_channel(notification.channel, reason=str(error), by=SENDER, now=now)


def next_attempt(notification: Notification, error: TransportError, now: datetime) -> datetime:
    wait = RETRY_AFTER[min(notification.attempts, len(RETRY_AFTER)) - 1]
    wait *= 1 + random.uniform(0, JITTER)  # noqa: S311
    wait = max(wait, timedelta(seconds=error.retry_after_s or 0))
    return min(now + wait, notification.queued_at + GIVE_UP_AFTER)


def disable_channel(channel: NotificationChannel, *, reason: str, by: Actor, now: datetime) -> None:
    """Send there no more; what was still waiting becomes dead letters that can be replayed."""
    NotificationChannel.objects.filter(pk=channel.pk, disabled_at__isnull=True).update(
        disabled_at=now, disabled_reason=reason[:200]
    )
    Notification.objects.undone().filter(channel=channel).update(
        dead_at=now, leased_until=None, last_error="The channel was switched off."
    )
    record("channel.disabled", by=by, now=now, subject=channel.public_id)


def _mark(notification: Notification, **facts: object) -> None:
    """Only while the row still waits: a sender whose lease ran out must not undo what the next one marked."""
    waiting = Notification.objects.undone().filter(pk=notification.pk)
    if "sent_at" not in facts:  # what arrived has arrived, whoever holds the lease by now
        waiting = waiting.filter(attempts=notification.attempts)
    waiting.update(leased_until=None, **facts)


# --- The loop -----------------------------------------------------------------------------------


class DeliveryLoop:
    """Sends until it is stopped; run it in as many threads and processes as are wanted."""

    def __init__(
        self, clock: Callable[[], datetime] = timezone.now, by: Mapping[str, Transport] | None = None
    ) -> None:
        self.clock, self.by = clock, by or transports()

    def run_forever(self, stop: threading.Event) -> None:
        """Returns soon after ``stop`` is set and ``wake`` called; the call that is under way is finished."""
        try:
            while not stop.is_set():
                if not self._pass():
                    _work.wait(IDLE_SECONDS)
                    _work.clear()
        finally:
            connection.close()

    def _pass(self) -> int:
        close_old_connections()
        try:
            return deliver_due(self.clock, by=self.by)
        except DatabaseError:
            log.exception("the senders cannot reach the database; trying again")
            return 0
