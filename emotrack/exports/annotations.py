"""W3C Web Annotation (JSON-LD): what the recognizer, people and notes say of each utterance's sound."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import orjson

from emotrack.exports.captions import end_of
from emotrack.exports.rows import About, Heard, Line, Sitting, Written


def web_annotations(about: About, sittings: Iterable[Sitting]) -> Iterator[bytes]:
    """A collection with one page; its targets are the sounds at their own addresses, which need a key."""
    head = {
        "@context": "http://www.w3.org/ns/anno.jsonld",
        "id": f"urn:emotrack:client:{about.client}:annotations",
        "type": "AnnotationCollection",
        "label": f"EmoTrack readings of {about.code}",
        "created": about.made_at,
    }
    page = {"id": f"{head['id']}:1", "type": "AnnotationPage", "startIndex": 0}
    opening = orjson.dumps(page, option=orjson.OPT_UTC_Z)[:-1] + b',"items":['
    yield orjson.dumps(head, option=orjson.OPT_UTC_Z)[:-1] + b',"first":' + opening
    separator = b""
    for sitting in sittings:
        for item in _items(about, sitting):
            yield separator + orjson.dumps(item, option=orjson.OPT_UTC_Z)
            separator = b","
    yield b"]}}\n"


def _items(about: About, sitting: Sitting) -> Iterator[dict[str, Any]]:
    for line in sitting.lines:
        target = _sound(about, line)
        if line.text:
            yield _said(line, target)
        if line.read:
            yield _reading(line, target)
        for heard in line.heard:
            yield _heard(line, heard, target)
    for note in sitting.notes:
        yield _note(sitting, note)


def _sound(about: About, line: Line) -> dict[str, Any]:
    return {
        "source": f"{about.base}api/v1/utterances/{line.id}/audio",
        "selector": {
            "type": "FragmentSelector",
            "conformsTo": "http://www.w3.org/TR/media-frags/",
            "value": f"t=0,{end_of(line) - line.start_s:.3f}",
        },
    }


def _said(line: Line, target: dict[str, Any]) -> dict[str, Any]:
    body = {"type": "TextualBody", "value": line.text, "purpose": "describing", "format": "text/plain"}
    if line.language:
        body["language"] = line.language
    return {
        "id": f"urn:emotrack:utterance:{line.id}:words",
        "type": "Annotation",
        "motivation": "describing",
        "created": line.at,
        "body": body,
        "target": target,
    }


def _reading(line: Line, target: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": f"urn:emotrack:utterance:{line.id}:reading",
        "type": "Annotation",
        "motivation": "classifying",
        "created": line.at,
        "generator": {"type": "Software", "name": f"{line.recognizer} {line.version}"},
        "body": [
            {"type": "TextualBody", "value": line.label, "purpose": "classifying"},
            {"type": "TextualBody", "value": f"may sound {line.label}, share {line.share:.2f}"},
        ],
        "target": target,
    }


def _heard(line: Line, heard: Heard, target: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": f"urn:emotrack:utterance:{line.id}:heard:{heard.by}",
        "type": "Annotation",
        "motivation": "assessing",
        "created": heard.at,
        "creator": {"type": "Person", "nickname": heard.by},
        "body": {"type": "TextualBody", "value": heard.label, "purpose": "classifying"},
        "target": target,
    }


def _note(sitting: Sitting, note: Written) -> dict[str, Any]:
    return {
        "id": f"urn:emotrack:note:{note.id}",
        "type": "Annotation",
        "motivation": "commenting",
        "created": note.at,
        "creator": {"type": "Person", "nickname": note.author},
        "body": {"type": "TextualBody", "value": note.text, "format": "text/plain"},
        "target": f"urn:emotrack:session:{sitting.id}",
    }
