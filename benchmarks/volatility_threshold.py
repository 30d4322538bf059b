"""Prints how often the volatility rule finds planted bursts, and how often it cries out in calm histories.

Run: ``python -m benchmarks.volatility_threshold`` (``--seeds 12`` for narrower figures). Every threshold of
the robust z is judged as the rule does: strictly above it for 3 utterances in a row within a session, a
missing z neither counting nor ending a run. The volatility rule's default is chosen from this table.

Real speech: every speaker of the EMO-DB corpus has 10 sessions of 24 utterances drawn from their neutral, sad
and bored recordings; a burst is 12 utterances in a row that change emotion each time. The embedded recognizer
was trained on that corpus; of its training, volatility uses only how features were standardized.
"""

from __future__ import annotations

import argparse
import csv
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from analysis.affect import calibrate, decide_reading
from analysis.audio import decode
from analysis.baseline import SessionBaseline, usual
from analysis.quality import measure, quality_gate, trim
from analysis.recognition.recognizer import Recognizer
from analysis.series import SessionTracker, Turn, replay
from analysis.synthetic import story, synthetic_card
from analysis.values import Reading, RecognizerCard

THRESHOLDS = np.arange(2.0, 5.01, 0.5)
FOR_UTTERANCES = 3
CALM = ("nothing", "improving", "drift", "jump", "oscillation", "flat")
BURSTING = ("burst", "volatile")

SPOKEN_CALM = ("neutral", "sad", "other")
SPOKEN_SESSIONS = 10
SPOKEN_TURNS = 24
BURST_TURNS = 12


@dataclass(frozen=True)
class History:
    """Sessions of turns, oldest first, and where bursts were planted: (session, first, last)."""

    sessions: list[list[Turn]]
    bursts: tuple[tuple[int, int, int], ...] = ()


def z_values(history: History, card: RecognizerCard) -> list[list[float | None]]:
    """The robust z of every turn, each session against the sessions before it."""
    earlier: list[float] = []
    result = []
    for turns in history.sessions:
        baseline = SessionBaseline(window_distance=usual(earlier))
        values = replay(turns, SessionTracker(baseline, card.center, card.typical_distance))
        earlier += [v.window_distance for v in values if v.window_distance is not None]
        result.append([v.volatility_z for v in values])
    return result


def episodes(z: Iterable[float | None], threshold: float) -> list[int]:
    """Where a run of 3 above the threshold becomes an alert, one for each run."""
    fired, run = [], 0
    for i, value in enumerate(z):
        if value is None:
            continue
        run = run + 1 if value > threshold else 0
        if run == FOR_UTTERANCES:
            fired.append(i)
    return fired


def report(title: str, calm: list[History], bursting: list[History], card: RecognizerCard) -> None:
    calm_z = [z_values(history, card) for history in calm]
    burst_z = [z_values(history, card) for history in bursting]
    judged = sum(v is not None for rows in calm_z for row in rows for v in row)
    sessions = sum(any(v is not None for v in row) for rows in calm_z for row in rows)
    print(f"\n{title}: {judged} calm utterances with a z, in {sessions} sessions")
    print("  z >   bursts found   alerts / 100 calm utterances   calm sessions with an alert")
    for threshold in THRESHOLDS:
        found, planted = hits(bursting, burst_z, threshold)
        alerts = [len(episodes(row, threshold)) for rows in calm_z for row in rows]
        share = sum(count > 0 for count in alerts) / max(sessions, 1)
        rate = 100 * sum(alerts) / max(judged, 1)
        line = f"  {threshold:3.1f}   {found:3d} of {planted:3d} {found / planted:4.0%}"
        print(f"{line}   {rate:28.3f}   {share:27.2%}")


def hits(histories: list[History], z: list[list[list[float | None]]], threshold: float) -> tuple[int, int]:
    """Bursts in which an alert began (up to 2 turns after), and bursts that could be judged at all."""
    found = planted = 0
    for history, rows in zip(histories, z, strict=True):
        for session, first, last in history.bursts:
            if all(value is None for value in rows[session][first : last + 1]):
                continue
            planted += 1
            found += any(first <= i <= last + 2 for i in episodes(rows[session], threshold))
    return found, planted


def invented(names: tuple[str, ...], seeds: int) -> list[History]:
    stories = (story(name, 1000 + seed, talk=False) for name in names for seed in range(seeds))
    return [History([s.series() for s in told.sessions], told.truth.bursts) for told in stories]


def speech_folder() -> Path | None:
    """Where the speech corpora lie, by EMOTRACK_SPEECH_DIR or beside the checkout."""
    beside = Path(__file__).parents[1].parent / "shared" / "data" / "speech"
    folder = Path(os.environ.get("EMOTRACK_SPEECH_DIR") or beside)
    return folder if (folder / "manifest.csv").is_file() else None


@dataclass(frozen=True)
class Clip:
    """One recording as the recognizer heard it."""

    emotion: str
    embedding: np.ndarray
    ok: bool


def heard(folder: Path, recognizer: Recognizer) -> dict[str, list[Clip]]:
    """Every EMO-DB recording, by speaker."""
    speakers: dict[str, list[Clip]] = {}
    with (folder / "manifest.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["corpus"] == "emodb"]
    for row in rows:
        clip = listen((folder / row["path"]).read_bytes(), row["emotion"], recognizer)
        if clip is not None:
            speakers.setdefault(row["speaker"], []).append(clip)
    return speakers


def listen(data: bytes, emotion: str, recognizer: Recognizer) -> Clip | None:
    """The recording's embedding at storage precision and whether it reads; ``None`` without speech."""
    waveform = decode(data).waveform
    quality = measure(waveform)
    gate = quality_gate(quality)
    if gate is Reading.NO_SPEECH or quality.voiced_s < 0.5:
        return None
    (found,) = recognizer.recognize([trim(waveform, quality)[0]])
    reading = decide_reading(calibrate(found.scores, recognizer.card.temperature), gate)
    return Clip(emotion, found.embedding.astype(np.float16).astype(np.float32), reading is Reading.OK)


def spoken(clips: list[Clip], rng: np.random.Generator, burst_sessions: tuple[int, ...]) -> History:
    """One speaker's sessions, calm but for the bursts."""
    calm = [clip for clip in clips if clip.emotion in SPOKEN_CALM]
    sessions, bursts = [], []
    for index in range(SPOKEN_SESSIONS):
        drawn = [calm[i] for i in drawn_without_repeats(len(calm), SPOKEN_TURNS, rng)]
        if index in burst_sessions:
            first = int(rng.integers(4, SPOKEN_TURNS - BURST_TURNS + 1))
            drawn[first : first + BURST_TURNS] = changing(clips, rng)
            bursts.append((index, first, first + BURST_TURNS - 1))
        sessions.append([as_turn(clip, 86_400.0 * 7 * index + 40.0 * k) for k, clip in enumerate(drawn)])
    return History(sessions, tuple(bursts))


def drawn_without_repeats(n: int, count: int, rng: np.random.Generator) -> np.ndarray:
    """Positions below n in random order; all of them once before any twice."""
    rounds = -(-count // n)
    return np.concatenate([rng.permutation(n) for _ in range(rounds)])[:count]


def changing(clips: list[Clip], rng: np.random.Generator) -> list[Clip]:
    """12 recordings, each of another emotion than the one before."""
    result: list[Clip] = []
    for clip in (clips[i] for i in np.concatenate([rng.permutation(len(clips)) for _ in range(8)])):
        if len(result) < BURST_TURNS and (not result or result[-1].emotion != clip.emotion):
            result.append(clip)
    return result


def as_turn(clip: Clip, start_s: float) -> Turn:
    return Turn(start_s, start_s + 4.0, clip.embedding, None, None, None, clip.ok)


def report_speech(folder: Path, recognizer: Recognizer, seeds: int) -> None:
    speakers = list(heard(folder, recognizer).values())
    clips = sum(len(own) for own in speakers)
    print(f"\nReal speech: {len(speakers)} speakers, {clips} recordings")
    for readings_only in (True, False):
        own = [[c if readings_only else Clip(c.emotion, c.embedding, True) for c in s] for s in speakers]
        rng = np.random.default_rng(1)
        calm = [spoken(clips, rng, ()) for clips in own for _ in range(seeds)]
        bursting = [spoken(clips, rng, (6, 8)) for clips in own for _ in range(seeds)]
        title = "readings that are ok" if readings_only else "every recording, as if all were ok"
        report(f"Real speech, {title}", calm, bursting, recognizer.card)


def false_alarms(names: tuple[str, ...], seeds: int, card: RecognizerCard) -> None:
    """One line a story: alerts per 100 calm utterances at each threshold."""
    print("\nalerts / 100 calm utterances" + "".join(f"  z>{t:3.1f}" for t in THRESHOLDS))
    for name in names:
        rows = [row for history in invented((name,), seeds) for row in z_values(history, card)]
        judged = sum(v is not None for row in rows for v in row)
        rates = [100 * sum(len(episodes(row, t)) for row in rows) / judged for t in THRESHOLDS]
        print(f"  {name:26s}" + "".join(f"  {rate:5.3f}" for rate in rates))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=6, help="invented people per story, orders per speaker")
    seeds = parser.parse_args().seeds
    card = synthetic_card()
    report("Invented histories", invented(CALM, seeds), invented(BURSTING, seeds), card)
    false_alarms(CALM, seeds, card)
    folder = speech_folder()
    if folder is None:
        print("\nReal speech: left out, EMOTRACK_SPEECH_DIR names no folder with a manifest.csv")
        return
    from analysis.recognition.acoustic import AcousticRecognizer

    report_speech(folder, AcousticRecognizer(), seeds)


if __name__ == "__main__":
    main()
