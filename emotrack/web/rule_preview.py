"""What the terms in the editor would have done: in a sentence, for one client closely, and for all."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import QuerySet

from emotrack.accounts.models import User
from emotrack.alerts.judging.arming import WhyNot
from emotrack.alerts.models import Alert, Rule, RuleVersion
from emotrack.alerts.rules.kinds import KINDS, Runs
from emotrack.alerts.rules.queries import clients_of
from emotrack.alerts.tuning.backtest import Backtest, WouldFire, backtest
from emotrack.alerts.tuning.chance import by_chance_per_week
from emotrack.alerts.tuning.close_look import CloseLook, close_look
from emotrack.history.models import Client, Session
from emotrack.web.administration import names_of
from emotrack.web.rule_chart import WIDTH, RuleChart, Strip, day_words, rule_chart, strip_place

DAYS = 90
STRIPS = 12
ROWS_IN_TABLE = 200


@dataclass(frozen=True, slots=True)
class Kept:
    """Verdicts on this rule's alerts: how many of each kind the terms would have kept, of how many."""

    useful: int
    useful_of: int
    not_useful: int
    not_useful_of: int

    @property
    def dropped(self) -> int:
        return self.not_useful_of - self.not_useful


@dataclass(frozen=True)
class Preview:
    """saved: what the newest saved version would have done, where the draft differs from it."""

    found: Backtest
    saved: Backtest | None
    version: int
    chance: float | None
    kept: Kept | None
    people: Sequence[tuple[str, str]]
    closely: str
    closely_name: str
    look: CloseLook
    chart: RuleChart | None
    strips: Sequence[Strip]
    more: int
    days: Sequence[str]
    by_turn: bool

    @property
    def table(self) -> list[tuple[datetime, float]]:
        rows = list(zip(self.look.at, self.look.values, strict=True))
        return rows[-ROWS_IN_TABLE:]

    @property
    def nothing_heard(self) -> bool:
        return not (self.found.armed or self.found.forming or self.found.count)

    @property
    def why_not(self) -> str:
        return "" if self.look.why_not is None else str(self.look.why_not)

    @property
    def forming(self) -> bool:
        return self.look.why_not is WhyNot.BASELINE_FORMING

    @property
    def clients(self) -> int:
        return len(self.found.armed | self.found.forming)


def preview(
    user: User,
    rule: Rule,
    draft: RuleVersion,
    *,
    now: datetime,
    saved: RuleVersion | None,
    closely: str = "",
    width: int = WIDTH,
) -> Preview:
    """closely: the public id of the client to draw; without one, the one who would have had most alerts."""
    since, clients = now - timedelta(days=DAYS), clients_of(rule, user)
    span = {"since": since, "until": now, "clients": clients}
    found = backtest(draft, rule.kind, **span)
    before = backtest(saved, rule.kind, **span) if saved is not None and saved is not draft else None
    people = _people(clients, found, user)
    names = dict(people)
    fired = Counter(key for key, _episode in _fired(found, clients))
    shown = closely if closely in names else next((key for key, _n in fired.most_common(1)), "")
    shown = shown or next(iter(names), "")
    look = (
        close_look(draft, rule.kind, clients.get(public_id=shown), since=since, until=now)
        if shown
        else CloseLook()
    )
    by_turn = KINDS[rule.kind].runs is Runs.TURN
    strips, more = _strips(clients, found, before, names, since, now)
    return Preview(
        found=found,
        saved=before,
        version=saved.number if saved is not None else 0,
        chance=by_chance_per_week(draft, rule.kind, len(found.armed)),
        kept=_kept(rule, found, user, since) if saved is not None else None,
        people=people,
        closely=shown,
        closely_name=names.get(shown, ""),
        look=look,
        chart=rule_chart(look, draft.threshold, draft.recovery_threshold, by_turn=by_turn, width=width),
        strips=strips,
        more=more,
        days=[day_words((since + timedelta(days=DAYS * k / 2)).date()) for k in range(3)],
        by_turn=by_turn,
    )


def _people(clients: QuerySet[Client], found: Backtest, user: User) -> list[tuple[str, str]]:
    """(public id, name or code) of all whom the rule could judge, by name."""
    rows = list(clients.filter(pk__in=found.armed | found.forming))
    names = names_of(rows, user)
    return sorted(((one.public_id, names.get(one.pk) or one.code) for one in rows), key=lambda row: row[1])


def _fired(found: Backtest, clients: QuerySet[Client]) -> list[tuple[str, WouldFire]]:
    keys = dict(clients.filter(pk__in={e.client for e in found.episodes}).values_list("pk", "public_id"))
    return [(keys[e.client], e) for e in found.episodes if e.client in keys]


def _strips(
    clients: QuerySet[Client],
    found: Backtest,
    before: Backtest | None,
    names: dict[str, str],
    since: datetime,
    now: datetime,
) -> tuple[list[Strip], int]:
    """Those with would-be alerts first, then the others by name; how many are left out."""
    fires, dropped = defaultdict(list), defaultdict(list)
    for key, episode in _fired(found, clients):
        fires[key].append(episode)
    for key, episode in _fired(before, clients) if before else ():
        if not any(_same(episode, other) for other in fires[key]):
            dropped[key].append(episode)
    order = sorted(names, key=lambda key: (not fires[key], not dropped[key], names[key]))[:STRIPS]
    held: dict[str, list[datetime]] = defaultdict(list)
    sessions = Session.objects.filter(client__public_id__in=order, started_at__gte=since, started_at__lt=now)
    for key, at in sessions.order_by("started_at").values_list("client__public_id", "started_at"):
        held[key].append(at)

    def places(moments: Sequence[datetime]) -> list[float]:
        return [strip_place(max(at, since), since, now - since) for at in moments]

    strips = [
        Strip(
            names[key],
            places(held[key]),
            places([one.fired_at for one in fires[key]]),
            places([one.fired_at for one in dropped[key]]),
            len(fires[key]),
        )
        for key in order
    ]
    return strips, len(names) - len(strips)


def _same(one: WouldFire, other: WouldFire) -> bool:
    if one.client != other.client:
        return False
    one_ends, other_ends = one.ended_at, other.ended_at
    return (other_ends is None or one.fired_at <= other_ends) and (
        one_ends is None or other.fired_at <= one_ends
    )


def _kept(rule: Rule, found: Backtest, user: User, since: datetime) -> Kept | None:
    alerts = Alert.objects.visible_to(user).standing().filter(rule=rule, fired_at__gte=since)
    judged = alerts.with_judgments().filter(was_useful=True) | alerts.with_judgments().filter(
        was_not_useful=True
    )
    counts = Counter()
    by_client = defaultdict(list)
    for episode in found.episodes:
        by_client[episode.client].append(episode)
    for alert in judged.distinct():
        fact = WouldFire(alert.client_id, alert.session_id, alert.fired_at, alert.resolved_at, alert.peak)
        kept = any(_same(fact, episode) for episode in by_client[alert.client_id])
        counts[alert.was_useful, "all"] += 1
        counts[alert.was_useful, "kept"] += kept
    if not counts:
        return None
    return Kept(counts[True, "kept"], counts[True, "all"], counts[False, "kept"], counts[False, "all"])
