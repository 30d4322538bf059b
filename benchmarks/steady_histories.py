"""Make the steady histories on which the page of a rule counts what chance alone would fire.

    python -m benchmarks.steady_histories [--people 24] [--weeks 104]

Writes emotrack/alerts/tuning/steady.npz: invented people to whom nothing happens (``analysis.synthetic``),
read as the product reads a person.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from pathlib import Path

import numpy as np

from analysis.affect import AFFECTIVE
from analysis.baseline import SessionBaseline, session_baseline
from analysis.dynamics import MIN_PAIRS, pair_differences
from analysis.series import SessionTracker
from analysis.synthetic import story, synthetic_card
from analysis.volatility import WINDOW_PAIRS

FILE = Path("emotrack/alerts/tuning/steady.npz")
PARTS = ("valence", "arousal", "volatility", "window_distance")


def read(plot: str, seed: int, weeks: int) -> dict[str, list]:
    """The sessions of one person of a story and their turns, in lists of equal length each."""
    card, past, kept = synthetic_card(), defaultdict(list), defaultdict(list)
    for session in story(plot, seed, weeks, talk=False).sessions:
        baseline = session_baseline(**{name: past[name][-200:] for name in (*PARTS, "session_valence")})
        tracker = SessionTracker(baseline, card.center, card.typical_distance)
        spoken = [turn for turn in session.turns if turn.speaker == "client"]
        heard = [(turn, said, tracker.add(turn)) for turn, said in zip(session.series(), spoken, strict=True)]
        _keep_turns(kept, heard)
        _keep_session(kept, seed, session, baseline, heard)
        _remember(past, heard)
    return kept


def _keep_turns(kept: dict[str, list], heard: list) -> None:
    for turn, said, mood in heard:
        kept["at"].append(turn.start_s)
        kept["ok"].append(turn.ok)
        kept["pairs"].append(mood.window_pairs)
        kept["label"].append(int(np.argmax(said.scores[AFFECTIVE])) if turn.ok else -1)
        for name in ("volatility_z", "volatility", "level", "level_arousal"):
            value = getattr(mood, name)
            kept[name].append(np.nan if value is None else value)


def _keep_session(kept: dict[str, list], seed: int, session, baseline: SessionBaseline, heard: list) -> None:
    valence = np.array([np.nan if not turn.ok else turn.valence for turn, _said, _mood in heard])
    steps = pair_differences(valence)
    kept["person"].append(seed)
    kept["turns"].append(len(heard))
    kept["starts"].append(session.day * 86_400.0)
    kept["ends"].append(session.day * 86_400.0 + session.duration_s)
    kept["mean"].append(np.nanmean(valence))
    kept["movement"].append(np.sqrt(np.mean(steps**2)) if len(steps) >= MIN_PAIRS else np.nan)
    for part in PARTS:
        usual = getattr(baseline, part)
        kept[f"usual_{part}"].append((usual.n, usual.median or 0.0, usual.mad or 0.0))


def _remember(past: dict[str, list], heard: list) -> None:
    ok = [turn for turn, _said, _mood in heard if turn.ok]
    full = [mood for _turn, _said, mood in heard if mood.window_pairs == WINDOW_PAIRS]
    past["valence"] += [turn.valence for turn in ok]
    past["arousal"] += [turn.arousal for turn in ok]
    past["volatility"] += [mood.volatility for mood in full if mood.volatility is not None]
    past["window_distance"] += [mood.window_distance for mood in full if mood.window_distance is not None]
    past["session_valence"].append(float(np.mean([turn.valence for turn in ok])))


TYPES = {"at": np.float64, "starts": np.float64, "ends": np.float64, "ok": bool, "pairs": np.int8,
         "label": np.int8, "person": np.int16, "turns": np.int16}  # fmt: skip


def arrays(plot: str, seeds: range, weeks: int) -> dict[str, np.ndarray]:
    """Many people, one behind the other."""
    everyone = defaultdict(list)
    for seed in seeds:
        for name, values in read(plot, seed, weeks).items():
            everyone[name] += values
    return {name: np.array(values, TYPES.get(name, np.float32)) for name, values in everyone.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--people", type=int, default=24)
    parser.add_argument("--weeks", type=int, default=104)
    given = parser.parse_args()
    # None of these people is in the sample practice.
    kept = arrays("nothing", range(1000, 1000 + given.people), given.weeks)
    np.savez_compressed(FILE, **kept)
    print(f"{FILE}: {len(kept['at'])} turns, {len(kept['person'])} sessions, {FILE.stat().st_size} bytes")


if __name__ == "__main__":
    main()
