"""Brings notices out: takes a due row by a lease, sends it, marks it; so each arrives at least once.

A sender that dies between sending and marking leaves a lease that runs out, and the next one sends again
under the same id.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from django.conf import settings
from django.db import DatabaseError, close_old_connections, connection, transaction
from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext_noop

from emotrack.alerts.delivery.messages import message_of
from emotrack.alerts.delivery.transports import Answer, Transport, TransportError
from emotrack.alerts.delivery.transports.mail import Mail
from emotrack.alerts.delivery.transports.trial import Trial
from emotrack.alerts.delivery.transports.webhook import Webhook
from emotrack.alerts.models import (
    Attempt,
    ChannelKind,
    Notification,
    NotificationChannel,
    NotificationKind,
)
from emotrack.audit.actions import record
from emotrack.audit.models import Actor

log = logging.getLogger("emotrack.alerts")

LEASE = timedelta(seconds=60)
"""Well above the longest call, so that no row is sent twice while its sender lives."""

RETRY_AFTER = tuple(timedelta(seconds=s) for s in (5, 5 * 60, 30 * 60, 2 * 3600, 5 * 3600, 10 * 3600))
"""After the first attempt; the last one repeats. As Standard Webhooks 1.0 suggests."""

GIVE_UP_AFTER = timedelta(hours=24)
FEWEST_ATTEMPTS = 3
JITTER = 0.1
IDLE_SECONDS = 1.0
"""How often a sender looks by itself: other processes cannot wake it."""

SWITCHED_OFF = gettext_noop("The channel was switched off.")
NEEDED = ("channel__user", "alert__client", "alert__session", "alert__rule", "trouble")
"""What a message is made of."""

SENDER = Actor.system("deliver")
_work = threading.Event()


def wake() -> None:
    """Make the senders of this process look at once."""
    _work.set()


# --- Sending ------------------------------------------------------------------------------------


def transports() -> dict[str, Transport]:
    """What this installation sends with, per kind of channel."""
    return {
        ChannelKind.WEBHOOK: Webhook(
            allow_http=settings.WEBHOOK_ALLOW_HTTP, allow_private=settings.WEBHOOK_ALLOW_PRIVATE
        ),
        ChannelKind.EMAIL: Mail(),
        ChannelKind.TRIAL: Trial(),
    }


def deliver_due(
    clock: Callable[[], datetime],
    *,
    by: Mapping[str, Transport],
    limit: int = 100,
    stop: threading.Event | None = None,
) -> int:
    """Attempt what is due now, at most ``limit`` rows, each once; how many were taken.

    Mail that has become old news is withdrawn instead. stop: once it is set, what is under way is finished
    and nothing more is taken.
    """
    for taken in range(limit):
        notification = None if stop and stop.is_set() else take(clock())
        if notification is None:
            return taken
        if not withdrawn(notification, clock()):
            attempt(notification, by[notification.channel.kind], clock)
    return limit


def withdrawn(notification: Notification, now: datetime) -> bool:
    """Whether a leased notice is old news, and if so lay it aside unsent. Webhooks are told all the same:
    programs keep a record, people are asked to look."""
    if not Notification.objects.filter(pk=notification.pk).old_news(now).exists():
        return False
    _mark(notification, withdrawn_at=now, attempts=notification.attempts - 1)
    return True


def take(now: datetime) -> Notification | None:
    """The notice that has waited longest, leased to the caller; ``None`` when nothing is due.

    A channel with a notice on its way is left out, so that one slow receiver holds up nobody else. An end
    waits for its beginning. A lease far further off than any can be, or a notice made in the future, is of a
    clock that has since been set back; another sender's clock may well be a little ahead.
    """
    undone = Notification.objects.undone()
    free = Q(leased_until__isnull=True) | Q(leased_until__lte=now) | Q(leased_until__gt=now + 2 * LEASE)
    due = Q(due_at__lte=now) | Q(created_at__gt=now + LEASE)
    busy = undone.exclude(free).values("channel")
    beginning = undone.filter(
        Q(alert=OuterRef("alert")) | Q(trouble=OuterRef("trouble")),
        channel=OuterRef("channel"),
        kind=NotificationKind.FIRED,
    )
    ready = undone.filter(free, due, channel__disabled_at__isnull=True, channel__removed_at__isnull=True)
    ready = ready.exclude(channel__in=busy).exclude(Q(kind=NotificationKind.RESOLVED) & Exists(beginning))
    taken_by_others: set[int] = set()
    for pk, channel in ready.order_by("due_at", "id").values_list("pk", "channel")[:50]:
        if channel in taken_by_others:
            continue
        with transaction.atomic():
            mine = undone.filter(free, due, pk=pk).exclude(channel__in=busy)
            lease = {"leased_until": now + LEASE, "attempts": F("attempts") + 1}
            if _alone_with(channel) and mine.update(**lease):
                return Notification.objects.select_related(*NEEDED).get(pk=pk)
        taken_by_others.add(channel)
    return None


def _alone_with(channel: int) -> bool:
    """Whether no other sender is choosing among this channel's notices; until the transaction ends.

    SQLite has one writer at a time anyway.
    """
    skip = connection.features.has_select_for_update_skip_locked
    return bool(
        NotificationChannel.objects.select_for_update(skip_locked=skip, no_key=True).filter(pk=channel)
    )


def attempt(
    notification: Notification, transport: Transport, clock: Callable[[], datetime], *, try_again: bool = True
) -> Attempt:
    """Send one leased notice, mark what came of it, and log how it went."""
    began, ticks = clock(), time.monotonic()
    error = None
    try:
        answer = transport.send(message_of(notification, began))
    except TransportError as refused:
        error, answer = refused, refused.answer
    except Exception as bug:
        log.exception("notification %s could not be sent", notification.public_id)
        error, answer = TransportError(f"{type(bug).__name__} in the sender."), Answer()
    took_ms = round(1000 * (time.monotonic() - ticks))
    with transaction.atomic():
        if error is None:
            sent(notification, began, clock())
        else:
            failed(notification, error, clock(), try_again=try_again)
        return Attempt.objects.create(
            notification=notification,
            at=began,
            took_ms=took_ms,
            status=answer.status,
            error=str(error)[:300] if error else "",
            answer=answer.first_line if notification.kind == NotificationKind.TEST else "",
        )


def sent(notification: Notification, began: datetime, now: datetime) -> None:
    """It was taken. A mail says only that there is news, so one tells of all that waited for it by then."""
    _mark(notification, sent_at=now, last_error="")
    if notification.channel.kind == ChannelKind.EMAIL and notification.kind != NotificationKind.TEST:
        waiting = Notification.objects.undone().filter(channel=notification.channel, due_at__lte=began)
        waiting = waiting.filter(trouble__isnull=notification.trouble_id is None, created_at__lte=began)
        news = waiting.exclude(pk__in=waiting.old_news(now).values("pk"))
        news.update(sent_at=now, last_error="", leased_until=None)


@transaction.atomic
def failed(
    notification: Notification, error: TransportError, now: datetime, *, try_again: bool = True
) -> None:
    """Plan the next attempt, or lay the notice aside as a dead letter.

    However late it is, it gets a few attempts: the service may have been down for days, or the clock jumped.
    """
    late = now >= notification.queued_at + GIVE_UP_AFTER and notification.attempts >= FEWEST_ATTEMPTS
    over = error.permanent or late or not try_again
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
    last = notification.queued_at + GIVE_UP_AFTER
    return now + wait if last <= now else min(now + wait, last)


def disable_channel(channel: NotificationChannel, *, reason: str, by: Actor, now: datetime) -> None:
    """Send there no more; what was still waiting becomes dead letters that can be replayed."""
    NotificationChannel.objects.filter(pk=channel.pk, disabled_at__isnull=True).update(
        disabled_at=now, disabled_reason=reason[:200]
    )
    Notification.objects.undone().filter(channel=channel).update(
        dead_at=now, leased_until=None, last_error=SWITCHED_OFF
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
                if not self._pass(stop):
                    _work.wait(IDLE_SECONDS)
                    _work.clear()
        finally:
            connection.close()

    def _pass(self, stop: threading.Event) -> int:
        close_old_connections()
        try:
            return deliver_due(self.clock, by=self.by, stop=stop)
        except DatabaseError:
            log.exception("the senders cannot reach the database; trying again")
            return 0
