"""What rules cost: judging one more utterance with 50 rules, and previewing one rule over a whole practice.

    python -m benchmarks.alerts [--clients 1000] [--points 1000] [--rules 50]

Works in a database of its own in a temporary folder. Each figure stands beside a baseline of the same run:
the same found by reading every point and walking it, rule by rule, with nothing kept, prefiltered or shared.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from dataclasses import asdict
from datetime import UTC, datetime, timedelta

import django
import numpy as np

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
TURNS = 40


def cpu(work, times: int = 1) -> float:
    """Seconds of CPU a time; the best of three rounds."""
    rounds = []
    for _round in range(3):
        began = time.process_time()
        for _time in range(times):
            work()
        rounds.append((time.process_time() - began) / times)
    return min(rounds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clients", type=int, default=1000)
    parser.add_argument("--points", type=int, default=1000)
    parser.add_argument("--rules", type=int, default=50)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"DJANGO_SETTINGS_MODULE": "emotrack.settings", "EMOTRACK_VAR_DIR": folder}
        measure(given.clients, given.points, given.rules)


def measure(clients: int, points: int, rules: int) -> None:
    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    sessions = plant(clients, points)
    evaluation(sessions, rules)
    preview(clients, points)


def plant(clients: int, points: int) -> list:
    """Steady people over the last 90 days; in one session in twenty the values rise for six turns."""
    from analysis.baseline import SessionBaseline, Usual
    from emotrack.history.models import Client, Recognizer, Session, Utterance
    from emotrack.mood.models import MoodPoint, SessionMood

    random = np.random.default_rng(5)
    usual = Usual(200, 0.0, 0.1)
    baseline = asdict(SessionBaseline(12, usual, usual, usual, usual, usual, usual))
    by = Recognizer.objects.create(name="planted", version="1", dimension=8)
    made = [Client(created_at=NOW, code=f"C{n:06d}", wrapped_key=b"x") for n in range(clients)]
    Client.objects.bulk_create(made, 500)
    per_client = max(points // TURNS, 1)
    sessions = [
        Session(
            client=client,
            started_at=NOW - timedelta(days=88 * (k + 1) / per_client),
            ended_at=NOW - timedelta(days=88 * (k + 1) / per_client) + timedelta(minutes=50),
            last_activity_at=NOW,
        )
        for client in made
        for k in range(per_client)
    ]
    Session.objects.bulk_create(sessions, 2000)
    for first in range(0, len(sessions), 500):
        some = sessions[first : first + 500]
        SessionMood.objects.bulk_create(
            [
                SessionMood(
                    client_id=s.client_id, session=s, recognizer=by, started_at=s.started_at,
                    baseline=baseline, mean_valence=random.normal(0, 0.1), utterances=TURNS, valid=TURNS,
                )
                for s in some
            ],
            2000,
        )  # fmt: skip
        spoken = [
            Utterance(
                session=s, client_id=s.client_id, occurred_at=s.started_at + timedelta(seconds=60 * i),
                received_at=NOW, status="analyzed", analyzed_at=NOW, recognizer=by, reading="ok",
            )
            for s in some
            for i in range(TURNS)
        ]  # fmt: skip
        Utterance.objects.bulk_create(spoken, 2000)
        z = np.abs(random.normal(0, 0.9, (len(some), TURNS)))
        z[random.random(len(some)) < 0.05, 20:26] += 3.5
        level = random.normal(0, 0.08, z.shape)
        MoodPoint.objects.bulk_create(
            [
                MoodPoint(
                    client_id=u.client_id, recognizer=by, session_id=u.session_id, utterance=u,
                    occurred_at=u.occurred_at, ended_at=u.occurred_at, reading="ok", window_pairs=4,
                    volatility_z=float(a), volatility=1.0, level=float(b), level_arousal=0.1,
                )
                for u, a, b in zip(spoken, z.ravel(), level.ravel(), strict=True)
            ],
            2000,
        )  # fmt: skip
    return sessions


def evaluation(sessions: list, count: int) -> None:
    from emotrack.alerts import actions
    from emotrack.alerts.models import Kind, Rule
    from emotrack.audit.models import Actor
    from emotrack.history.models import Recognizer, Session

    long_ago, by = NOW - timedelta(days=900), Actor.system("benchmark")
    lines = np.linspace(2.5, 6.0, count)
    for n in range(count):
        kind = Kind.VOLATILITY if n % 2 else Kind.NEGATIVE_MOOD
        terms = (
            {"threshold": lines[n], "recovery_threshold": lines[n] - 0.5, "for_count": 3}
            if kind == Kind.VOLATILITY
            else {"threshold": -0.3 - n / 200, "recovery_threshold": -0.2, "for_count": 10}
        )
        actions.create_rule(kind=kind, reason="Measured.", by=by, now=long_ago, **terms)
    recognizer = Recognizer.objects.get()
    some = list(Session.objects.filter(pk__in=[s.pk for s in sessions[:100]]).select_related("client"))
    for session in some:
        actions.evaluate(session, recognizer, now=NOW)
    cost = cpu(lambda: [actions.evaluate(session, recognizer, now=NOW) for session in some]) / len(some)
    naive = cpu(lambda: [_rule_by_rule(session, recognizer) for session in some[:20]]) / 20
    print(f"one utterance, {count} rules, a session of {TURNS} turns: {1000 * cost:.2f} ms of CPU")
    print(f"  rule by rule, read anew each time: {1000 * naive:.2f} ms, {naive / cost:.0f} times as long")
    Rule.objects.update(enabled_at=None)


def _rule_by_rule(session, recognizer) -> None:
    from emotrack.alerts.judging.arming import Line, line_of
    from emotrack.alerts.judging.decide import episodes
    from emotrack.alerts.models import Alert, Rule
    from emotrack.alerts.series.points import points_of
    from emotrack.mood.actions import baseline_from
    from emotrack.mood.models import SessionMood

    for rule in Rule.objects.filter(enabled_at__isnull=False).prefetch_related("versions"):
        points = points_of(session, recognizer)
        mood = SessionMood.objects.get(session=session, recognizer=recognizer)
        version = rule.version_at(session.started_at)
        line = line_of(version, rule.kind, headline="valence", baseline=baseline_from(mood.baseline))
        if isinstance(line, Line):
            episodes(points.at, points.values(version.measure), line.terms)
        list(Alert.objects.filter(session=session, rule=rule))


def preview(clients: int, points: int) -> None:
    from emotrack.alerts.models import Kind, RuleVersion
    from emotrack.alerts.rules.kinds import KINDS
    from emotrack.alerts.tuning.backtest import backtest

    terms = RuleVersion(**KINDS[Kind.VOLATILITY].defaults)
    span = {"since": NOW - timedelta(days=90), "until": NOW}
    began = time.perf_counter()
    found = backtest(terms, Kind.VOLATILITY, **span)
    first = time.perf_counter() - began
    took = min(_timed(lambda: backtest(terms, Kind.VOLATILITY, **span)) for _ in range(3))
    walked, naive = _walk_everything(terms)
    print(f"preview, {clients} clients × {points} points: {took:.2f} s ({first:.2f} s the first time)")
    print(f"  {found.count} alerts; walking every point finds {walked}, in {naive / took:.0f} times as long")
    for kind in (
        Kind.NEGATIVE_MOOD, Kind.LOW_QUALITY, Kind.LOW_SESSION, Kind.TREND, Kind.FLATTENING, Kind.SILENCE
    ):  # fmt: skip
        terms = RuleVersion(**KINDS[kind].defaults)
        print(f"  {kind}: {cpu(lambda kind=kind, terms=terms: backtest(terms, kind, **span)):.2f} s of CPU")


def _timed(work) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _walk_everything(terms) -> tuple[int, float]:
    from itertools import groupby
    from operator import itemgetter

    from emotrack.alerts.judging.arming import line_of
    from emotrack.alerts.judging.decide import episodes
    from emotrack.alerts.series.points import POINT_COLUMNS, points_from
    from emotrack.mood.actions import baseline_from
    from emotrack.mood.models import MoodPoint, SessionMood

    began, found = time.perf_counter(), 0
    moods = dict(SessionMood.objects.values_list("session_id", "baseline"))
    rows = MoodPoint.objects.order_by("session_id", "occurred_at").values_list("session_id", *POINT_COLUMNS)
    for session, group in groupby(rows.iterator(5000), key=itemgetter(0)):
        points = points_from([row[1:] for row in group])
        line = line_of(terms, "volatility", headline="valence", baseline=baseline_from(moods[session]))
        walked = episodes(points.at, points.values(terms.measure), line.terms)
        found += sum(one.fired for one in walked)
    return found, time.perf_counter() - began


if __name__ == "__main__":
    main()
