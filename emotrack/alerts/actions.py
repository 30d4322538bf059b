"""What people do with rules and alerts, each atomic and in the audit log; and what rules do."""

from __future__ import annotations

from emotrack.alerts.lifecycle.evaluation import evaluate, evaluate_all
from emotrack.alerts.lifecycle.keeping import Changes, end_open
from emotrack.alerts.lifecycle.reactions import (
    acknowledge,
    end_snooze,
    escalate_waiting,
    reopen,
    resolve,
    snooze,
)
from emotrack.alerts.lifecycle.verdicts import judge, withdraw_verdict
from emotrack.alerts.rules.terms import InvalidTerms
from emotrack.alerts.tuning.actions import (
    create_rule,
    disable_rule,
    enable_rule,
    ensure_default_rules,
    save_rule,
)

__all__ = [
    "Changes",
    "InvalidTerms",
    "acknowledge",
    "create_rule",
    "disable_rule",
    "enable_rule",
    "end_open",
    "end_snooze",
    "ensure_default_rules",
    "escalate_waiting",
    "evaluate",
    "evaluate_all",
    "judge",
    "reopen",
    "resolve",
    "save_rule",
    "snooze",
    "withdraw_verdict",
]
