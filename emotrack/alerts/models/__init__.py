"""What we told people and why: rules in versions, alerts, and the notices that went out.

Alerts and notifications are facts about what we did; nothing rebuilds them, and rules are never deleted.
"""

from __future__ import annotations

from emotrack.alerts.models.alerts import Alert, EndReason, Muted
from emotrack.alerts.models.notices import (
    Attempt,
    ChannelKind,
    Format,
    Notification,
    NotificationChannel,
    NotificationKind,
    SystemAlert,
    Trouble,
)
from emotrack.alerts.models.reactions import Judgment, Snooze, Verdict
from emotrack.alerts.models.rules import (
    ADMIN_KINDS,
    Kind,
    Rule,
    RuleBook,
    RuleVersion,
    Scope,
    Severity,
    Told,
)

__all__ = [
    "ADMIN_KINDS",
    "Alert",
    "Attempt",
    "ChannelKind",
    "EndReason",
    "Format",
    "Judgment",
    "Kind",
    "Muted",
    "Notification",
    "NotificationChannel",
    "NotificationKind",
    "Rule",
    "RuleBook",
    "RuleVersion",
    "Scope",
    "Severity",
    "Snooze",
    "SystemAlert",
    "Told",
    "Trouble",
    "Verdict",
]
