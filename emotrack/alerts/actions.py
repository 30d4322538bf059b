"""What people do with rules, alerts and channels, each atomic and in the audit log; and what rules do."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from emotrack.accounts.models import App, User
from emotrack.alerts.delivery import disable_channel, transports, wake
from emotrack.alerts.evaluation import Changes, end_open, evaluate
from emotrack.alerts.kinds import KINDS
from emotrack.alerts.models import (
    Alert,
    ChannelKind,
    EndReason,
    Notification,
    NotificationChannel,
    Rule,
    RuleVersion,
    Scope,
)
from emotrack.alerts.terms import FIELDS, InvalidTerms, checked
from emotrack.alerts.transports import TransportError
from emotrack.alerts.transports.webhook import new_secret
from emotrack.audit.actions import record
from emotrack.audit.models import Actor
from emotrack.history.actions import Conflict, Refused
from emotrack.history.models import Client
from emotrack.stream import publish

__all__ = [
    "Changes",
    "InvalidTerms",
    "acknowledge",
    "create_channel",
    "create_rule",
    "disable_channel",
    "disable_rule",
    "enable_channel",
    "enable_rule",
    "end_open",
    "ensure_default_rules",
    "evaluate",
    "replay",
    "save_rule",
]

SETUP = Actor.system("setup")
SHIPPED = "Shipped with EmoTrack."


@transaction.atomic
def acknowledge(alert: Alert, *, by: User, now: datetime) -> Alert:
    """ "I have seen it". The first one counts; doing it again changes nothing."""
    alert = Alert.objects.select_for_update(of=("self",)).select_related("client", "rule").get(pk=alert.pk)
    if alert.acknowledged_at is None:
        alert.acknowledged_at, alert.acknowledged_by = now, by
        alert.save(update_fields=["acknowledged_at", "acknowledged_by"])
        record(
            "alert.acknowledged",
            by=by.actor,
            now=now,
            subject=alert.public_id,
            client=alert.client.public_id,
        )
        publish(alert.client, "alert")
    return alert


# --- Rules --------------------------------------------------------------------------------------


@transaction.atomic
def ensure_default_rules(*, now: datetime) -> list[Rule]:
    """Make the rules that every installation starts with, once; what an admin did with them since stays."""
    made = []
    for kind, shipped in KINDS.items():
        rule, new = Rule.objects.get_or_create(
            shipped_as=kind, defaults={"kind": kind, "created_at": now, "enabled_at": now}
        )
        if new:
            _save_version(rule, 1, checked(kind, shipped.defaults, SHIPPED), SHIPPED, SETUP, now)
            made.append(rule)
    return made


@transaction.atomic
def create_rule(
    *,
    kind: str,
    reason: str,
    by: Actor,
    now: datetime,
    client: Client | None = None,
    name: str = "",
    **terms: object,
) -> Rule:
    """A new rule, switched on, for one client or for everyone. Raises ``InvalidTerms``."""
    complete = checked(kind, terms, reason)
    scope = Scope.EVERYONE if client is None else Scope.CLIENT
    rule = Rule.objects.create(
        kind=kind, name=name, scope=scope, client=client, created_at=now, enabled_at=now
    )
    _save_version(rule, 1, complete, reason, by, now)
    return rule


@transaction.atomic
def save_rule(rule: Rule, *, reason: str, by: Actor, now: datetime, **terms: object) -> RuleVersion:
    """A new version with the given terms changed; terms that are not given stay as they are.

    It takes effect with each client's next session; alerts keep the version under which they fired. Nothing
    is saved when nothing changes. Raises ``InvalidTerms``.
    """
    rule = Rule.objects.select_for_update(of=("self",)).get(pk=rule.pk)
    current = rule.current
    before = {name: getattr(current, name) for name in FIELDS}
    complete = checked(rule.kind, before | terms, reason)
    if complete == before:
        return current
    return _save_version(rule, current.number + 1, complete, reason, by, now)


def _save_version(
    rule: Rule, number: int, terms: dict[str, object], reason: str, by: Actor, now: datetime
) -> RuleVersion:
    version = RuleVersion.objects.create(
        rule=rule, number=number, reason=reason.strip(), saved_by=by.name, saved_at=now, **terms
    )
    record("rule.saved", by=by, now=now, subject=rule.public_id, version=number)
    return version


@transaction.atomic
def enable_rule(rule: Rule, *, by: Actor, now: datetime) -> None:
    if Rule.objects.filter(pk=rule.pk, enabled_at__isnull=True).update(enabled_at=now):
        record("rule.enabled", by=by, now=now, subject=rule.public_id)


@transaction.atomic
def disable_rule(rule: Rule, *, by: Actor, now: datetime) -> None:
    """Switch it off; what it holds open ends, because nobody watches any more."""
    if not Rule.objects.filter(pk=rule.pk, enabled_at__isnull=False).update(enabled_at=None):
        return
    record("rule.disabled", by=by, now=now, subject=rule.public_id)
    open_alerts = Alert.objects.standing().filter(rule=rule, resolved_at=None)
    for client in Client.objects.filter(pk__in=open_alerts.values("client")).select_for_update():
        end_open(client, EndReason.RULE_OFF, now=now, rule=rule)


# --- Channels -----------------------------------------------------------------------------------


def create_channel(
    *, name: str, url: str, by: Actor, now: datetime, app: App | None = None
) -> tuple[NotificationChannel, str]:
    """A webhook and the secret that its receiver checks signatures with; the secret is shown once.

    app: told only of the clients linked to it; ``None`` for all. Raises ``Refused`` for an address that may
    not be called. The name is looked up before the transaction begins.
    """
    if len(url) > NotificationChannel._meta.get_field("url").max_length:
        raise Refused("invalid-channel", "The address is too long.", "/url")
    try:
        transports()[ChannelKind.WEBHOOK].check(url)
    except TransportError as error:
        raise Refused("invalid-channel", str(error), "/url") from error
    with transaction.atomic():
        channel, secret = NotificationChannel(name=name, url=url, app=app, created_at=now), new_secret()
        channel.secret = secret
        channel.save()
        record("channel.created", by=by, now=now, subject=channel.public_id)
    return channel, secret


@transaction.atomic
def enable_channel(channel: NotificationChannel, *, by: Actor, now: datetime) -> None:
    """Send there again, from now on; dead letters wait to be replayed."""
    off = NotificationChannel.objects.filter(pk=channel.pk, disabled_at__isnull=False)
    if off.update(disabled_at=None, disabled_reason=""):
        record("channel.enabled", by=by, now=now, subject=channel.public_id)


@transaction.atomic
def replay(notification: Notification, *, by: Actor, now: datetime) -> Notification:
    """Send it once more, under the same id, with a new 24 hours.

    Raises ``Conflict`` while it is still waiting, or when its channel is switched off.
    """
    rows = Notification.objects.select_for_update(of=("self",)).select_related("channel")
    notification = rows.get(pk=notification.pk)
    if notification.channel.disabled_at:
        raise Conflict("channel-disabled", "The channel is switched off; switch it on first.")
    if not (notification.sent_at or notification.dead_at):
        raise Conflict("still-waiting", "It is still waiting to be sent.")
    notification.sent_at = notification.dead_at = notification.leased_until = None
    notification.queued_at = notification.due_at = now
    notification.attempts = 0
    notification.save()
    record("notification.replayed", by=by, now=now, subject=notification.public_id)
    transaction.on_commit(wake)
    return notification
