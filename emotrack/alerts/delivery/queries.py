"""Channels and their notices as pages and doors read them."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Count, Max, Q, QuerySet

from emotrack.accounts.models import App, User
from emotrack.alerts.models import ChannelKind, Notification, NotificationChannel, NotificationKind

STATES = {
    "waiting": Q(sent_at__isnull=True, dead_at__isnull=True, withdrawn_at__isnull=True),
    "sent": Q(sent_at__isnull=False),
    "dead": Q(dead_at__isnull=False),
    "withdrawn": Q(withdrawn_at__isnull=False),
}


def webhooks(viewer: User | App) -> QuerySet[NotificationChannel]:
    """Each with ``waiting`` and ``dead``, numbers of notices, and ``last_sent_at``."""
    real = ~Q(notifications__kind=NotificationKind.TEST)
    return (
        NotificationChannel.objects.visible_to(viewer)
        .select_related("app")
        .annotate(
            waiting=Count(
                "notifications",
                filter=real & Q(notifications__sent_at__isnull=True, notifications__dead_at__isnull=True),
            ),
            dead=Count("notifications", filter=real & Q(notifications__dead_at__isnull=False)),
            last_sent_at=Max("notifications__sent_at"),
        )
        .order_by("id")
    )


def deliveries(
    viewer: User | App,
    *,
    channel: str | None = None,
    state: str | None = None,
    since: datetime | None = None,
) -> QuerySet[Notification]:
    """Notices that the viewer may see, newest first, with every attempt; trials are left out.

    channel: a public id. state: one of ``STATES``.
    """
    rows = Notification.objects.visible_to(viewer).exclude(channel__kind=ChannelKind.TRIAL)
    if channel is not None:
        rows = rows.filter(channel__public_id=channel)
    if state is not None:
        rows = rows.filter(STATES[state])
    if since is not None:
        rows = rows.filter(created_at__gte=since)
    related = rows.select_related("channel__app", "channel__user", "alert__client", "trouble")
    return related.prefetch_related("tries").order_by("-created_at", "-id")


def mail_of(user: User) -> NotificationChannel | None:
    """Where a person is mailed; ``None`` while they have it switched off."""
    return NotificationChannel.objects.on().filter(user=user).first()
