"""What a notice says, per channel: ids and links, or merely that there is news. Never any content."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext as _

from emotrack.alerts.delivery.transports import Letter, Message
from emotrack.alerts.models import (
    Alert,
    ChannelKind,
    Format,
    Notification,
    NotificationKind,
    Severity,
    SystemAlert,
)

_NO_END = "0001-01-01T00:00:00Z"
"""How Alertmanager writes that it goes on."""

_SUMMARY = "There is something new to look at in EmoTrack."


def message_of(notification: Notification, now: datetime) -> Message | Letter:
    """Who may see the alert fetches it; what is sent would help nobody else."""
    channel = notification.channel
    if channel.kind == ChannelKind.EMAIL:
        return letter_of(notification)
    build = _alertmanager if channel.format == Format.ALERTMANAGER else _standard
    payload = json.dumps(build(notification), separators=(",", ":")).encode()
    return Message(notification.public_id, channel.url, channel.secrets_at(now), payload, now)


def site_address(path: str) -> str:
    """The path as a link from outside; just the path where the installation does not say its address."""
    return f"{settings.SITE_URL}{path}"


# --- E-mail -------------------------------------------------------------------------------------


def letter_of(notification: Notification) -> Letter:
    """That there is news, in the person's language, with a link behind the sign-in."""
    person = notification.channel.user
    with translation.override(person.language):
        if notification.kind == NotificationKind.TEST:
            subject, path = _("A test mail from EmoTrack"), "/"
        elif notification.trouble_id:
            subject, path = _("EmoTrack needs an admin’s eye"), "/system"
        else:
            subject, path = _("There is something new to look at in EmoTrack"), "/alerts"
        said = {"subject": subject, "link": site_address(path), "linked": bool(settings.SITE_URL)}
        text = render_to_string("email/news.txt", said)
        html = render_to_string("email/news.html", said | {"language": person.language})
    address = person.email if person.is_active else ""
    return Letter(notification.public_id, address, subject, text, html)


# --- Standard Webhooks --------------------------------------------------------------------------


def _standard(notification: Notification) -> dict[str, Any]:
    if notification.alert:
        kind, data = f"alert.{notification.kind}", _of_alert(notification.alert)
    elif notification.trouble:
        kind, data = f"system.{notification.kind}", _of_trouble(notification.trouble)
    else:
        kind, data = f"alert.{notification.kind}", {}
    return {"type": kind, "timestamp": notification.created_at.isoformat(), "data": data}


def _of_alert(alert: Alert) -> dict[str, Any]:
    return {
        "alert": alert.public_id,
        "client": alert.client.public_id,
        "session": alert.session.public_id,
        "links": {
            "alert": f"/api/v1/alerts/{alert.public_id}",
            "session": f"/api/v1/sessions/{alert.session.public_id}",
        },
    }


def _of_trouble(trouble: SystemAlert) -> dict[str, Any]:
    return {"trouble": trouble.public_id, "kind": trouble.kind, "since": trouble.since.isoformat()}


# --- Alertmanager webhook, version 4 ------------------------------------------------------------


def _alertmanager(notification: Notification) -> dict[str, Any]:
    """The payload that receivers of Prometheus Alertmanager take, with one alert in its group."""
    labels, starts, ends, path = _facts_of(notification)
    resolved = notification.kind == NotificationKind.RESOLVED
    status = "resolved" if resolved else "firing"
    annotations = {"summary": _SUMMARY}
    if notification.kind == NotificationKind.ESCALATED:
        annotations["escalated"] = "true"
    one = {
        "status": status,
        "labels": labels,
        "annotations": annotations,
        "startsAt": starts.isoformat(),
        "endsAt": ends.isoformat() if resolved and ends else _NO_END,
        "generatorURL": site_address(path),
        "fingerprint": fingerprint(labels),
    }
    group = {"alertname": labels["alertname"]}
    return {
        "version": "4",
        "groupKey": f'{{}}:{{alertname="{labels["alertname"]}"}}:{one["fingerprint"]}',
        "truncatedAlerts": 0,
        "status": status,
        "receiver": notification.channel.name,
        "groupLabels": group,
        "commonLabels": labels,
        "commonAnnotations": annotations,
        "externalURL": site_address("/"),
        "alerts": [one],
    }


def _facts_of(notification: Notification) -> tuple[dict[str, str], datetime, datetime | None, str]:
    """Labels, begin, end and the page of what the notice tells of."""
    if alert := notification.alert:
        labels = {
            "alertname": alert.rule.kind,
            "severity": alert.severity,
            "client": alert.client.public_id,
            "rule": alert.rule.public_id,
        }
        ended = alert.resolved_at or alert.superseded_at
        return labels, alert.fired_at, ended, f"/alerts/{alert.public_id}"
    if trouble := notification.trouble:
        labels = {"alertname": f"emotrack_{trouble.kind}", "severity": Severity.WARNING.value}
        return labels, trouble.since, trouble.until, "/system"
    labels = {"alertname": f"emotrack_{notification.kind}", "severity": Severity.INFO.value}
    return labels, notification.created_at, None, "/channels"


def fingerprint(labels: dict[str, str]) -> str:
    """16 hex digits, the same for the same labels: receivers pair the end with the beginning by it."""
    said = json.dumps(sorted(labels.items()), separators=(",", ":")).encode()
    return hashlib.sha256(said).hexdigest()[:16]
