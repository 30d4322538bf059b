"""Rules on the sound and the recognizer as a whole: what they find is a trouble of the service."""

from __future__ import annotations

from datetime import datetime, timedelta

from emotrack.alerts.judging.arming import session_line
from emotrack.alerts.judging.decide import episodes_in, valid_values
from emotrack.alerts.models import Alert, Kind, Trouble
from emotrack.alerts.rules.book import book
from emotrack.alerts.series.drift import months
from emotrack.alerts.service.troubles import observe
from emotrack.history.models import Recognizer

LOOK_BACK = timedelta(days=400)
MANY_CLIENTS = 3
"""So many clients with poor sound within a day are more than one microphone."""


def judge_recognizers(*, now: datetime) -> None:
    """Judge the months that are over, and whether poor sound is everybody's trouble.

    As with any trouble, two looks in a row must agree before admins are told.
    """
    drifted = _drifted(now)
    observe(Trouble.DRIFT, {"recognizers": drifted} if drifted else None, now=now)
    lately = Alert.objects.standing().filter(
        rule__kind=Kind.LOW_QUALITY, rule__enabled_at__isnull=False, fired_at__gt=now - timedelta(days=1)
    )
    people = lately.order_by().values("client").distinct().count()
    observe(Trouble.LOW_QUALITY, {"clients": people} if people >= MANY_CLIENTS else None, now=now)


def _drifted(now: datetime) -> list[str]:
    """The recognizers for which a rule on drift fires now, by name."""
    rules = [rule for rule in book().rules if rule.kind == Kind.RECOGNIZER_DRIFT]
    if not rules:
        return []
    found = set()
    for series in months(now - LOOK_BACK, now):
        for rule in rules:
            line = session_line(rule.version_at(now), rule.kind, headline="")
            episodes = episodes_in(valid_values(series.at, series.values), line.terms)
            if any(episode.fired and episode.ended_at is None for episode in episodes):
                found.add(series.recognizer)
    return [str(one) for one in Recognizer.objects.filter(pk__in=found).order_by("id")]
