"""CSV, one line per utterance, and JSON with everything."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import Any

import orjson

from analysis.values import LABELS
from emotrack.exports.rows import About, Line, Sitting

FORMULA_STARTS = tuple("=+-@\t\r\n＝＋－＠")
"""A spreadsheet may run a cell that begins so; a quote before it makes it text (OWASP, CSV injection)."""

COLUMNS = (
    "session", "session_started_at", "utterance", "speaker", "occurred_at", "start_s", "end_s", "language",
    "text", "status", "reading", "emotion", "confidence", *(f"share_{label}" for label in LABELS), "valence",
    "arousal", "dominance", "level", "volatility", "volatility_z", "source", "recognizer",
    "recognizer_version", "heard", "words_reading", "words_emotion", "words_confidence", "words_valence",
    "incongruent",
)  # fmt: skip

_OPTIONS = orjson.OPT_UTC_Z


def plain_cell(text: str) -> str:
    """Text that no spreadsheet takes for a formula.

    >>> plain_cell("=1+1"), plain_cell("so-so")
    ("'=1+1", 'so-so')
    """
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def csv_bytes(about: About, sittings: Iterable[Sitting]) -> Iterator[bytes]:
    """UTF-8 with a byte order mark, without which spreadsheets misread what is not ASCII; CRLF (RFC 4180)."""
    yield b"\xef\xbb\xbf" + _csv_lines([COLUMNS])
    for sitting in sittings:
        if sitting.lines:
            yield _csv_lines(_cells(sitting, line) for line in sitting.lines)


def _csv_lines(rows: Iterable[Iterable[Any]]) -> bytes:
    into = io.StringIO()
    writer = csv.writer(into)
    for row in rows:
        writer.writerow([plain_cell(cell) if isinstance(cell, str) else cell for cell in row])
    return into.getvalue().encode()


def _cells(sitting: Sitting, line: Line) -> list[Any]:
    heard = "; ".join(f"{heard.by}: {heard.label}" for heard in line.heard)
    return [
        sitting.id, sitting.started_at.isoformat(), line.id, line.speaker, line.at.isoformat(),
        round(line.start_s, 3), round(line.end_s, 3), line.language, line.text or "",
        line.status, line.reading, line.label, line.share, *(line.shares or (None,) * len(LABELS)),
        line.valence, line.arousal, line.dominance, line.level, line.volatility, line.volatility_z,
        line.source, line.recognizer, line.version, heard, line.words_reading, line.words_label,
        line.words_share, line.words_valence, line.incongruent,
    ]  # fmt: skip


def json_bytes(about: About, sittings: Iterable[Sitting]) -> Iterator[bytes]:
    """One object; sessions follow one another as they are read."""
    head = {
        "format": "emotrack-export",
        "version": 1,
        "made_at": about.made_at,
        "client": {"id": about.client, "code": about.code},
        "labels": LABELS,
        "about": "A reading describes how a voice may sound, not what a person feels.",
    }
    if about.notes:
        head["notes"] = [asdict(note) for note in about.unpinned]
    yield orjson.dumps(head, option=_OPTIONS)[:-1] + b',"sessions":['
    for i, sitting in enumerate(sittings):
        yield (b"," if i else b"") + orjson.dumps(_session(about, sitting), option=_OPTIONS)
    yield b"]}\n"


def _session(about: About, sitting: Sitting) -> dict[str, Any]:
    said = {
        "id": sitting.id,
        "started_at": sitting.started_at,
        "ended_at": sitting.ended_at,
        "utterances": [_utterance(line) for line in sitting.lines],
        "alerts": [asdict(alert) for alert in sitting.alerts],
    }
    if about.notes:
        said["notes"] = [asdict(note) for note in sitting.notes]
    return said


def _utterance(line: Line) -> dict[str, Any]:
    said = asdict(line)
    for shares, scores in (("shares", "scores"), ("words_shares", "words_scores")):
        nine = said.pop(shares)
        said[scores] = None if nine is None else dict(zip(LABELS, nine, strict=True))
    return said
