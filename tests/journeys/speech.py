"""Real speech of one speaker, put in the order of a quiet month and of one restless session."""

from __future__ import annotations

import csv
import random
from itertools import cycle, islice
from pathlib import Path

SPEAKER = "emodb_08"
CALM = ("neutral", "sad")
"""Low activation; boredom would be calm too, but its label *other* is no reading."""


def clips_of(speech_dir: Path, *emotions: str) -> list[Path]:
    """The speaker's clips of these emotions that last long enough to be read, in the manifest's order."""
    with (speech_dir / "manifest.csv").open(newline="") as manifest:
        return [
            speech_dir / row["path"]
            for row in csv.DictReader(manifest)
            if row["speaker"] == SPEAKER and row["emotion"] in emotions and float(row["seconds"]) >= 1.6
        ]


def calm_sessions(speech_dir: Path, sessions: int, turns: int) -> list[list[Path]]:
    """Sessions of calm speech, each in another order; a clip may come again on another day."""
    rng = random.Random(8)
    clips = clips_of(speech_dir, *CALM)
    orders = [rng.sample(clips, len(clips)) for _ in range(sessions)]
    return [list(islice(cycle(order), turns)) for order in orders]


def restless_turns(speech_dir: Path, turns: int) -> list[Path]:
    """Angry and sad by turns: the voice swings as far as this speaker's goes."""
    angry, sad = clips_of(speech_dir, "angry"), clips_of(speech_dir, "sad")
    pairs = zip(cycle(angry), cycle(sad), strict=False)
    return [clip for pair in islice(pairs, turns // 2) for clip in pair]
