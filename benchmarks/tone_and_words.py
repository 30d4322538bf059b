"""How often tone and words are called different when they have nothing to do with each other, or agree.

python -m benchmarks.tone_and_words --speech DIR --goemotions DIR

No speech here is labeled for both, so clips and comments whose readings are ok are paired: at random (what
chance calls different) and within one label (what should hardly ever be called so).
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from analysis.affect import calibrate, decide_reading
from analysis.recognition.acoustic import AcousticRecognizer
from analysis.recognition.acoustic.corpus import read as read_clips
from analysis.recognition.fusion import CONFLICT_DISTANCE, fuse, opposed
from analysis.recognition.words import WordRecognizer
from analysis.recognition.words.corpus import read as read_comments
from analysis.values import LABELS, Reading

PAIRS = 5000


def tones(folder: Path, corpus: str) -> list[tuple[str, np.ndarray]]:
    """True label and calibrated scores of each clip whose reading is ok."""
    recognizer = AcousticRecognizer()
    found = []
    for clip in read_clips(folder, corpus):
        scores = calibrate(recognizer.recognize([clip.waveform])[0].scores, recognizer.card.temperature)
        if decide_reading(scores, clip.reading) == Reading.OK:
            found.append((clip.label, scores))
    return found


def words(folder: Path) -> list[tuple[str, np.ndarray]]:
    recognizer = WordRecognizer()
    comments = read_comments(folder, "test").only_certain()
    found = []
    for text, truth in zip(comments.texts, comments.truth, strict=True):
        said = recognizer.read(text)
        if said.reading == Reading.OK:
            found.append((LABELS[truth], calibrate(said.scores, recognizer.card.temperature)))
    return found


def shares(pairs: list[tuple[np.ndarray, np.ndarray]]) -> str:
    fused = [fuse(tone, said) for tone, said in pairs]
    far = np.mean([f.distance > CONFLICT_DISTANCE for f in fused])
    against = np.mean([opposed(f.valence_audio, f.valence_text) for f in fused])
    return (
        f"apart {far:6.1%}   opposed {against:6.1%}   either {np.mean([f.incongruent for f in fused]):6.1%}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--speech", type=Path, required=True)
    parser.add_argument("--goemotions", type=Path, required=True)
    parser.add_argument("--corpus", default="emodb")
    options = parser.parse_args()
    heard, said = tones(options.speech, options.corpus), words(options.goemotions)
    rng = np.random.default_rng(0)
    at_random = [
        (heard[i][1], said[j][1])
        for i, j in zip(
            rng.integers(len(heard), size=PAIRS), rng.integers(len(said), size=PAIRS), strict=True
        )
    ]
    print(f"{options.corpus}, {len(heard)} clips and {len(said)} comments with a reading")
    print(f"at random        {shares(at_random)}")
    for label in LABELS:
        voices, comments = ([s for name, s in rows if name == label] for rows in (heard, said))
        if voices and comments:
            alike = [
                (voices[rng.integers(len(voices))], comments[rng.integers(len(comments))])
                for _ in range(1000)
            ]
            print(f"both {label:<11} {shares(alike)}")


if __name__ == "__main__":
    main()
