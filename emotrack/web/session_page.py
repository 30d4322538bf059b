"""What the session page shows, put together from the history, the mood and the alerts of one session."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from django.utils.translation import gettext as _

from analysis.affect import calibrate
from analysis.baseline import SessionBaseline
from analysis.volatility import WINDOW_PAIRS
from emotrack.accounts.models import User
from emotrack.alerts.lifecycle.queries import Span, episode_spans
from emotrack.alerts.models import RuleVersion
from emotrack.history.models import Audio, Correction, Recognizer, Session, Speaker, Status, Utterance
from emotrack.history.queries import corrections_of
from emotrack.mood import queries as mood
from emotrack.mood.actions import baseline_from
from emotrack.mood.models import MoodPoint, SessionMood
from emotrack.web import words
from emotrack.web.frame_push import WINDOW_S, pushes
from emotrack.web.lane_words import lane_words, volatility_lines
from emotrack.web.notes import NoteLine, note_lines
from emotrack.web.sound_wave import wave
from emotrack.web.timeline import Episode, Mark, Timeline, Turn, clock, signed
from emotrack.web.words_lane import WordsLine, in_short, lane, words_line

FRAME_POINTS = 2000

SEVERITY_SIGNS = {"info": "ⓘ", "warning": "▲", "critical": "⬣"}


@dataclass(frozen=True, slots=True)
class Heard:
    """What a person heard in a turn. label: one of the nine, or ``none``. own: whether it is the viewer's."""

    label: str
    who: str
    own: bool


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the transcript.

    kind: turn, other (not read: another speaker, or words alone), gap, waiting, failed. text: ``None``
    where there is none or it is not to be shown. audio: kept, gone (at ``gone_at``), or empty where there
    never was any. said: what the words say.
    """

    id: str
    kind: str
    at_s: float
    end_s: float
    text: str | None
    speaker: str
    reason: str = ""
    label: str = ""
    share: float | None = None
    shares: Sequence[float] | None = None
    value: float | None = None
    level: float | None = None
    z: float | None = None
    z_fires: bool = False
    audio: str = ""
    gone_at: datetime | None = None
    heard: Sequence[Heard] = ()
    said: WordsLine | None = None

    @property
    def clock(self) -> str:
        return clock(self.at_s)


@dataclass(frozen=True, slots=True)
class SessionPage:
    session: Session
    may_read: bool
    recognizer: Recognizer | None
    mood: SessionMood | None
    baseline: SessionBaseline
    rows: Sequence[Row]
    timeline: Timeline
    duration_s: float
    waiting: int
    beside: int
    notes: Sequence[NoteLine] = ()
    hidden: bool = False
    by_words: Recognizer | None = None

    @property
    def headline(self) -> str:
        return self.recognizer.headline if self.recognizer else "valence"


def load(
    session: Session, *, may_read: bool, viewer: User | None = None, window: tuple[float, float] | None = None
) -> SessionPage:
    """Everything the page needs, in a number of queries that does not grow with the session.

    viewer: whose own corrections and notes are told from others'. window: (start_s, end_s) that the figure
    shows closely; the whole session without one.
    """
    recognizer = mood.main_recognizer(session)
    utterances = list(_utterances(session, may_read))
    points = {p.utterance_id: p for p in MoodPoint.objects.filter(session=session)}
    sounds = {a.pk: a for a in Audio.objects.filter(utterance__session=session)}
    shares = _shares(utterances)
    heard = corrections_of(utterances) if may_read else {}
    said = {u.pk: line for u in utterances if (line := words_line(u, may_read=may_read))}
    session_mood = SessionMood.objects.filter(session=session, recognizer=recognizer).first()
    lines = volatility_lines(session)
    rows = [
        _row(
            session,
            u,
            points.get(u.pk),
            sounds.get(u.pk),
            lines,
            may_read,
            shares.get(u.pk),
            _heard(heard.get(u.pk), viewer),
            said.get(u.pk),
        )
        for u in utterances
    ]
    duration_s = max([row.end_s for row in rows], default=0.0)
    baseline = baseline_from(session_mood.baseline if session_mood else None) or SessionBaseline()
    notes = note_lines(session, viewer) if may_read else []
    turns = _turns(session, utterances, points, recognizer, shares, said)
    usual, episodes = _usual(baseline, recognizer), _episodes(session, duration_s)
    close = window if window and window[1] - window[0] <= WINDOW_S else None
    timeline = Timeline(
        turns=turns,
        duration_s=duration_s,
        words=lane_words(
            recognizer,
            lines,
            has_z=any(t.z is not None for t in turns),
            has_usual=usual is not None,
            has_alerts=bool(episodes),
        ),
        said=lane(session.started_at, utterances, said, points),
        episodes=episodes,
        usual=usual,
        threshold=lines.threshold if lines else None,
        recovery=lines.recovery_threshold if lines else None,
        wave=wave(session.started_at, utterances, sounds, window or (0.0, duration_s)) if may_read else (),
        notes=[Mark(note.at_s, note.sign, note.id) for note in notes if not note.impression],
        recognizers=_recognizers(session, utterances),
        pushes=pushes(_within(turns, close), FRAME_POINTS) if close else (),
    )
    waiting = sum(row.kind == "waiting" for row in rows)
    beside = sum(p.recognizer_id != recognizer.pk for p in points.values()) if recognizer else 0
    return SessionPage(
        session,
        may_read,
        recognizer,
        session_mood,
        baseline,
        rows,
        timeline,
        duration_s,
        waiting,
        beside,
        notes,
        by_words=next((u.words_recognizer for u in reversed(utterances) if u.pk in said), None),
    )


def _within(turns: Sequence[Turn], window: tuple[float, float]) -> Sequence[Turn]:
    return [turn for turn in turns if turn.end_s >= window[0] and turn.at_s <= window[1]]


def _heard(corrections: Sequence[Correction] | None, viewer: User | None) -> Sequence[Heard]:
    own = viewer.pk if viewer else None
    return [Heard(c.label, c.author.username, c.author_id == own) for c in corrections or ()]


def _recognizers(session: Session, utterances: Sequence[Utterance]) -> list[Mark]:
    """Where another recognizer read than the one before."""
    read = [u for u in utterances if u.recognizer_id is not None]
    return [
        Mark(offset_s(session, after.occurred_at), str(after.recognizer))
        for before, after in pairwise(read)
        if before.recognizer_id != after.recognizer_id
    ]


def _utterances(session: Session, may_read: bool) -> Sequence[Utterance]:
    rows = (
        Utterance.objects.filter(session=session).select_related("recognizer", "words_recognizer").in_order()
    )
    rows = list(rows if may_read else rows.defer("text"))
    for row in rows:
        row.client = session.client  # one key unwrapped for all rows
    return rows


def offset_s(session: Session, at: datetime) -> float:
    return (at - session.started_at).total_seconds()


def shares_of(utterance: Utterance) -> Sequence[float] | None:
    """(9,) calibrated shares, or ``None``."""
    if utterance.scores is None:
        return None
    return calibrate(utterance.scores, utterance.recognizer.temperature).tolist()


def _shares(utterances: Sequence[Utterance]) -> dict[int, Sequence[float]]:
    """``shares_of`` for all that have scores, by primary key."""
    by_recognizer: dict[int, list[Utterance]] = {}
    for utterance in utterances:
        if utterance.scores is not None:
            by_recognizer.setdefault(utterance.recognizer_id, []).append(utterance)
    return {
        utterance.pk: shares
        for alike in by_recognizer.values()
        for utterance, shares in zip(
            alike, calibrate([u.scores for u in alike], alike[0].recognizer.temperature).tolist(), strict=True
        )
    }


def _row(
    session: Session,
    utterance: Utterance,
    point: MoodPoint | None,
    sound: Audio | None,
    lines: RuleVersion | None,
    may_read: bool,
    shares: Sequence[float] | None,
    heard: Sequence[Heard],
    said: WordsLine | None,
) -> Row:
    at_s = offset_s(session, utterance.occurred_at)
    kind = _kind(utterance)
    shares = shares if kind in ("turn", "gap") else None
    headline = utterance.recognizer.headline if utterance.recognizer else "valence"
    z = point.volatility_z if point else None
    return Row(
        id=utterance.public_id,
        kind=kind,
        at_s=at_s,
        end_s=at_s + utterance.duration_ms / 1000,
        text=utterance.text if may_read else None,
        speaker=str(Speaker(utterance.speaker).label),
        reason=_reason(utterance, kind, shares),
        label=words.strongest(shares) if shares and kind == "turn" else "",
        share=max(shares) if shares else None,
        shares=shares,
        value=getattr(point, headline) if point else None,
        level=level_of(point, headline) if point else None,
        z=z,
        z_fires=bool(lines and z is not None and z > lines.threshold),
        audio=_audio_state(sound, may_read),
        gone_at=sound.deleted_at if sound is not None and may_read else None,
        heard=heard,
        said=said,
    )


def level_of(point: MoodPoint, headline: str) -> float | None:
    return point.level if headline == "valence" else point.level_arousal


def _kind(utterance: Utterance) -> str:
    if utterance.status == Status.QUEUED:
        return "waiting"
    if utterance.status == Status.FAILED:
        return "failed"
    if utterance.speaker != Speaker.CLIENT or not utterance.reading:
        return "other"
    return "turn" if utterance.reading == "ok" else "gap"


def _reason(utterance: Utterance, kind: str, shares: Sequence[float] | None) -> str:
    if kind == "waiting":
        return _("Waiting to be read.")
    if kind == "failed":
        return _("Could not be read. It is kept as it is.")
    if kind != "gap":
        return ""
    if utterance.reading == "ambiguous" and shares:
        return words.two_close(shares)
    return str(words.NO_READING[words.reason_slug(utterance.reading, utterance.quality)])


def _audio_state(sound: Audio | None, may_read: bool) -> str:
    if sound is None or not may_read:
        return ""
    return "gone" if sound.deleted_at else "kept"


def _turns(
    session: Session,
    utterances: Sequence[Utterance],
    points: dict[int, MoodPoint],
    recognizer: Recognizer | None,
    shares: Mapping[int, Sequence[float]],
    said: Mapping[int, WordsLine],
) -> list[Turn]:
    ours = [u for u in utterances if u.pk in points and points[u.pk].recognizer_id == recognizer.pk]
    headline = recognizer.headline if recognizer else "valence"
    values = [getattr(points[u.pk], headline) for u in ours]
    half_widths = mood.level_interval([u.occurred_at.timestamp() for u in ours], values)
    return [
        _turn(session, u, points[u.pk], headline, half_width, shares.get(u.pk), said.get(u.pk))
        for u, half_width in zip(ours, half_widths, strict=True)
    ]


def _turn(
    session: Session,
    utterance: Utterance,
    point: MoodPoint,
    headline: str,
    half_width: float | None,
    shares: Sequence[float] | None,
    said: WordsLine | None,
) -> Turn:
    at_s = offset_s(session, utterance.occurred_at)
    read = utterance.reading == "ok"
    slug = words.reason_slug(utterance.reading, utterance.quality)
    return Turn(
        at_s=at_s,
        end_s=at_s + max(utterance.duration_ms / 1000, 0.5),
        id=utterance.public_id,
        reading=utterance.reading,
        shares=shares,
        value=getattr(point, headline),
        level=level_of(point, headline),
        half_width=half_width,
        z=point.volatility_z,
        index=point.volatility,
        partial=point.window_pairs < WINDOW_PAIRS,
        hover=_hover(at_s, utterance, point, headline, shares) + (f"<br>{in_short(said)}" if said else ""),
        code=str(words.CODES[words.strongest(shares)]) if shares and read else "",
        reason="" if read else str(words.SHORT_REASONS[slug]),
        valence=point.valence,
    )


def _hover(
    at_s: float, utterance: Utterance, point: MoodPoint, headline: str, shares: Sequence[float] | None
) -> str:
    """Lines for the pointer: time and label, distribution, place, changeability."""
    if utterance.reading != "ok":
        slug = words.reason_slug(utterance.reading, utterance.quality)
        lines = [f"{clock(at_s)}  {_('No reading')}", str(words.NO_READING[slug])]
        return "<br>".join(lines + ([words.in_a_line(shares, 3)] if shares else []))
    label = words.EMOTIONS[words.strongest(shares)]
    lines = [f"{clock(at_s)}  {_('May sound %(label)s') % {'label': label}} {words.percent(max(shares))}"]
    lines.append(words.in_a_line(shares, 4))
    places = [
        (str(words.DIMENSIONS[headline]), getattr(point, headline)),
        (_("level"), level_of(point, headline)),
    ]
    lines.append(" · ".join(f"{name} {signed(value)}" for name, value in places if value is not None))
    if point.volatility_z is not None:
        lines.append(
            _("volatility %(z)s own spreads") % {"z": f"{point.volatility_z:+.1f}".replace("-", "−")}
        )
    return "<br>".join(lines)


def _usual(baseline: SessionBaseline, recognizer: Recognizer | None) -> tuple[float, float] | None:
    if recognizer is None:
        return None
    usual = getattr(baseline, recognizer.headline)
    return usual.band() if usual.armed else None


def _episodes(session: Session, end_s: float) -> list[Episode]:
    return [_episode(session, span, end_s) for span in episode_spans(session)]


def _episode(session: Session, span: Span, end_s: float) -> Episode:
    fired_s = offset_s(session, span.fired_at)
    said = f"{SEVERITY_SIGNS[span.severity]} {span.title}"
    return Episode(
        pending_s=offset_s(session, span.pending_at),
        fired_s=fired_s,
        recovering_s=offset_s(session, span.recovering_at) if span.recovering_at else None,
        ended_s=offset_s(session, span.ended_at) if span.ended_at else end_s,
        severity=span.severity,
        words=said + " · " + _("fired %(at)s") % {"at": clock(fired_s)},
        kind=span.kind,
        id=span.alert_id,
    )
