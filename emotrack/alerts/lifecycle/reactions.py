"""What becomes of an alert that has fired: seen, snoozed, resolved by hand, told again when nobody looks.

Each takes the client's row lock first, as judging does, so that neither undoes what the other has just done.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from emotrack.accounts.models import User
from emotrack.alerts.delivery.telling import tell_escalated
from emotrack.alerts.lifecycle.keeping import choose_lead, lead_of
from emotrack.alerts.lifecycle.snoozing import LONGEST_SNOOZE, SnoozeSpan, snooze_spans
from emotrack.alerts.models import Alert, EndReason, Severity, Snooze
from emotrack.audit.actions import record
from emotrack.audit.models import Actor
from emotrack.history.actions import Conflict, Refused
from emotrack.history.locks import hold
from emotrack.stream import publish

ESCALATION = Actor.system("escalation")
AT_ONCE = 500
"""Alerts escalated in one go; what is left waits for the next one."""


def _held(alert: Alert) -> Alert:
    """The alert as it stands, with its client's lock held."""
    hold(alert.client_id)
    return Alert.objects.select_related("client", "rule").get(pk=alert.pk)


def _tell(action: str, alert: Alert, by: Actor, now: datetime, **detail: object) -> None:
    record(action, by=by, now=now, subject=alert.public_id, client=alert.client.public_id, **detail)
    publish(alert.client, "alert")


@transaction.atomic
def acknowledge(alert: Alert, *, by: User, now: datetime) -> Alert:
    """ "I have seen it". The first one counts; doing it again changes nothing."""
    alert = _held(alert)
    if alert.acknowledged_at is None:
        alert.acknowledged_at, alert.acknowledged_by = now, by
        alert.save(update_fields=["acknowledged_at", "acknowledged_by"])
        _tell("alert.acknowledged", alert, by.actor, now)
    return alert


# --- Resolved by a person -----------------------------------------------------------------------


@transaction.atomic
def resolve(alert: Alert, *, by: User, now: datetime) -> Alert:
    """ "This is dealt with", whatever the voice does; who says so has seen it. Again changes nothing.

    What had joined it is resolved with it; the rule may fire anew as soon as another session gives cause. The
    times of the episode stay what was heard. Raises ``Conflict`` where late data has undone the alert, or
    where it is over by itself and was seen: there is nothing left to resolve.
    """
    alert = _held(alert)
    if alert.superseded_at:
        raise Conflict("alert-superseded", _("Later data has undone this alert."))
    if alert.closed_at:
        return alert
    if alert.resolved_at and alert.acknowledged_at:
        raise Conflict("alert-over", _("This alert is over and was seen."))
    for one in (alert, *alert.parts.filter(closed_at=None)):
        one.closed_at, one.closed_by = now, by
        if one.acknowledged_at is None:
            one.acknowledged_at, one.acknowledged_by = now, by
        one.save(update_fields=["closed_at", "closed_by", "acknowledged_at", "acknowledged_by"])
    _tell("alert.resolved_by_hand", alert, by.actor, now)
    return alert


@transaction.atomic
def reopen(alert: Alert, *, by: User, now: datetime) -> Alert:
    """Take back a resolution by hand; that it was seen stays. On one that is not resolved it does nothing."""
    alert = _held(alert)
    if alert.closed_at is None:
        return alert
    for one in (alert, *alert.parts.filter(closed_at=alert.closed_at)):
        one.closed_at = one.closed_by = None
        if one.resolved_at is None and one.superseded_at is None:
            one.part_of = lead_of(one) or one.part_of
        one.save(update_fields=["closed_at", "closed_by", "part_of"])
    choose_lead(alert.rule, alert.client_id)
    _tell("alert.reopened", alert, by.actor, now)
    return alert


# --- Snooze -------------------------------------------------------------------------------------


@transaction.atomic
def snooze(
    alert: Alert, *, by: User, now: datetime, until: datetime | None = None, until_next_session: bool = False
) -> Snooze:
    """Keep still about this rule and client until then, or until their next session, 30 days at most.

    One that stands is replaced; the same once more changes nothing. Raises ``Refused`` without an end, for
    one that is past or too far off; ``Conflict`` where late data undid the alert or a person resolved it.
    """
    alert = _held(alert)
    if alert.superseded_at:
        raise Conflict("alert-superseded", _("Later data has undone this alert."))
    if alert.closed_at:
        raise Conflict("alert-resolved", _("A person has resolved this alert; reopen it first."))
    end = _checked_end(now, until, until_next_session)
    standing = Snooze.objects.filter(rule=alert.rule, client=alert.client, ended_at=None)
    same = standing.active(now).filter(until_next_session=until_next_session)
    if again := (same if until_next_session else same.filter(until=end)).first():
        return again
    standing.update(ended_at=now, ended_by=by)
    made = Snooze.objects.create(
        rule=alert.rule,
        client=alert.client,
        alert=alert,
        since=now,
        until=end,
        until_next_session=until_next_session,
        set_by=by,
    )
    _tell("alert.snoozed", alert, by.actor, now, until=end.isoformat())
    return made


def _checked_end(now: datetime, until: datetime | None, until_next_session: bool) -> datetime:
    if until_next_session:
        if until is not None:
            raise Refused("snooze-end", _("Give one end: a time, or the next session."), "/until")
        return now + LONGEST_SNOOZE
    if until is None:
        raise Refused("snooze-end", _("A snooze needs an end."), "/until")
    if until <= now:
        raise Refused("snooze-end", _("The end must lie ahead."), "/until")
    if until > now + LONGEST_SNOOZE:
        raise Refused("snooze-end", _("At most %(n)d days ahead.") % {"n": LONGEST_SNOOZE.days}, "/until")
    return until


@transaction.atomic
def end_snooze(alert: Alert, *, by: User, now: datetime) -> Alert:
    """Listen again at once. Where nothing is snoozed it does nothing."""
    alert = _held(alert)
    active = Snooze.objects.active(now).filter(rule=alert.rule, client=alert.client)
    if active.update(ended_at=now, ended_by=by):
        _tell("alert.snooze_ended", alert, by.actor, now)
    return alert


# --- Nobody has looked --------------------------------------------------------------------------


def escalate_waiting(*, now: datetime) -> int:
    """Tell again, and the admins with them, what was told and nobody has seen for the hours of its severity.

    Once per alert. The hours begin anew when a snooze ends.
    """
    due = [alert for alert in _unseen_too_long(now) if _escalate(alert, now)]
    return len(due)


def hours_until_escalation(severity: str) -> int:
    """0: never."""
    hours = {
        Severity.CRITICAL: settings.ESCALATE_CRITICAL_HOURS,
        Severity.WARNING: settings.ESCALATE_WARNING_HOURS,
    }
    return hours.get(severity, 0)


def _unseen_too_long(now: datetime) -> Iterable[Alert]:
    old_enough = Q(pk__in=[])
    for severity in Severity.values:
        if hours := hours_until_escalation(severity):
            old_enough |= Q(severity=severity, created_at__lte=now - timedelta(hours=hours))
    unseen = Alert.objects.for_attention(now).unacknowledged().filter(old_enough, escalated_at=None, muted="")
    listened = unseen.exclude(end_reason=EndReason.CONSENT_WITHDRAWN)
    found = list(listened.order_by("created_at", "id")[:AT_ONCE])
    spans = snooze_spans(found)
    return [alert for alert in found if _waits_since(alert, spans, now) <= _latest(alert, now)]


def _latest(alert: Alert, now: datetime) -> datetime:
    return now - timedelta(hours=hours_until_escalation(alert.severity))


def _waits_since(alert: Alert, spans: Iterable[SnoozeSpan], now: datetime) -> datetime:
    own = [s.until for s in spans if (s.rule, s.client) == (alert.rule_id, alert.client_id)]
    return max([alert.created_at, *(until for until in own if alert.created_at < until <= now)])


@transaction.atomic
def _escalate(alert: Alert, now: datetime) -> bool:
    alert = _held(alert)
    if alert.escalated_at or alert.acknowledged_at or alert.superseded_at:
        return False
    alert.escalated_at = now
    alert.save(update_fields=["escalated_at"])
    tell_escalated([alert], now=now)
    _tell("alert.escalated", alert, ESCALATION, now)
    return True
