"""The journey of one utterance: accept → recognize → refresh mood → check rules.

``accept`` makes it durable, ``process`` takes it the rest of the way and may run twice: rows are the
truth, the task queue only wakes workers. Top to bottom:

    accepting     consent, checks; row, sound and audit in one transaction
    sound         decode, measure, keep
    reading       lease → recognize → store at storage precision
    words         read the transcript, and hold it against the tone
    consequences  refresh mood → check rules → tell dashboards
    waiting       how long a caller waits for that
    streaming     a microphone's turns, each once
    recording     an uploaded recording's turns, each once
    changing      amend, delete, end a session
    upkeep        what any worker does again and again
"""

from emotrack.pipeline.accepting import (
    Accepted,
    Posted,
    accept,
    accept_first_seen,
    admit_client,
    admit_session,
)
from emotrack.pipeline.changing import amend_utterance, end_session, remove_utterance
from emotrack.pipeline.reading import Prediction, predict, process
from emotrack.pipeline.recording import (
    accept_recording,
    cancel_recording,
    read_next_recording,
    read_recordings,
)
from emotrack.pipeline.streaming import SpokenTurn, check_may_stream, keep_turn, open_stream
from emotrack.pipeline.upkeep import retry_failed, tick
from emotrack.pipeline.waiting import hurry
from emotrack.pipeline.words import read_unread_words

__all__ = [
    "Accepted",
    "Posted",
    "Prediction",
    "SpokenTurn",
    "accept",
    "accept_first_seen",
    "accept_recording",
    "admit_client",
    "admit_session",
    "amend_utterance",
    "cancel_recording",
    "check_may_stream",
    "end_session",
    "hurry",
    "keep_turn",
    "open_stream",
    "predict",
    "process",
    "read_next_recording",
    "read_recordings",
    "read_unread_words",
    "remove_utterance",
    "retry_failed",
    "tick",
]
