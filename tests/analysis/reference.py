"""Reads the reference cases: inputs and the results that independent programs found for them."""

import csv
import json
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[1] / "reference"


def expected(name: str) -> dict:
    return json.loads((ROOT / "expected" / f"{name}.json").read_text("utf-8"))


def arrays(name: str) -> dict[str, np.ndarray]:
    with np.load(ROOT / "inputs" / f"{name}.npz") as archive:
        return {key: archive[key] for key in archive}


def table(name: str) -> dict[str, np.ndarray]:
    """The columns of a CSV file as float64, an empty cell as NaN."""
    with (ROOT / "inputs" / f"{name}.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    return {key: np.array([float(row[key] or "nan") for row in rows]) for key in rows[0]}


def inputs_json(name: str) -> dict:
    return json.loads((ROOT / "inputs" / f"{name}.json").read_text("utf-8"))


def numbers(values) -> np.ndarray:
    """A JSON list with ``null`` for missing as float64 with NaN."""
    return np.array(values, dtype=np.float64)
