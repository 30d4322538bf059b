"""Bring the alerts into line with the episodes that were found, and tell of what changed.

Alerts are matched to episodes by what fired them, else by time, so a repeated evaluation changes nothing and
late data ends in the same alerts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db import transaction
from django.db.models import Max

from emotrack.alerts.delivery.telling import tell_fired, tell_resolved
from emotrack.alerts.delivery.timing import timing
from emotrack.alerts.judging.arming import Line
from emotrack.alerts.judging.decide import EndReason as EpisodeEnd
from emotrack.alerts.judging.decide import Episode
from emotrack.alerts.lifecycle.snoozing import snoozed_until
from emotrack.alerts.models import Alert, EndReason, Muted, Rule, RuleVersion
from emotrack.audit.actions import record
from emotrack.audit.models import Actor
from emotrack.history.models import Client, Recognizer
from emotrack.stream import publish

RULES = Actor.system("rules")


@dataclass(frozen=True, slots=True)
class Changes:
    """What an evaluation changed in what people see."""

    fired: tuple[Alert, ...] = ()
    resolved: tuple[Alert, ...] = ()
    superseded: tuple[Alert, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.fired or self.resolved or self.superseded)

    def __add__(self, other: Changes) -> Changes:
        return Changes(
            self.fired + other.fired, self.resolved + other.resolved, self.superseded + other.superseded
        )


@dataclass(frozen=True, slots=True)
class Found:
    """An episode that fired, and where: sessions and utterances are primary keys, and a rule on sessions has
    no utterances. creates: whether it may make an alert, or only keep one that there is."""

    episode: Episode
    version: RuleVersion
    line: Line
    session: int
    fired_utterance: int | None = None
    peak_utterance: int | None = None
    creates: bool = True

    def fired_as(self, alert: Alert) -> bool:
        """Whether that alert told of this very firing."""
        if self.fired_utterance is not None:
            return alert.fired_utterance_id == self.fired_utterance
        return alert.session_id == self.session


class Keeper:
    """Writes what one evaluation of one client found; ``finish`` tells of it.

    historical_after: what fired longer ago than this was in the past when it was found.
    """

    def __init__(
        self,
        client: Client,
        recognizer: Recognizer,
        *,
        now: datetime,
        imported: bool,
        historical_after: timedelta,
    ) -> None:
        self.client, self.recognizer, self.now, self.imported = client, recognizer, now, imported
        self.historical_after = historical_after
        self.fired: list[Alert] = []
        self.resolved: list[Alert] = []
        self.superseded: list[Alert] = []
        self.written = 0

    def keep(self, rule: Rule, found: Sequence[Found], own: Sequence[Alert]) -> None:
        """own: the alerts of this rule that may be of these episodes."""
        if not (found or own):
            return
        matched, before = match(found, own), self.written
        self._supersede([alert for alert in own if alert not in matched.values()])
        # Ended ones first, so that their place as the open alert is free.
        for number, each in sorted(enumerate(found), key=lambda item: item[1].episode.ended_at is None):
            if number in matched:
                self._update(matched[number], each, rule)
            elif each.creates:
                self._create(each, rule)
        if self.written > before:
            choose_lead(rule, self.client.pk)

    def _supersede(self, vanished: list[Alert]) -> None:
        for alert in vanished:
            if alert.superseded_at is None:
                alert.superseded_at = self.now
                alert.save(update_fields=["superseded_at"])
                self.written += 1
                self.superseded.append(alert)

    def _update(self, alert: Alert, found: Found, rule: Rule) -> None:
        before, was_open = _facts(alert), alert.resolved_at is None and alert.superseded_at is None
        _write(alert, found)
        alert.superseded_at = None
        if _facts(alert) == before:
            return
        alert.rule, alert.client = rule, self.client
        if alert.resolved_at is None:
            alert.part_of = lead_of(alert)
        alert.save()
        self.written += 1
        if was_open and alert.resolved_at is not None:
            self.resolved.append(alert)

    def _create(self, found: Found, rule: Rule) -> None:
        alert = Alert(rule=rule, client=self.client, recognizer=self.recognizer, created_at=self.now)
        _write(alert, found)
        if self.imported or self.now - alert.fired_at > self.historical_after:
            alert.historical_at = self.now
        if alert.resolved_at is None:
            alert.part_of = lead_of(alert)
        alert.muted = self._muted(alert, found.version)
        alert.save()
        self.written += 1
        self.fired.append(alert)
        if alert.resolved_at is not None:
            self.resolved.append(alert)

    def _muted(self, alert: Alert, version: RuleVersion) -> str:
        if alert.historical_at:
            return Muted.HISTORICAL
        if alert.part_of:
            return Muted.JOINED
        told = Alert.objects.filter(rule=alert.rule, client=alert.client, muted="")
        # One that a clock told in the future must not keep the rule still until then.
        last = told.filter(created_at__lte=self.now).aggregate(at=Max("created_at"))["at"]
        return timing(
            self.now,
            alert.severity,
            cool_down_until=last and last + timedelta(seconds=version.cool_down_seconds),
            snoozed_until=snoozed_until(alert.rule_id, alert.client_id, self.now),
        ).muted

    def finish(self) -> Changes:
        changes = Changes(tuple(self.fired), tuple(self.resolved), tuple(self.superseded))
        tell(self.client, changes, self.now)
        return changes


def _write(alert: Alert, found: Found) -> None:
    episode = found.episode
    alert.version, alert.severity, alert.baseline = (
        found.version,
        found.version.severity,
        found.line.as_json(),
    )
    alert.session_id = found.session
    alert.pending_at, alert.fired_at = _time(episode.pending_at), _time(episode.fired_at)
    alert.fired_utterance_id, alert.peak_utterance_id = found.fired_utterance, found.peak_utterance
    alert.recovering_at, alert.resolved_at = _time(episode.recovering_at), _time(episode.ended_at)
    alert.end_reason = _end_reason(found)
    alert.peak = episode.peak


def _end_reason(found: Found) -> str:
    reason = found.episode.end_reason
    if reason is EpisodeEnd.SESSION_ENDED and found.fired_utterance is None:
        return EndReason.SERIES_ENDED
    return EndReason(str(reason)) if reason else ""


def _time(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def _facts(alert: Alert) -> tuple:
    return tuple(
        getattr(alert, field.attname) for field in Alert._meta.concrete_fields if field.name != "part_of"
    )


@transaction.atomic
def end_open(client: Client, reason: EndReason, *, now: datetime, rule: Rule | None = None) -> Changes:
    """End a client's open alerts, of one rule or of all, because we no longer watch."""
    rows = Alert.objects.standing().filter(client=client, resolved_at=None).select_related("rule", "client")
    ended = list(rows if rule is None else rows.filter(rule=rule))
    for alert in ended:
        alert.resolved_at, alert.end_reason = now, reason
        alert.save(update_fields=["resolved_at", "end_reason"])
    changes = Changes(resolved=tuple(ended))
    tell(client, changes, now)
    return changes


# --- Which alert is which -----------------------------------------------------------------------


def match(found: Sequence[Found], alerts: Sequence[Alert]) -> dict[int, Alert]:
    """Number of the episode to the alert that told of it: by what fired, else by time.

    One that was superseded comes back only where the same utterance, or session, fires again.
    """
    free = sorted(alerts, key=lambda alert: (alert.superseded_at is not None, alert.pk))
    matched: dict[int, Alert] = {}
    for same in (lambda alert, each: each.fired_as(alert), _overlapping):
        for number, each in enumerate(found):
            alert = next((a for a in free if same(a, each)), None)
            if number not in matched and alert is not None:
                matched[number] = alert
                free.remove(alert)
    return matched


def _overlapping(alert: Alert, found: Found) -> bool:
    if alert.superseded_at is not None:
        return False
    alert_end = alert.resolved_at.timestamp() if alert.resolved_at else float("inf")
    episode_end = float("inf") if found.episode.ended_at is None else found.episode.ended_at
    return alert.pending_at.timestamp() <= episode_end and found.episode.pending_at <= alert_end


# --- One open alert per rule and client ---------------------------------------------------------


def lead_of(alert: Alert) -> Alert | None:
    """The other alert of the same rule and client that is open: two sessions or series may fire at once."""
    others = Alert.objects.open().filter(rule_id=alert.rule_id, client_id=alert.client_id)
    return others.exclude(pk=alert.pk).first()


def choose_lead(rule: Rule, client_id: int) -> None:
    """The one that fired first leads; whichever arrived first."""
    rows = Alert.objects.standing().filter(rule=rule, client_id=client_id, resolved_at=None, closed_at=None)
    going_on = list(rows.order_by("fired_at", "id"))
    for part in going_on[1:]:
        if part.part_of_id != going_on[0].pk:
            part.part_of = going_on[0]
            part.save(update_fields=["part_of"])
    if going_on and going_on[0].part_of_id is not None:
        going_on[0].part_of = None
        going_on[0].save(update_fields=["part_of"])


# --- Telling ------------------------------------------------------------------------------------


def tell(client: Client, changes: Changes, now: datetime) -> None:
    for action in ("fired", "resolved", "superseded"):
        for alert in getattr(changes, action):
            record(
                f"alert.{action}",
                by=RULES,
                now=now,
                subject=alert.public_id,
                client=client.public_id,
                rule=alert.rule.public_id,
            )
    tell_fired([alert for alert in changes.fired if not alert.muted], now=now)
    tell_resolved([*changes.resolved, *changes.superseded], now=now)
    if changes:
        publish(client, "alert")
