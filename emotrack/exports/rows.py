"""What every format writes: sessions with their lines, read in batches so that a long history streams."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from django.db.models import QuerySet

from analysis.affect import project, top_label
from analysis.values import Reading
from emotrack.alerts.models import Alert
from emotrack.history.models import Client, Correction, Note, Session, Utterance
from emotrack.history.queries import corrections_of
from emotrack.mood.models import MoodPoint
from emotrack.mood.queries import calibrated_shares

SESSIONS_AT_ONCE = 20


@dataclass(frozen=True, slots=True)
class Heard:
    """What a person heard in an utterance, beside the machine's label."""

    label: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Line:
    """One utterance. start_s, end_s: seconds since the session's start; end_s = start_s without a length.

    reading: ``ok``, an abstention, or empty where nothing was read. label, share, shares: calibrated, (9,) in
    the order of ``LABELS``; empty or ``None`` where nothing may be claimed. valence, arousal, dominance,
    level: -1..1. volatility: plain index; volatility_z: in own spreads. words_…: the same of the words by
    themselves; incongruent: whether one of both is pleasant and the other not, ``None`` where not compared.
    """

    id: str
    speaker: str
    at: datetime
    start_s: float
    end_s: float
    text: str | None
    language: str
    status: str
    reading: str
    label: str
    share: float | None
    shares: tuple[float, ...] | None
    valence: float | None
    arousal: float | None
    dominance: float | None
    level: float | None
    volatility: float | None
    volatility_z: float | None
    source: str
    recognizer: str
    version: str
    heard: tuple[Heard, ...]
    words_reading: str = ""
    words_label: str = ""
    words_share: float | None = None
    words_shares: tuple[float, ...] | None = None
    words_valence: float | None = None
    incongruent: bool | None = None

    @property
    def read(self) -> bool:
        return self.reading == Reading.OK and self.shares is not None

    @property
    def confirmed(self) -> bool:
        """Whether somebody heard the same, and nobody something else."""
        return bool(self.heard) and all(heard.label == self.label for heard in self.heard)


@dataclass(frozen=True, slots=True)
class Told:
    """An alert of a session. start_s, end_s: seconds since its start; end_s is ``None`` while it goes on."""

    id: str
    title: str
    severity: str
    start_s: float
    end_s: float | None


@dataclass(frozen=True, slots=True)
class Written:
    """A note. at_s: seconds since the session's start."""

    id: str
    text: str
    author: str
    at: datetime
    at_s: float


@dataclass(frozen=True, slots=True)
class Sitting:
    """One session with all its lines in order. notes: empty unless they were chosen."""

    id: str
    started_at: datetime
    ended_at: datetime | None
    lines: Sequence[Line]
    alerts: Sequence[Told]
    notes: Sequence[Written]

    @property
    def length_s(self) -> float:
        """Until the last thing in it."""
        last = [line.end_s for line in self.lines] + [a.end_s for a in self.alerts if a.end_s is not None]
        return max([*last, *(note.at_s for note in self.notes)], default=0.0)


@dataclass(frozen=True, slots=True)
class About:
    """What a file says of itself. client: public id; code: the short name; never the person's own name.

    base: address of the site, with its slash. notes: whether they were chosen; unpinned: those of no session.
    """

    client: str
    code: str
    made_at: datetime
    base: str
    notes: bool = False
    unpinned: Sequence[Written] = ()


def sittings(client: Client, sessions: QuerySet[Session], *, notes: bool) -> Iterator[Sitting]:
    """The sessions, oldest first, each whole, in six queries per twenty sessions.

    The caller has checked who asks. notes: with the counselor's notes.
    """
    keys = iter(list(sessions.order_by("started_at", "id").values_list("pk", flat=True)))
    while batch := list(islice(keys, SESSIONS_AT_ONCE)):
        yield from _batch(client, batch, notes=notes)


def _batch(client: Client, keys: Sequence[int], *, notes: bool) -> list[Sitting]:
    sessions = Session.objects.filter(pk__in=keys).order_by("started_at", "id")
    utterances = list(
        Utterance.objects.filter(session__in=keys).select_related("recognizer", "words_recognizer").in_order()
    )
    points = {p.utterance_id: p for p in MoodPoint.objects.filter(session__in=keys)}
    heard = corrections_of(utterances)
    said: dict[int, list[Utterance]] = defaultdict(list)
    for utterance in utterances:
        utterance.client = client  # one key unwrapped for all rows
        said[utterance.session_id].append(utterance)
    told: dict[int, list[Alert]] = defaultdict(list)
    for alert in (
        Alert.objects.standing().filter(session__in=keys).select_related("rule").order_by("fired_at")
    ):
        told[alert.session_id].append(alert)
    written: dict[int, list[Note]] = defaultdict(list)
    if notes:
        for note in Note.objects.filter(session__in=keys).select_related("author").order_by("at", "id"):
            written[note.session_id].append(note)
    return [
        Sitting(
            session.public_id,
            session.started_at,
            session.ended_at,
            [_line(session, u, points.get(u.pk), heard.get(u.pk, ())) for u in said[session.pk]],
            [_told(session, alert) for alert in told[session.pk]],
            [_written(client, note, _seconds(session, note.at)) for note in written[session.pk]],
        )
        for session in sessions
    ]


def _seconds(session: Session, at: datetime) -> float:
    return max((at - session.started_at).total_seconds(), 0.0)


def _line(
    session: Session, utterance: Utterance, point: MoodPoint | None, heard: Sequence[Correction]
) -> Line:
    recognizer = utterance.recognizer
    shares = None
    if recognizer is not None and utterance.reading not in ("", Reading.NO_SPEECH):
        shares = calibrated_shares(utterance.scores, recognizer.temperature)
    said = None
    if utterance.words_recognizer is not None:
        said = calibrated_shares(utterance.words_scores, utterance.words_recognizer.temperature)
    start_s = _seconds(session, utterance.occurred_at)
    return Line(
        id=utterance.public_id,
        speaker=utterance.speaker,
        at=utterance.occurred_at,
        start_s=start_s,
        end_s=start_s + utterance.duration_ms / 1000,
        text=utterance.text,
        language=utterance.language,
        status=utterance.status,
        reading=utterance.reading,
        label="" if shares is None else top_label(shares),
        share=None if shares is None else float(shares.max()),
        shares=None if shares is None else tuple(shares.tolist()),
        valence=point.valence if point else None,
        arousal=point.arousal if point else None,
        dominance=point.dominance if point else None,
        level=point.level if point else None,
        volatility=point.volatility if point else None,
        volatility_z=point.volatility_z if point else None,
        source=utterance.source,
        recognizer=recognizer.name if recognizer else "",
        version=recognizer.version if recognizer else "",
        words_reading=utterance.words_reading,
        words_label="" if said is None else top_label(said),
        words_share=None if said is None else float(said.max()),
        words_shares=None if said is None else tuple(said.tolist()),
        words_valence=None if said is None else project(said).valence,
        incongruent=utterance.incongruent,
        heard=tuple(Heard(c.label, c.author.username, c.made_at) for c in heard),
    )


def _told(session: Session, alert: Alert) -> Told:
    ended = alert.resolved_at
    return Told(
        alert.public_id,
        str(alert.title),
        alert.severity,
        _seconds(session, alert.fired_at),
        _seconds(session, ended) if ended else None,
    )


def unpinned_notes(client: Client) -> list[Written]:
    """Notes on the client that belong to no session."""
    rows = Note.objects.filter(client=client, session=None).select_related("author").order_by("at", "id")
    return [_written(client, note, 0.0) for note in rows]


def _written(client: Client, note: Note, at_s: float) -> Written:
    note.client = client  # one key unwrapped for all rows
    return Written(note.public_id, note.text, note.author.username, note.at, at_s)
