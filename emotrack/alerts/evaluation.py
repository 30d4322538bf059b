"""Hold a session's series against the rules, and bring the alerts into line with what is found.

The episodes follow from the session's points alone, so the order in which utterances arrived leaves no
trace in them: a repeated evaluation changes nothing, and late data ends in the same alerts.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db import transaction
from django.db.models import Q

from emotrack.alerts.arming import Line, line_of
from emotrack.alerts.decide import Episode
from emotrack.alerts.decide import episodes as decide
from emotrack.alerts.delivery import tell_fired, tell_resolved
from emotrack.alerts.models import Alert, EndReason, Muted, Rule, RuleVersion, Scope
from emotrack.alerts.points import Points, points_of
from emotrack.audit.actions import record
from emotrack.audit.models import Actor
from emotrack.history.models import Client, Recognizer, Session
from emotrack.mood.actions import baseline_from
from emotrack.mood.models import SessionMood
from emotrack.stream import publish

HISTORICAL_AFTER = timedelta(hours=1)
RULES = Actor.system("rules")


@dataclass(frozen=True, slots=True)
class Changes:
    """What an evaluation changed in what people see."""

    fired: tuple[Alert, ...] = ()
    resolved: tuple[Alert, ...] = ()
    superseded: tuple[Alert, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.fired or self.resolved or self.superseded)


@transaction.atomic
def evaluate(
    session: Session, recognizer: Recognizer, *, now: datetime, muted: bool = False, imported: bool = False
) -> Changes:
    """Judge one session's series by every rule that is on; call it after each change of the series.

    The caller holds the client's row lock. A rule is judged by the version that stood when the session began
    (the first one, for older sessions). imported: all that is found is historical. muted: the client withdrew
    consent to alerts; nothing is judged, and what is open ends.
    """
    if muted:
        return end_open(session.client, EndReason.CONSENT_WITHDRAWN, now=now)
    evaluation = _Evaluation(session, recognizer, now, imported)
    for rule in rules_for(session.client_id):
        evaluation.judge(rule)
    return evaluation.finish()


def rules_for(client_id: int) -> Iterable[Rule]:
    """The rules that are on and concern this client, with their versions."""
    concerned = Q(scope=Scope.EVERYONE) | Q(client_id=client_id)
    return Rule.objects.filter(concerned, enabled_at__isnull=False).prefetch_related("versions")


def version_in_force(rule: Rule, began_at: datetime) -> RuleVersion:
    """By which terms a session that began then is judged: an edit takes effect with the next session."""
    versions = sorted(rule.versions.all(), key=lambda version: version.number)
    return next((v for v in reversed(versions) if v.saved_at <= began_at), versions[0])


@transaction.atomic
def end_open(client: Client, reason: EndReason, *, now: datetime, rule: Rule | None = None) -> Changes:
    """End a client's open alerts, of one rule or of all, because we no longer watch."""
    rows = Alert.objects.standing().filter(client=client, resolved_at=None).select_related("rule", "client")
    ended = list(rows if rule is None else rows.filter(rule=rule))
    for alert in ended:
        alert.resolved_at, alert.end_reason = now, reason
        alert.save(update_fields=["resolved_at", "end_reason"])
    changes = Changes(resolved=tuple(ended))
    _tell(client, changes, now)
    return changes


class _Evaluation:
    """One pass over the rules for one session of one series."""

    def __init__(self, session: Session, recognizer: Recognizer, now: datetime, imported: bool) -> None:
        self.session, self.recognizer, self.now, self.imported = session, recognizer, now, imported
        self.points = points_of(session, recognizer)
        mood = SessionMood.objects.filter(session=session, recognizer=recognizer).first()
        self.baseline = baseline_from(mood.baseline) if mood else None
        self.existing = list(Alert.objects.filter(session=session, recognizer=recognizer).order_by("id"))
        self.fired: list[Alert] = []
        self.resolved: list[Alert] = []
        self.superseded: list[Alert] = []

    def judge(self, rule: Rule) -> None:
        version = version_in_force(rule, self.session.started_at)
        line = line_of(version, rule.kind, headline=self.recognizer.headline, baseline=self.baseline)
        found = self._episodes(version, line) if isinstance(line, Line) else []
        own = [alert for alert in self.existing if alert.rule_id == rule.pk]
        if not (found or own):
            return
        matched = match(found, own, self.points)
        self._supersede([alert for alert in own if alert not in matched.values()])
        # Ended ones first, so that their place as the open alert is free.
        for number, episode in sorted(enumerate(found), key=lambda item: item[1].ended_at is None):
            self._keep(matched.get(number), episode, rule, version, line)
        choose_lead(rule, self.session.client_id)

    def _episodes(self, version: RuleVersion, line: Line) -> list[Episode]:
        ended = self.session.ended_at
        found = decide(
            self.points.at,
            self.points.values(version.measure),
            line.terms,
            ends_at=ended.timestamp() if ended else None,
        )
        return [episode for episode in found if episode.fired]

    def _supersede(self, vanished: list[Alert]) -> None:
        for alert in vanished:
            if alert.superseded_at is None:
                alert.superseded_at = self.now
                alert.save(update_fields=["superseded_at"])
                self.superseded.append(alert)

    def _keep(
        self, alert: Alert | None, episode: Episode, rule: Rule, version: RuleVersion, line: Line
    ) -> None:
        if alert is None:
            self._create(episode, rule, version, line)
            return
        before, was_open = _facts(alert), alert.resolved_at is None and alert.superseded_at is None
        self._write(alert, episode, version, line)
        alert.superseded_at = None
        if _facts(alert) == before:
            return
        alert.rule, alert.client = rule, self.session.client
        if alert.resolved_at is None:
            alert.part_of = lead_of(alert)
        alert.save()
        if was_open and alert.resolved_at is not None:
            self.resolved.append(alert)

    def _create(self, episode: Episode, rule: Rule, version: RuleVersion, line: Line) -> None:
        alert = Alert(
            rule=rule,
            client=self.session.client,
            session=self.session,
            recognizer=self.recognizer,
            created_at=self.now,
        )
        self._write(alert, episode, version, line)
        if self.imported or self.now - alert.fired_at > HISTORICAL_AFTER:
            alert.historical_at = self.now
        if alert.resolved_at is None:
            alert.part_of = lead_of(alert)
        alert.muted = self._muted(alert, version)
        alert.save()
        self.fired.append(alert)
        if alert.resolved_at is not None:
            self.resolved.append(alert)

    def _muted(self, alert: Alert, version: RuleVersion) -> str:
        if alert.historical_at:
            return Muted.HISTORICAL
        if alert.part_of:
            return Muted.JOINED
        quiet_since = self.now - timedelta(seconds=version.cool_down_seconds)
        told = Alert.objects.filter(
            rule=alert.rule, client=alert.client, muted="", created_at__gt=quiet_since
        )
        return Muted.COOL_DOWN if told.exists() else ""

    def _write(self, alert: Alert, episode: Episode, version: RuleVersion, line: Line) -> None:
        alert.version, alert.severity, alert.baseline = version, version.severity, line.as_json()
        alert.pending_at = self.points.occurred_at[episode.pending_index]
        alert.fired_at = self.points.occurred_at[episode.fired_index]
        alert.fired_utterance_id = self.points.utterances[episode.fired_index]
        alert.recovering_at, alert.resolved_at = _time(episode.recovering_at), _time(episode.ended_at)
        alert.end_reason = EndReason(str(episode.end_reason)) if episode.end_reason else ""
        alert.peak, alert.peak_utterance_id = episode.peak, self.points.utterances[episode.peak_index]

    def finish(self) -> Changes:
        changes = Changes(tuple(self.fired), tuple(self.resolved), tuple(self.superseded))
        _tell(self.session.client, changes, self.now)
        return changes


def _time(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def _facts(alert: Alert) -> tuple:
    return tuple(
        getattr(alert, field.attname) for field in Alert._meta.concrete_fields if field.name != "part_of"
    )


# --- Which alert is which -----------------------------------------------------------------------


def match(found: list[Episode], alerts: list[Alert], points: Points) -> dict[int, Alert]:
    """Number of the episode to the alert that told of it: by the utterance that fired, else by time.

    One that was superseded comes back only where the same utterance fires again.
    """
    free = sorted(alerts, key=lambda alert: (alert.superseded_at is not None, alert.pk))
    matched: dict[int, Alert] = {}
    for same in (_same_utterance, _overlapping):
        for number, episode in enumerate(found):
            alert = next((a for a in free if same(a, episode, points)), None)
            if number not in matched and alert is not None:
                matched[number] = alert
                free.remove(alert)
    return matched


def _same_utterance(alert: Alert, episode: Episode, points: Points) -> bool:
    return alert.fired_utterance_id == points.utterances[episode.fired_index]


def _overlapping(alert: Alert, episode: Episode, points: Points) -> bool:
    if alert.superseded_at is not None:
        return False
    alert_end = alert.resolved_at.timestamp() if alert.resolved_at else float("inf")
    episode_end = float("inf") if episode.ended_at is None else episode.ended_at
    return alert.pending_at.timestamp() <= episode_end and episode.pending_at <= alert_end


# --- One open alert per rule and client ---------------------------------------------------------


def lead_of(alert: Alert) -> Alert | None:
    """The other alert of the same rule and client that is open: two sessions or series may fire at once."""
    others = Alert.objects.open().filter(rule_id=alert.rule_id, client_id=alert.client_id)
    return others.exclude(pk=alert.pk).first()


def choose_lead(rule: Rule, client_id: int) -> None:
    """The one that fired first leads; whichever arrived first."""
    rows = Alert.objects.standing().filter(rule=rule, client_id=client_id, resolved_at=None)
    going_on = list(rows.order_by("fired_at", "id"))
    for part in going_on[1:]:
        if part.part_of_id != going_on[0].pk:
            part.part_of = going_on[0]
            part.save(update_fields=["part_of"])
    if going_on and going_on[0].part_of_id is not None:
        going_on[0].part_of = None
        going_on[0].save(update_fields=["part_of"])


# --- Telling ------------------------------------------------------------------------------------


def _tell(client: Client, changes: Changes, now: datetime) -> None:
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
