"""Reads the labeled recordings that a manifest lists, as the recognizer would hear them."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from analysis.audio import decode
from analysis.quality import measure, quality_gate, trim
from analysis.values import LABELS, SAMPLE_RATE_HZ, Reading, Waveform


@dataclass(frozen=True, slots=True, eq=False)
class Clip:
    """One labeled recording: silence around the speech is cut; reading: None when its quality passed."""

    name: str
    corpus: str
    speaker: str
    sex: str
    label: str
    waveform: Waveform
    reading: Reading | None


def read(folder: Path, corpus: str, labels: tuple[str, ...] = LABELS, shortest_s: float = 0.5) -> list[Clip]:
    """The clips of one corpus in the order of ``folder/manifest.csv``.

    The manifest has at least the columns path, corpus, speaker, sex, emotion. Clips of less than
    ``shortest_s`` after trimming are left out.
    """
    with (folder / "manifest.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["corpus"] == corpus and row["emotion"] in labels]
    if not rows:
        raise SystemExit(f"{folder / 'manifest.csv'} lists no clip of {corpus}")
    clips = [_clip(folder, row) for row in rows]
    return [clip for clip in clips if len(clip.waveform.samples) >= shortest_s * SAMPLE_RATE_HZ]


def _clip(folder: Path, row: dict[str, str]) -> Clip:
    heard = decode((folder / row["path"]).read_bytes())
    quality = measure(heard.waveform, heard.truncated)
    speech, _ = trim(heard.waveform, quality)
    return Clip(
        row["path"], row["corpus"], row["speaker"], row["sex"], row["emotion"], speech, quality_gate(quality)
    )


def label_index(clips: list[Clip]) -> np.ndarray:
    """(n,) int: position of each clip's label in ``LABELS``."""
    return np.array([LABELS.index(clip.label) for clip in clips])
