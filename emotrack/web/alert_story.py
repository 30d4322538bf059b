"""What became of an alert, one deed after the other, as its page tells it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from emotrack.alerts.lifecycle.snoozing import snooze_spans
from emotrack.alerts.models import (
    Alert,
    ChannelKind,
    Judgment,
    Notification,
    NotificationKind,
    Snooze,
    Verdict,
)
from emotrack.audit.models import AuditEvent

FOUND_LATER = timedelta(minutes=1)
"""From so long on it is said when we found what was said before."""

LOOKS_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Deed:
    """words: what happened, a sentence without its time. by: who did it, free text of theirs, or empty."""

    at: datetime
    words: str
    by: str = ""


def story_of(alert: Alert, *, now: datetime) -> list[Deed]:
    """Oldest first; in a number of queries that does not grow with what happened."""
    deeds = [*_episode(alert), *_people(alert), *_notices(alert), *_looks(alert), *_snoozes(alert, now)]
    return sorted((deed for deed in deeds if deed.at <= now), key=lambda deed: deed.at)


def _episode(alert: Alert) -> Iterator[Deed]:
    if alert.pending_at < alert.fired_at:
        yield Deed(alert.pending_at, _("First value beyond the line"))
    yield Deed(alert.fired_at, _("Fired, version %(n)d of the rule") % {"n": alert.version.number})
    if alert.created_at - alert.fired_at > FOUND_LATER:
        yield Deed(alert.created_at, _("Found by EmoTrack"))
    if alert.muted:
        why = alert.get_muted_display()
        yield Deed(max(alert.created_at, alert.fired_at), _("Nobody was notified: %(why)s") % {"why": why})
    if alert.recovering_at:
        yield Deed(alert.recovering_at, _("Back behind the line"))
    if alert.resolved_at:
        yield Deed(alert.resolved_at, alert.get_end_reason_display())
    if alert.superseded_at:
        yield Deed(alert.superseded_at, _("Undone by later data"))


def _people(alert: Alert) -> Iterator[Deed]:
    if alert.acknowledged_at:
        yield Deed(alert.acknowledged_at, _("Acknowledged"), _named(alert.acknowledged_by))
    if alert.escalated_at:
        yield Deed(alert.escalated_at, _("Nobody had looked: told again, and the admins with it"))
    if alert.closed_at:
        yield Deed(alert.closed_at, _("Resolved"), _named(alert.closed_by))
    for verdict in Verdict.objects.filter(alert=alert).select_related("person"):
        said = _("Judged: %(verdict)s") % {"verdict": Judgment(verdict.judgment).label}
        yield Deed(verdict.given_at, said, verdict.person.username)


def _named(user: object) -> str:
    return user.username if user else _("somebody who has left")


def _notices(alert: Alert) -> Iterator[Deed]:
    rows = Notification.objects.filter(alert=alert).select_related("channel", "channel__user")
    for notice in rows.order_by("id"):
        at = notice.sent_at or notice.dead_at or notice.withdrawn_at or notice.created_at
        yield Deed(at, _of_notice(notice), _whose(notice))


def _whose(notice: Notification) -> str:
    channel = notice.channel
    return channel.user.username if channel.user else channel.name


def _of_notice(notice: Notification) -> str:
    mail = notice.channel.kind == ChannelKind.EMAIL
    if notice.dead_at:
        return _("E-mail given up") if mail else _("Webhook given up")
    if notice.withdrawn_at:
        return _("E-mail withdrawn: it was old news by then")
    if not notice.sent_at:
        due = date_format(timezone.localtime(notice.due_at), "j M, H:i")
        said = _("E-mail waits until %(time)s") if mail else _("Webhook waits until %(time)s")
        return said % {"time": due}
    said = {
        NotificationKind.FIRED: (_("E-mail: there is news"), _("Webhook told: it began")),
        NotificationKind.RESOLVED: (_("E-mail: there is news"), _("Webhook told: it ended")),
        NotificationKind.ESCALATED: (
            _("E-mail: something waits to be looked at"),
            _("Webhook told: nobody had looked"),
        ),
    }
    return said.get(notice.kind, (_("E-mail sent"), _("Webhook told")))[0 if mail else 1]


def _looks(alert: Alert) -> Iterator[Deed]:
    """Who opened this page first; each person once."""
    seen = set()
    looks = AuditEvent.objects.filter(action="alert.read", subject=alert.public_id).order_by("at", "id")
    for at, actor in looks.values_list("at", "actor")[:200]:
        if actor not in seen and len(seen) < LOOKS_SHOWN:
            seen.add(actor)
            yield Deed(at, _("Opened"), actor)


def _snoozes(alert: Alert, now: datetime) -> Iterator[Deed]:
    """Those that were asked for here, and those that held it back since."""
    rows = Snooze.objects.filter(rule=alert.rule_id, client=alert.client_id)
    rows = rows.filter(Q(alert=alert) | Q(since__gte=alert.created_at)).select_related("set_by", "ended_by")
    ends = {span.snooze: span.until for span in snooze_spans([alert])}
    for row in rows:
        until = date_format(timezone.localtime(row.until), "j M, H:i")
        said = _("Snoozed until the next session") if row.until_next_session else _("Snoozed until %(time)s")
        yield Deed(row.since, said % {"time": until}, _named(row.set_by))
        if row.ended_at:
            yield Deed(row.ended_at, _("Snooze ended"), _named(row.ended_by))
        else:
            yield Deed(ends[row.pk], _("Snooze ran out"))
