"""How often terms would fire for people to whom nothing happens, counted on steady invented histories.

``benchmarks/steady_histories.py`` makes them. They have no trend, no burst and no change; whatever fires in
them is chance.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

import numpy as np

from analysis.affect import AFFECT_LABELS
from analysis.baseline import SessionBaseline, Usual
from analysis.measures import MEASURES
from emotrack.alerts.judging.arming import Line, line_of, session_line
from emotrack.alerts.judging.decide import episodes_in, valid_values
from emotrack.alerts.models import Kind, RuleVersion
from emotrack.alerts.rules.kinds import KINDS, Runs
from emotrack.alerts.series.points import COLUMNS, Points
from emotrack.alerts.series.sessions import Sessions, armed_at
from emotrack.alerts.series.silence import Absences

FILE = Path(__file__).with_name("steady.npz")
WEEK_S = 7 * 86_400.0
_PARTS = ("valence", "arousal", "volatility", "window_distance")


@dataclass(frozen=True, slots=True)
class Person:
    """One invented person. turns: of each session. baselines: as they stood when each session began."""

    turns: tuple[Points, ...]
    baselines: tuple[SessionBaseline, ...]
    starts: np.ndarray
    ends: np.ndarray
    sessions: Sessions

    def weeks_after(self, session: int) -> float:
        """From the first session that can be judged to the last one's end."""
        return max((self.ends[-1] - self.starts[session]) / WEEK_S, 0.0) if session < len(self.ends) else 0.0


@lru_cache(maxsize=1)
def steady() -> tuple[Person, ...]:
    with np.load(FILE) as stored:
        kept = {name: stored[name] for name in stored.files}
    return people(kept)


def people(kept: dict[str, np.ndarray]) -> tuple[Person, ...]:
    """kept: arrays as ``benchmarks/steady_histories.py`` writes them."""
    return tuple(_people(kept))


def _people(kept: dict[str, np.ndarray]) -> Iterator[Person]:
    edges = np.concatenate([[0], np.cumsum(kept["turns"])])
    for person in np.unique(kept["person"]):
        own = np.flatnonzero(kept["person"] == person)
        turns = tuple(_points(kept, slice(edges[i], edges[i + 1])) for i in own)
        movement = kept["movement"][own].astype(np.float64)
        sessions = Sessions(
            client=int(person),
            recognizer=0,
            headline="",
            ids=own.tolist(),
            started_at=[datetime.fromtimestamp(start, UTC) for start in kept["starts"][own]],
            at=kept["ends"][own],
            means=kept["mean"][own].astype(np.float64),
            load_movement=lambda movement=movement: movement,
        )
        baselines = tuple(_baseline(kept, i) for i in own)
        yield Person(turns, baselines, kept["starts"][own], kept["ends"][own], sessions)


def _points(kept: dict[str, np.ndarray], where: slice) -> Points:
    labels = kept["label"][where]
    columns = np.stack([kept[name][where] for name in COLUMNS], axis=1).astype(np.float64)
    found = Points(
        utterances=range(len(labels)),
        occurred_at=(),
        pairs=kept["pairs"][where],
        ok=kept["ok"][where].tolist(),
        columns=columns,
        load_labels=lambda: [None if i < 0 else AFFECT_LABELS[i] for i in labels],
        load_differing=lambda: [None] * len(labels),
    )
    found.__dict__["at"] = kept["at"][where]
    return found


def _baseline(kept: dict[str, np.ndarray], session: int) -> SessionBaseline:
    def usual(part: str) -> Usual:
        n, median, mad = kept[f"usual_{part}"][session]
        return Usual(int(n), float(median), float(mad)) if n else Usual()

    return SessionBaseline(**{part: usual(part) for part in _PARTS})


@lru_cache(maxsize=512)
def _rate(kind: str, terms: tuple) -> float | None:
    if KINDS[kind].runs is Runs.MONTH or kind == Kind.INCONGRUENCE:
        return None
    version = RuleVersion(**dict(terms))
    counted = [fires(person, version, kind) for person in steady()]
    weeks = sum(weeks for _fired, weeks in counted)
    return sum(fired for fired, _weeks in counted) / weeks if weeks else None


def fires(person: Person, terms: RuleVersion, kind: str) -> tuple[int, float]:
    """How often the terms fire for a person, and in how many weeks they could."""
    count = {Runs.TURN: _in_turns, Runs.SESSION: _in_sessions, Runs.CLOCK: _in_silence}[KINDS[kind].runs]
    return count(person, terms, kind)


_JUDGED_BY = ("measure", "label", "threshold", "recovery_threshold", "for_count", "for_seconds",
              "keep_firing_seconds", "usual_spreads")  # fmt: skip


def by_chance_per_week(terms: RuleVersion, kind: str, clients: int) -> float | None:
    """Alerts a week that chance alone would fire for so many steady clients whom the rule can judge.

    ``None`` for a rule on the recognizer or on words, of which there are no invented histories.
    """
    rate = _rate(kind, tuple((name, getattr(terms, name)) for name in _JUDGED_BY))
    return None if rate is None else rate * clients


def _in_turns(person: Person, terms: RuleVersion, kind: str) -> tuple[int, float]:
    fired, first, above = 0, len(person.turns), KINDS[kind].above
    headline = MEASURES[terms.measure].dimension or ""
    for place, (points, baseline) in enumerate(zip(person.turns, person.baselines, strict=True)):
        line = line_of(terms, kind, headline=headline, baseline=baseline)
        if not isinstance(line, Line):
            continue
        first = min(first, place)
        if points.reaches(
            terms.measure, terms.label, terms.threshold, above=above, in_a_row=terms.least_in_a_row
        ):
            found = episodes_in(points.series(terms.measure, terms.label), line.terms, ends_at=np.inf)
            fired += sum(episode.fired for episode in found)
    return fired, person.weeks_after(first)


def _in_sessions(person: Person, terms: RuleVersion, kind: str) -> tuple[int, float]:
    line = session_line(terms, kind, headline=MEASURES[terms.measure].dimension or "")
    series = valid_values(person.sessions.at, person.sessions.values(terms.measure))
    fired = sum(episode.fired for episode in episodes_in(series, line.terms))
    return fired, person.weeks_after(armed_at(terms.measure))


def _in_silence(person: Person, terms: RuleVersion, kind: str) -> tuple[int, float]:
    line = session_line(terms, kind, headline="")
    heard = Absences(0, person.sessions.ids, person.starts, person.ends)
    at, values, _places = heard.series(float(person.ends[-1]))
    found = episodes_in(valid_values(at, values), line.terms)
    return sum(episode.fired for episode in found), person.weeks_after(7)
