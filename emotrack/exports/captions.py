"""Formats of one line per stretch of time: WebVTT, Audacity labels, RTTM. One file is one session."""

from __future__ import annotations

from html import escape

from emotrack.exports.rows import About, Line, Sitting

SHORTEST_S = 0.1
"""Words that were typed have no length; a cue or label needs one."""


def one_line(text: str) -> str:
    """Text on a single line, without control characters."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def reading_words(line: Line) -> str:
    """The label with its share, or why there is none; empty where nothing was read."""
    if line.read:
        return f"may sound {line.label} {line.share:.2f}"
    return f"no reading: {line.reading}" if line.reading else ""


def end_of(line: Line) -> float:
    return max(line.end_s, line.start_s + SHORTEST_S)


def webvtt(about: About, sitting: Sitting) -> bytes:
    """Cues with the speaker as voice, the words, and the reading in brackets (W3C WebVTT)."""
    head = f"WEBVTT - session {sitting.id}\n\nNOTE {about.code}, {sitting.started_at.isoformat()}\n"
    return (head + "".join(_cue(line) for line in sitting.lines)).encode()


def _cue(line: Line) -> str:
    said = escape(one_line(line.text or ""), quote=False)
    reading = escape(reading_words(line), quote=False)
    shown = "\n".join(part for part in (said, f"[{reading}]" if reading else "") if part) or "…"
    return f"\n{line.id}\n{_stamp(line.start_s)} --> {_stamp(end_of(line))}\n<v {line.speaker}>{shown}\n"


def _stamp(seconds: float) -> str:
    ms = round(1000 * seconds)
    return f"{ms // 3_600_000:02d}:{ms // 60_000 % 60:02d}:{ms // 1000 % 60:02d}.{ms % 1000:03d}"


def audacity(about: About, sitting: Sitting) -> bytes:
    """Start, end and label, parted by tabs: a label track of Audacity."""
    rows = []
    for line in sitting.lines:
        said = " | ".join(part for part in (one_line(line.text or ""), reading_words(line)) if part)
        rows.append(f"{line.start_s:.6f}\t{end_of(line):.6f}\t{line.speaker}: {said}\n")
    return "".join(rows).encode()


def rttm(about: About, sitting: Sitting) -> bytes:
    """Who spoke when (NIST Rich Transcription Time Marked); typed words have no time and are left out."""
    rows = [
        f"SPEAKER {sitting.id} 1 {line.start_s:.3f} {line.end_s - line.start_s:.3f} "
        f"<NA> <NA> {line.speaker} <NA> <NA>\n"
        for line in sitting.lines
        if line.end_s > line.start_s
    ]
    return "".join(rows).encode()
