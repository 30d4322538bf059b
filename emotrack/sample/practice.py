"""A practice to look at: invented clients with a year of sessions, and one conversation really recognized.

Every client is labeled invented. The histories come from ``analysis.synthetic`` and stand under a
recognizer of their own; the conversation was spoken by a synthesizer and goes through the real recognizer.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import cache

from django.db import transaction

from analysis.recognition.words import WordsRead
from analysis.synthetic import SyntheticHistory, SyntheticSession, SyntheticTurn, story, synthetic_card
from emotrack import pipeline
from emotrack.accounts.models import App, User
from emotrack.alerts import actions as alerts
from emotrack.audit.actions import record
from emotrack.audit.models import Actor
from emotrack.history import actions as history
from emotrack.history.models import (
    Client,
    Embedding,
    EndReason,
    Recognizer,
    Session,
    Speaker,
    Utterance,
)
from emotrack.mood import actions as mood
from emotrack.pipeline import Posted
from emotrack.pipeline.words import compare, keep_said
from emotrack.recognition import word_recognizer
from emotrack.sample import conversation

SAMPLE = Actor.system("sample practice")

STORIES: tuple[tuple[str, str, int, int], ...] = (
    ("Ann Weber", "relapsing", 20, 2),
    ("Ben Okafor", "volatile", 13, 1),
    ("Chen Yu 陈宇", "jump", 20, 3),
    ("Dana Nováková", "improving", 14, 4),
    ("Eli Cohen", "flat", 11, 3),
    ("Farah Haddad", "drift", 24, 1),
    ("Goran Petrović", "nothing", 5, 4),
    ("Hana Sato 佐藤花", "two_styles", 15, 2),
    ("Ines Duarte", "nothing", 9, 33),
    ("Jon Larsen", "oscillation", 14, 9),
    ("Kim Minseo", "burst", 3, 3),
    ("Lior Levi", "too_little", 1, 2),
)
"""Name, story, seed, and days since the last session.

The seeds are chosen so that the last session shows what the story planted: the alerts of the last week are
Ann's relapse and the restless minutes of Ben and Kim. A story without any plan alerts by chance now and then.
"""

FRIDAY = 4

CONVERSATION_CLIENT = "Mira (sample conversation)"
Progress = Callable[[int, int, str], None]


def load(*, counselor: User, app: App, now: datetime, progress: Progress) -> None:
    """Fill an empty installation. ``progress(done, all, name)`` is called before each client."""
    everyone = len(STORIES) + 1
    recognizer = history.our_recognizer(synthetic_card())
    for done, (name, plot, seed, days_ago) in enumerate(STORIES):
        progress(done, everyone, name)
        told = story(plot, seed)
        _tell(name, told, recognizer, counselor=counselor, app=app, now=now, days_ago=days_ago)
    progress(len(STORIES), everyone, CONVERSATION_CLIENT)
    _hold_conversation(counselor=counselor, app=app, now=now)
    progress(everyone, everyone, "done")


@transaction.atomic
def _tell(
    name: str,
    told: SyntheticHistory,
    recognizer: Recognizer,
    *,
    counselor: User,
    app: App,
    now: datetime,
    days_ago: int,
) -> None:
    # The last session was so many days ago, at the hour at which this person always comes.
    last_day = _weekday(now - timedelta(days=days_ago)).replace(hour=0, minute=0, second=0, microsecond=0)
    begin = last_day - timedelta(days=int(told.sessions[-1].day))
    client = _admit(name, counselor=counselor, app=app, now=begin)
    for invented in told.sessions:
        starts = begin + timedelta(days=invented.day)
        if starts + timedelta(hours=1) < now:
            _write_session(client, invented, starts, recognizer)
    mood.rebuild(client)
    for session in client.sessions.order_by("started_at"):
        _judge(session, recognizer, now)


def _weekday(day: datetime) -> datetime:
    """That day, or the Friday before a weekend: this practice is closed on weekends."""
    return day - timedelta(days=max(day.weekday() - FRIDAY, 0))


def _judge(session: Session, recognizer: Recognizer, now: datetime) -> None:
    """Rules look at the last week as if it had been live, and at what is older as at an import."""
    recent = now - session.ended_at < timedelta(days=7)
    alerts.evaluate(session, recognizer, now=session.ended_at if recent else now)


def _admit(name: str, *, counselor: User, app: App, now: datetime) -> Client:
    client, _new = pipeline.admit_client(
        app=app, external_id=f"sample-{name.split()[0].lower()}", name=name, by=SAMPLE, now=now
    )
    history.assign(client=client, counselor=counselor, by=SAMPLE, now=now)
    return client


@cache
def _said(text: str) -> WordsRead:
    """Invented people share their sentences, so each is read once."""
    return word_recognizer().read(text, "en")


def _write_session(
    client: Client, invented: SyntheticSession, starts: datetime, recognizer: Recognizer
) -> None:
    ends = starts + timedelta(seconds=invented.duration_s)
    session = Session.objects.create(
        client=client, started_at=starts, last_activity_at=ends, ended_at=ends, end_reason=EndReason.EXPLICIT
    )
    by_words = history.our_recognizer(word_recognizer().card)
    rows = [_utterance(session, turn, recognizer, by_words) for turn in invented.turns]
    Utterance.objects.bulk_create(rows)
    Embedding.objects.bulk_create(
        Embedding(utterance=row, vector=turn.embedding)
        for row, turn in zip(rows, invented.turns, strict=True)
        if turn.embedding is not None
    )
    record(
        "session.imported",
        by=SAMPLE,
        now=ends,
        subject=session.public_id,
        client=client.public_id,
        utterances=len(rows),
    )


def _utterance(
    session: Session, turn: SyntheticTurn, recognizer: Recognizer, by_words: Recognizer
) -> Utterance:
    at = session.started_at + timedelta(seconds=turn.start_s)
    scored = turn.reading is not None
    row = Utterance(
        session=session,
        client=session.client,
        speaker=turn.speaker,
        occurred_at=at,
        duration_ms=round(1000 * turn.duration_s),
        received_at=at,
        language="en",
        status="analyzed",
        analyzed_at=at,
        recognizer=recognizer if scored else None,
        source="audio" if scored else "",
        scores=turn.scores,
        reading=turn.reading or "",
    )
    row.text = turn.text
    if row.speaker == Speaker.CLIENT:
        keep_said(row, _said(turn.text), by_words)
        compare(row)
    return row


def _hold_conversation(*, counselor: User, app: App, now: datetime) -> None:
    """The synthesized conversation, of the last weekday, turn by turn through the real recognizer."""
    talk = conversation.load()
    client = _admit(CONVERSATION_CLIENT, counselor=counselor, app=app, now=now)
    starts = _weekday(now - timedelta(days=1)).replace(hour=15, minute=0, second=0, microsecond=0)
    session, _new = pipeline.admit_session(client=client, by=SAMPLE, now=now, app=app, started_at=starts)
    for turn in talk.turns:
        posted = Posted(
            speaker=turn.speaker,
            occurred_at=starts + timedelta(seconds=turn.start_s),
            language=talk.language,
            text=turn.text,
            audio=turn.audio.read_bytes(),
        )
        accepted = pipeline.accept(session=session, posted=posted, by=SAMPLE, now=now, app=app)
        pipeline.process(accepted.utterance.pk)
    ends = starts + timedelta(seconds=talk.duration_s)
    pipeline.end_session(session, by=SAMPLE, now=now, ended_at=ends)
