"""Reads the sample conversation: who says what, when, and the audio of every turn.

It is synthetic: written for EmoTrack and spoken by a speech synthesizer (README.md beside this file).
"""

import json
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
SCRIPT = HERE / "conversation.json"


@dataclass(frozen=True)
class SampleTurn:
    """One turn; ``audio`` is an Opus-in-Ogg file, mono, from 16 kHz."""

    speaker: str
    """``client`` or ``counselor``."""
    text: str
    prosody: str
    """How it was spoken, a key of ``Conversation.prosody``; the truth that a mood curve should show."""
    start_s: float
    """From the conversation's start."""
    duration_s: float
    audio: Path


@dataclass(frozen=True)
class SampleConversation:
    title: str
    synthetic: str
    """A sentence that says that no person said this; to be shown with the conversation."""
    language: str
    turns: tuple[SampleTurn, ...]
    """In order of ``start_s``; turns do not overlap."""

    @property
    def duration_s(self) -> float:
        return self.turns[-1].start_s + self.turns[-1].duration_s


def load() -> SampleConversation:
    script = json.loads(SCRIPT.read_text(encoding="utf-8"))
    turns = tuple(SampleTurn(**{**turn, "audio": HERE / turn["audio"]}) for turn in script["turns"])
    return SampleConversation(script["title"], script["synthetic"], script["language"], turns)
