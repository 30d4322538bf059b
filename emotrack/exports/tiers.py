"""Formats of tiers on one time axis: ELAN and Praat. One file is one session."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from xml.etree import ElementTree

from emotrack.exports.captions import end_of, one_line, reading_words
from emotrack.exports.rows import About, Line, Sitting
from emotrack.history.models import Speaker

Interval = tuple[int, int, str]
"""Start and end in milliseconds, and what is written there."""

_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def xml_text(text: str) -> str:
    """Without the characters that XML 1.0 cannot hold."""
    return _NOT_XML.sub(" ", text)


def tiers(sitting: Sitting) -> dict[str, list[Interval]]:
    """Name of each tier to its intervals, in order and apart: one that overlaps is cut at the next."""
    found: dict[str, list[Interval]] = {}
    for speaker in Speaker.values:
        lines = [line for line in sitting.lines if line.speaker == speaker]
        if lines:
            found[speaker] = _words(lines, lambda line: one_line(line.text or ""))
            found[f"{speaker} reading"] = _words(lines, reading_words)
            found[f"{speaker} valence"] = _words(
                lines, lambda line: "" if line.valence is None else f"{line.valence:.3f}"
            )
            found[f"{speaker} heard"] = _words(
                lines, lambda line: "; ".join(f"{heard.by}: {heard.label}" for heard in line.heard)
            )
    end = sitting.length_s
    found["alerts"] = apart(
        (a.start_s, end if a.end_s is None else a.end_s, f"{a.severity}: {a.title}") for a in sitting.alerts
    )
    found["notes"] = apart((n.at_s, n.at_s, f"{n.author}: {one_line(n.text)}") for n in sitting.notes)
    return {name: intervals for name, intervals in found.items() if intervals}


def _words(lines: Sequence[Line], said) -> list[Interval]:
    return apart((line.start_s, end_of(line), said(line)) for line in lines if said(line))


def apart(intervals: Iterable[tuple[float, float, str]]) -> list[Interval]:
    """In order of time, each at least a millisecond long, none reaching into the next.

    >>> apart([(0, 4, "a"), (2, 3, "b"), (2, 2, "c")])
    [(0, 2000, 'a'), (2000, 2001, 'b'), (2001, 2002, 'c')]
    """
    placed: list[Interval] = []
    for start, end, said in sorted(intervals, key=lambda i: i[0]):
        start_ms, end_ms = round(1000 * start), round(1000 * end)
        if placed:
            before_start, before_end, before = placed[-1]
            before_end = max(min(before_end, start_ms), before_start + 1)
            placed[-1] = (before_start, before_end, before)
            start_ms = max(start_ms, before_end)
        placed.append((start_ms, max(end_ms, start_ms + 1), said))
    return placed


# --- ELAN -------------------------------------------------------------------------------------------------


def eaf(about: About, sitting: Sitting) -> bytes:
    """An ELAN annotation document, format 3.0, without media: link the recording there."""
    xsi = "http://www.w3.org/2001/XMLSchema-instance"
    ElementTree.register_namespace("xsi", xsi)
    root = ElementTree.Element(
        "ANNOTATION_DOCUMENT",
        {
            "AUTHOR": "EmoTrack",
            "DATE": about.made_at.isoformat(timespec="seconds"),
            "FORMAT": "3.0",
            "VERSION": "3.0",
            f"{{{xsi}}}noNamespaceSchemaLocation": "http://www.mpi.nl/tools/elan/EAFv3.0.xsd",
        },
    )
    header = ElementTree.SubElement(root, "HEADER", MEDIA_FILE="", TIME_UNITS="milliseconds")
    ElementTree.SubElement(header, "PROPERTY", NAME="session").text = sitting.id
    found = tiers(sitting)
    order = ElementTree.SubElement(root, "TIME_ORDER")
    times = sorted(
        {ms for intervals in found.values() for start, end, _said in intervals for ms in (start, end)}
    )
    slots = {ms: f"ts{i}" for i, ms in enumerate(times, 1)}
    for ms, slot in slots.items():
        ElementTree.SubElement(order, "TIME_SLOT", TIME_SLOT_ID=slot, TIME_VALUE=str(ms))
    number = 0
    for name, intervals in found.items():
        tier = ElementTree.SubElement(root, "TIER", LINGUISTIC_TYPE_REF="default-lt", TIER_ID=name)
        for start, end, said in intervals:
            number += 1
            place = {
                "ANNOTATION_ID": f"a{number}",
                "TIME_SLOT_REF1": slots[start],
                "TIME_SLOT_REF2": slots[end],
            }
            annotation = ElementTree.SubElement(tier, "ANNOTATION")
            aligned = ElementTree.SubElement(annotation, "ALIGNABLE_ANNOTATION", place)
            ElementTree.SubElement(aligned, "ANNOTATION_VALUE").text = xml_text(said)
    ElementTree.SubElement(
        root,
        "LINGUISTIC_TYPE",
        GRAPHIC_REFERENCES="false",
        LINGUISTIC_TYPE_ID="default-lt",
        TIME_ALIGNABLE="true",
    )
    return ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)


# --- Praat ------------------------------------------------------------------------------------------------


def textgrid(about: About, sitting: Sitting) -> bytes:
    """A Praat TextGrid in its long text form, UTF-8; every tier covers the whole session."""
    found = tiers(sitting)
    end_ms = max([1, *(intervals[-1][1] for intervals in found.values())])
    rows = [
        'File type = "ooTextFile"',
        'Object class = "TextGrid"',
        "",
        "xmin = 0",
        f"xmax = {_seconds(end_ms)}",
    ]
    rows += ["tiers? <exists>", f"size = {len(found)}", "item []:"]
    for i, (name, intervals) in enumerate(found.items(), 1):
        full = _filled(intervals, end_ms)
        rows += [f"    item [{i}]:", '        class = "IntervalTier"', f"        name = {_quoted(name)}"]
        rows += [
            "        xmin = 0",
            f"        xmax = {_seconds(end_ms)}",
            f"        intervals: size = {len(full)}",
        ]
        for k, (start, end, said) in enumerate(full, 1):
            rows += [f"        intervals [{k}]:", f"            xmin = {_seconds(start)}"]
            rows += [f"            xmax = {_seconds(end)}", f"            text = {_quoted(said)}"]
    return ("\n".join(rows) + "\n").encode()


def _filled(intervals: Sequence[Interval], end_ms: int) -> list[Interval]:
    """With empty intervals between, as Praat wants the whole of a tier."""
    full, at = [], 0
    for start, end, said in intervals:
        if start > at:
            full.append((at, start, ""))
        full.append((start, end, said))
        at = end
    return full + ([(at, end_ms, "")] if at < end_ms else [])


def _seconds(ms: int) -> str:
    return f"{ms / 1000:.3f}"


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'
