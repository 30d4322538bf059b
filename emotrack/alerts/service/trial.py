"""A made-up alert that goes the whole way on a schedule, so that silence can be told from calm.

It is decided by the state machine that judges people, queued as a row like any notice, and leased, signed,
sent and marked by the same senders, to a receiver of our own. It is nobody's alert and stands in no list of
them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from emotrack.alerts.delivery.sending import wake
from emotrack.alerts.delivery.transports.webhook import new_secret
from emotrack.alerts.judging.decide import Terms, episodes
from emotrack.alerts.models import ChannelKind, Notification, NotificationChannel, NotificationKind

KEPT = timedelta(days=7)
_MINUTE_S = 60.0
_SERIES = (0.4, 0.6, 4.0, 4.2, 4.1)
_TERMS = Terms(threshold=3.0, recovery=2.0, for_count=3)


class TrialBroken(Exception):
    """The made-up series did not fire as it must."""


@dataclass(frozen=True, slots=True)
class TrialState:
    """arrived_at: the last one that did. waited_since: then, or when the first one was made.

    missing: none has arrived for two periods.
    """

    on: bool
    arrived_at: datetime | None
    waited_since: datetime | None
    missing: bool


def period() -> timedelta:
    return timedelta(minutes=settings.TRIAL_EVERY_MINUTES)


@transaction.atomic
def send_trial(*, now: datetime) -> None:
    """Make one up and queue it. Raises ``TrialBroken``; does nothing where trials are switched off."""
    if not period():
        return
    times = [now.timestamp() + _MINUTE_S * i for i in range(len(_SERIES))]
    if [episode.fired for episode in episodes(times, list(_SERIES), _TERMS)] != [True]:
        raise TrialBroken("The state machine did not fire once on the made-up series.")
    channel = _channel(now)
    channel.notifications.filter(created_at__lt=now - KEPT).delete()
    Notification.objects.create(
        channel=channel, kind=NotificationKind.TRIAL, created_at=now, queued_at=now, due_at=now
    )
    transaction.on_commit(wake)


def _channel(now: datetime) -> NotificationChannel:
    channel = NotificationChannel.objects.filter(kind=ChannelKind.TRIAL).first()
    if channel is None:
        channel = NotificationChannel(kind=ChannelKind.TRIAL, name="Trial", created_at=now)
        channel.secret = new_secret()
        channel.save()
    return channel


def trial_state(now: datetime) -> TrialState:
    trials = Notification.objects.filter(channel__kind=ChannelKind.TRIAL)
    arrived = trials.filter(sent_at__isnull=False).order_by("-sent_at")
    arrived_at = arrived.values_list("sent_at", flat=True).first()
    first_made = trials.order_by("created_at").values_list("created_at", flat=True).first()
    since = arrived_at or first_made
    on = bool(period())
    return TrialState(on, arrived_at, since, on and since is not None and now - since > 2 * period())
