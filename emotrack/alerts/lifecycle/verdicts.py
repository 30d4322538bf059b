"""Whether an alert was of use, as those who received it say: it tunes the rule, not the client's record."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from emotrack.accounts.models import User
from emotrack.alerts.models import Alert, Judgment, Verdict
from emotrack.audit.actions import record
from emotrack.history.actions import Refused
from emotrack.stream import publish


@transaction.atomic
def judge(alert: Alert, *, judgment: str, by: User, now: datetime) -> Verdict:
    """One verdict per person and alert; another replaces it, the same again changes nothing."""
    if judgment not in Judgment.values:
        raise Refused("not-a-choice", _("One of: %(words)s.") % {"words": ", ".join(Judgment)}, "/verdict")
    verdict, new = Verdict.objects.get_or_create(
        alert=alert, person=by, defaults={"judgment": judgment, "given_at": now}
    )
    if not new:
        if verdict.judgment == judgment:
            return verdict
        verdict.judgment, verdict.given_at = judgment, now
        verdict.save(update_fields=["judgment", "given_at"])
    _tell("alert.judged", alert, by, now, verdict=judgment)
    return verdict


@transaction.atomic
def withdraw_verdict(alert: Alert, *, by: User, now: datetime) -> None:
    """Take one's own verdict back; without one it does nothing."""
    if Verdict.objects.filter(alert=alert, person=by).delete()[0]:
        _tell("alert.verdict_withdrawn", alert, by, now)


def _tell(action: str, alert: Alert, by: User, now: datetime, **detail: object) -> None:
    client = alert.client
    record(action, by=by.actor, now=now, subject=alert.public_id, client=client.public_id, **detail)
    publish(client, "alert")
