"""Who is told of an alert, and when: queues notices in the transaction that stores what they tell of."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, time
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet

from emotrack.accounts.models import Role, User
from emotrack.alerts.delivery.sending import wake
from emotrack.alerts.delivery.timing import EVERY_DAY, Hours, timing
from emotrack.alerts.models import (
    ADMIN_KINDS,
    Alert,
    ChannelKind,
    Notification,
    NotificationChannel,
    NotificationKind,
    RuleVersion,
    Severity,
    SystemAlert,
    Told,
)

_WEBHOOK = Q(kind=ChannelKind.WEBHOOK)
_MAIL = Q(kind=ChannelKind.EMAIL, user__is_active=True)
_ADMINS_MAIL = _MAIL & Q(user__role_grants__role=Role.ADMIN)


def tell_fired(alerts: Iterable[Alert], *, now: datetime) -> None:
    """Queue a notice to each channel that may know of the client, in the caller's transaction."""
    for alert in alerts:
        _queue(channels_for(alert), NotificationKind.FIRED, now, severity=alert.severity, alert=alert)


def tell_resolved(alerts: Iterable[Alert], *, now: datetime) -> None:
    """Queue the end to each webhook that was told of the beginning; mail tells of news only."""
    for alert in alerts:
        told = Q(notifications__alert=alert, notifications__kind=NotificationKind.FIRED)
        _queue(_on(_WEBHOOK & told), NotificationKind.RESOLVED, now, severity=alert.severity, alert=alert)


def tell_escalated(alerts: Iterable[Alert], *, now: datetime) -> None:
    """Queue, once per alert, that nobody has looked: to whom it was told before, and to the admins."""
    for alert in alerts:
        channels = channels_for(alert) | _on(_ADMINS_MAIL)
        _queue(channels.distinct(), NotificationKind.ESCALATED, now, severity=alert.severity, alert=alert)


def tell_trouble(trouble: SystemAlert, kind: NotificationKind, *, now: datetime) -> None:
    """Queue news of the service to the admins, and to the webhooks that belong to no app."""
    who = _WEBHOOK & Q(app__isnull=True)
    if kind == NotificationKind.FIRED:
        who |= _ADMINS_MAIL
    _queue(_on(who), kind, now, severity=Severity.WARNING, trouble=trouble)


def channels_for(alert: Alert) -> QuerySet[NotificationChannel]:
    """Webhooks that may know of the client, and the mail of those whom the rule tells: the counselors who see
    the client, the admins, or both.

    Nobody for what concerns the sound or the recognizer: the admins hear of it once, as a trouble of the
    service, and not once per client.
    """
    if alert.rule.kind in ADMIN_KINDS:
        return NotificationChannel.objects.none()
    who = _WEBHOOK & (Q(app__isnull=True) | Q(app__client_links__client_id=alert.client_id))
    if Told.COUNSELORS in alert.version.tells:
        who |= _MAIL & Q(user__role_grants__role=Role.COUNSELOR, user__assignments__client_id=alert.client_id)
    if Told.ADMINS in alert.version.tells:
        who |= _ADMINS_MAIL
    return _on(who)


def active_hours(version: RuleVersion) -> Hours | None:
    """When the rule tells anybody, on the installation's clock; ``None``: at any time."""
    if version.active_from is None and len(version.active_days) == len(EVERY_DAY):
        return None
    start, end = version.active_from or 0, version.active_until or 0
    return Hours(
        time(*divmod(start, 60)),
        time(*divmod(end, 60)),
        ZoneInfo(settings.TIME_ZONE),
        frozenset(version.active_days),
    )


def _on(which: Q) -> QuerySet[NotificationChannel]:
    return NotificationChannel.objects.on().filter(which).select_related("user").distinct()


def _queue(
    channels: Iterable[NotificationChannel],
    kind: NotificationKind,
    now: datetime,
    *,
    severity: str,
    **about: object,
) -> None:
    alert, rows = about.get("alert"), []
    version = alert.version if isinstance(alert, Alert) else None
    for channel in channels:
        due = timing(
            now,
            severity,
            active=active_hours(version) if version else None,
            critical_at_any_hour=version is None or version.critical_any_time,
            quiet=quiet_hours(channel.user),
        ).due_at
        rows.append(
            Notification(channel=channel, kind=kind, created_at=now, queued_at=due, due_at=due, **about)
        )
    if rows:
        Notification.objects.bulk_create(rows, ignore_conflicts=True)
        transaction.on_commit(wake)


def quiet_hours(user: User | None) -> Hours | None:
    """When a person is left alone, on their own clock."""
    if user is None or user.quiet_from is None or user.quiet_until is None:
        return None
    return Hours(user.quiet_from, user.quiet_until, user.zone)
