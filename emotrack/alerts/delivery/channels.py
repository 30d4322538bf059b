"""What people and apps do with channels and their notices, each atomic and in the audit log."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_noop

from emotrack.accounts.models import App, User
from emotrack.alerts.delivery.sending import LEASE, NEEDED, attempt, disable_channel, transports, wake
from emotrack.alerts.delivery.transports import TransportError
from emotrack.alerts.delivery.transports.mail import is_set_up
from emotrack.alerts.delivery.transports.webhook import new_secret
from emotrack.alerts.models import (
    Attempt,
    ChannelKind,
    Format,
    Notification,
    NotificationChannel,
    NotificationKind,
)
from emotrack.audit.actions import record
from emotrack.audit.models import Actor
from emotrack.history.actions import Conflict, Refused

BOTH_SECRETS_SIGN = timedelta(hours=24)
"""After a change of the secret, so that a receiver can take over the new one without losing a notice."""

MOST_REPLAYED = 1000
"""Dead letters replayed in one go, the newest first."""


def create_channel(
    *,
    name: str,
    url: str,
    by: Actor,
    now: datetime,
    app: App | None = None,
    format: str = Format.STANDARD,
) -> tuple[NotificationChannel, str]:
    """A webhook and the secret that its receiver checks signatures with; the secret is shown once.

    app: told only of the clients linked to it; ``None`` for all. Raises ``Refused`` for an address that may
    not be called. The name is looked up before the transaction begins.
    """
    _check(url)
    with transaction.atomic():
        channel = NotificationChannel(name=name, url=url, app=app, format=format, created_at=now)
        channel.secret = secret = new_secret()
        channel.save()
        record("channel.created", by=by, now=now, subject=channel.public_id)
    return channel, secret


def _check(url: str) -> None:
    if len(url) > NotificationChannel._meta.get_field("url").max_length:
        raise Refused("invalid-channel", gettext_noop("The address is too long."), "/url")
    try:
        transports()[ChannelKind.WEBHOOK].check(url)
    except TransportError as error:
        raise Refused("invalid-channel", str(error), "/url") from error


def change_channel(
    channel: NotificationChannel, *, by: Actor, now: datetime, **fields: str
) -> NotificationChannel:
    """Another ``name``, ``url`` or ``format``. Raises ``Refused`` for an address that may not be called."""
    if fields.get("url", channel.url) != channel.url:
        _check(fields["url"])
    with transaction.atomic():
        channel = NotificationChannel.objects.select_for_update(of=("self",), no_key=True).get(pk=channel.pk)
        changed = sorted(name for name, value in fields.items() if getattr(channel, name) != value)
        for name in changed:
            setattr(channel, name, fields[name])
        if changed:
            channel.save(update_fields=changed)
            record("channel.changed", by=by, now=now, subject=channel.public_id, fields=changed)
    return channel


@transaction.atomic
def rotate_secret(channel: NotificationChannel, *, by: Actor, now: datetime) -> str:
    """A new secret, shown once; for a day both sign, then the old one ends."""
    channel = NotificationChannel.objects.select_for_update(of=("self",), no_key=True).get(pk=channel.pk)
    channel.sealed_secret_before, channel.secret_before_until = channel.sealed_secret, now + BOTH_SECRETS_SIGN
    channel.secret = secret = new_secret()
    channel.save(update_fields=["sealed_secret", "sealed_secret_before", "secret_before_until"])
    record("channel.secret_rotated", by=by, now=now, subject=channel.public_id)
    return secret


@transaction.atomic
def enable_channel(channel: NotificationChannel, *, by: Actor, now: datetime) -> None:
    """Send there again, from now on; dead letters wait to be replayed."""
    off = NotificationChannel.objects.filter(pk=channel.pk, disabled_at__isnull=False)
    if off.update(disabled_at=None, disabled_reason=""):
        record("channel.enabled", by=by, now=now, subject=channel.public_id)


@transaction.atomic
def switch_off(channel: NotificationChannel, *, by: Actor, now: datetime) -> None:
    """Send there no more for now; what waits becomes dead letters that can be replayed."""
    if NotificationChannel.objects.filter(pk=channel.pk, disabled_at__isnull=True).exists():
        disable_channel(channel, reason="", by=by, now=now)


@transaction.atomic
def remove_channel(channel: NotificationChannel, *, by: Actor, now: datetime) -> None:
    """Off and out of every list; what it was told stays in the log, and it can be brought back."""
    there = NotificationChannel.objects.filter(pk=channel.pk, removed_at__isnull=True)
    if there.update(removed_at=now):
        if channel.disabled_at is None:
            disable_channel(channel, reason="", by=by, now=now)
        record("channel.removed", by=by, now=now, subject=channel.public_id)


@transaction.atomic
def restore_channel(channel: NotificationChannel, *, by: Actor, now: datetime) -> None:
    """Undo a removal: it is back, and on."""
    if NotificationChannel.objects.filter(pk=channel.pk, removed_at__isnull=False).update(removed_at=None):
        record("channel.restored", by=by, now=now, subject=channel.public_id)
        enable_channel(channel, by=by, now=now)


# --- A person's mail ----------------------------------------------------------------------------


@transaction.atomic
def set_mail(user: User, *, on: bool, address: str, by: Actor, now: datetime) -> None:
    """Whether a person is mailed that there is news, and where. Raises ``Refused``."""
    address = address.strip()
    if on and not is_set_up():
        raise Refused("mail-not-set-up", gettext_noop("This installation sends no mail."), "/on")
    if address or on:
        try:
            validate_email(address)
        except ValidationError as error:
            raise Refused(
                "invalid-address", gettext_noop("This is not an e-mail address."), "/address"
            ) from error
    user.email = address
    user.save(update_fields=["email"])
    channel = NotificationChannel.objects.filter(user=user).first()
    if channel is None and on:
        channel = NotificationChannel(
            kind=ChannelKind.EMAIL, name=user.username, user=user, created_at=now, sealed_secret=b""
        )
        channel.save()
        record("channel.created", by=by, now=now, subject=channel.public_id)
    elif channel is not None and on:
        enable_channel(channel, by=by, now=now)
    elif channel is not None and channel.disabled_at is None:
        disable_channel(channel, reason="", by=by, now=now)


# --- Notices ------------------------------------------------------------------------------------


@transaction.atomic
def replay(notification: Notification, *, by: Actor, now: datetime) -> Notification:
    """Send it once more, under the same id, with a new 24 hours.

    Raises ``Conflict`` while it is still waiting, when it was withdrawn, or its channel is switched off.
    """
    rows = Notification.objects.select_for_update(of=("self",), no_key=True).select_related("channel")
    notification = rows.get(pk=notification.pk)
    if notification.channel.disabled_at or notification.channel.removed_at:
        raise Conflict("channel-disabled", gettext_noop("The channel is switched off; switch it on first."))
    if notification.withdrawn_at:
        raise Conflict("notice-withdrawn", gettext_noop("What it told of had been seen before it went out."))
    if not (notification.sent_at or notification.dead_at):
        raise Conflict("still-waiting", gettext_noop("It is still waiting to be sent."))
    notification.sent_at = notification.dead_at = notification.leased_until = None
    notification.queued_at = notification.due_at = now
    notification.attempts = 0
    notification.save()
    record("notification.replayed", by=by, now=now, subject=notification.public_id)
    transaction.on_commit(wake)
    return notification


@transaction.atomic
def replay_dead(channel: NotificationChannel, *, by: Actor, now: datetime) -> int:
    """Send all dead letters of a channel once more; how many. Raises ``Conflict`` when it is switched off."""
    channel = NotificationChannel.objects.select_for_update(of=("self",), no_key=True).get(pk=channel.pk)
    if channel.disabled_at or channel.removed_at:
        raise Conflict("channel-disabled", gettext_noop("The channel is switched off; switch it on first."))
    dead = channel.notifications.dead().exclude(kind=NotificationKind.TEST).order_by("-id")
    newest = list(dead.values_list("pk", flat=True)[:MOST_REPLAYED])
    replayed = (
        Notification.objects.dead()
        .filter(pk__in=newest)
        .update(dead_at=None, leased_until=None, queued_at=now, due_at=now, attempts=0)
    )
    if replayed:
        record("channel.replayed", by=by, now=now, subject=channel.public_id, count=replayed)
        transaction.on_commit(wake)
    return replayed


def send_test(
    channel: NotificationChannel,
    *,
    by: Actor,
    now: datetime,
    clock: Callable[[], datetime] = timezone.now,
) -> Attempt:
    """Send a made-up notice right now, signed like any other; how it went. It is tried once.

    The caller waits as long as the receiver takes, a minute at most, and holds no transaction meanwhile.
    """
    with transaction.atomic():
        notice = Notification.objects.create(
            channel=channel, kind=NotificationKind.TEST, created_at=now, queued_at=now, due_at=now,
            attempts=1, leased_until=now + LEASE,
        )  # fmt: skip
        record("channel.tested", by=by, now=now, subject=channel.public_id)
    notice = Notification.objects.select_related(*NEEDED).get(pk=notice.pk)
    return attempt(notice, transports()[channel.kind], clock, try_again=False)
