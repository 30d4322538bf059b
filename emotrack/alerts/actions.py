"""What people do with rules and alerts, each atomic and in the audit log; and what rules do."""

from __future__ import annotations

from emotrack.alerts.evaluation import evaluate, evaluate_all
from emotrack.alerts.keeping import Changes, end_open
from emotrack.alerts.lifecycle import acknowledge, end_snooze, escalate_waiting, reopen, resolve, snooze
from emotrack.alerts.rule_actions import (
    create_rule,
    disable_rule,
    enable_rule,
    ensure_default_rules,
    save_rule,
)
from emotrack.alerts.terms import InvalidTerms
from emotrack.alerts.verdicts import judge, withdraw_verdict

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
