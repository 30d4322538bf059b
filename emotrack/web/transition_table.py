"""What follows what: for each emotion, the share of next turns that sound like each of the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from analysis.affect import AFFECT_LABELS
from analysis.transitions import MIN_EXITS, Transitions

TINTS = (0.10, 0.25, 0.40, 0.55)
"""Shares from which on a cell is one step darker."""


@dataclass(frozen=True, slots=True)
class Cell:
    """share: of the exits of its row, 0..1. tint: 0 (lightest) to 4. stays: the same emotion goes on."""

    share: float
    tint: int
    stays: bool

    @property
    def percent(self) -> int:
        return round(100 * self.share)


@dataclass(frozen=True, slots=True)
class Row:
    """What follows one emotion; no cells with fewer than 10 exits. to_go: exits that are missing, else 0."""

    label: str
    exits: int
    cells: tuple[Cell, ...]
    to_go: int


def transition_rows(found: Transitions, columns: Sequence[str]) -> list[Row]:
    """A row for each label that was ever left, in the order of the columns."""
    rows = [_row(found, label, columns) for label in columns]
    return [row for row in rows if row.exits]


def heard_labels(found: Transitions) -> list[str]:
    """The labels that follow or are followed by something, in the order of ``AFFECT_LABELS``."""
    seen = found.counts.sum(axis=0) + found.exits
    return [label for label, n in zip(AFFECT_LABELS, seen, strict=True) if n]


def _row(found: Transitions, label: str, columns: Sequence[str]) -> Row:
    place = AFFECT_LABELS.index(label)
    exits = int(found.exits[place])
    if exits < MIN_EXITS:
        return Row(label, exits, (), MIN_EXITS - exits)
    shares = [float(found.shares[place, AFFECT_LABELS.index(other)]) for other in columns]
    return Row(
        label, exits, tuple(Cell(s, tint(s), o == label) for s, o in zip(shares, columns, strict=True)), 0
    )


def tint(share: float) -> int:
    """How many of the steps a share reaches."""
    return sum(share >= least for least in TINTS)
