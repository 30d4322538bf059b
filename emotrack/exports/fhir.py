"""HL7 FHIR R4: a collection of observations, preliminary until a person heard the same."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from analysis.values import LABELS
from emotrack.exports.rows import About, Line, Sitting

SYSTEM = "urn:emotrack"
ABSENT = "http://terminology.hl7.org/CodeSystem/data-absent-reason"
DISCLAIMER = "A reading describes how a voice may sound, not what a person feels. It is no diagnosis."


def fhir_bundle(about: About, sittings: Iterable[Sitting]) -> Iterator[bytes]:
    """The client under their code, each recognizer as a device, and one observation per reading.

    Abstentions are observations without a value and with the reason. Words and notes are left out.
    """
    head = {"resourceType": "Bundle", "type": "collection", "timestamp": _instant(about.made_at)}
    yield orjson.dumps(head)[:-1] + b',"entry":[' + orjson.dumps(_patient(about))
    devices: set[tuple[str, str]] = set()
    for sitting in sittings:
        for line in sitting.lines:
            if not line.reading:
                continue
            device = (line.recognizer, line.version)
            if line.recognizer and device not in devices:
                devices.add(device)
                yield b"," + orjson.dumps(_device(*device))
            yield b"," + orjson.dumps(_observation(about, sitting, line))
    yield b"]}\n"


def _urn(kind: str, name: str) -> str:
    return f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, f'{SYSTEM}:{kind}:{name}')}"


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _patient(about: About) -> dict[str, Any]:
    identifier = [
        {"system": f"{SYSTEM}:client", "value": about.client},
        {"system": f"{SYSTEM}:code", "value": about.code},
    ]
    resource = {"resourceType": "Patient", "identifier": identifier}
    return {"fullUrl": _urn("client", about.client), "resource": resource}


def _device(name: str, version: str) -> dict[str, Any]:
    resource = {
        "resourceType": "Device",
        "deviceName": [{"name": name, "type": "model-name"}],
        "version": [{"value": version}],
    }
    return {"fullUrl": _urn("recognizer", f"{name}/{version}"), "resource": resource}


def _coded(kind: str, code: str, text: str = "") -> dict[str, Any]:
    return {"coding": [{"system": f"{SYSTEM}:{kind}", "code": code}], "text": text or code}


def _observation(about: About, sitting: Sitting, line: Line) -> dict[str, Any]:
    end = line.at + timedelta(seconds=line.end_s - line.start_s)
    resource = {
        "resourceType": "Observation",
        "identifier": [{"system": f"{SYSTEM}:utterance", "value": line.id}],
        "status": "final" if line.read and line.confirmed else "preliminary",
        "code": _coded("measure", "voice-emotion", "How the voice may sound"),
        "subject": {"reference": _urn("client", about.client)},
        "effectivePeriod": {"start": _instant(line.at), "end": _instant(end)},
        "method": {"text": "speech emotion recognition"},
        "note": [{"text": DISCLAIMER}],
        "extension": [{"url": f"{SYSTEM}:session", "valueString": sitting.id}],
    }
    if line.recognizer:
        resource["device"] = {"reference": _urn("recognizer", f"{line.recognizer}/{line.version}")}
    if line.read:
        resource["valueCodeableConcept"] = _coded("label", line.label, f"may sound {line.label}")
        resource["component"] = _components(line)
    else:
        resource["dataAbsentReason"] = {
            "coding": [{"system": ABSENT, "code": "unknown"}],
            "text": line.reading,
        }
    return {"fullUrl": _urn("utterance", line.id), "resource": resource}


def _components(line: Line) -> list[dict[str, Any]]:
    numbers = {f"share-{label}": share for label, share in zip(LABELS, line.shares, strict=True)}
    places = {"valence": line.valence, "arousal": line.arousal, "dominance": line.dominance}
    numbers |= {name: value for name, value in places.items() if value is not None}
    components = [
        {"code": _coded("measure", name), "valueQuantity": _number(v)} for name, v in numbers.items()
    ]
    return components + [
        {
            "code": _coded("measure", "heard", f"heard by {heard.by}"),
            "valueCodeableConcept": _coded("label", heard.label),
        }
        for heard in line.heard
    ]


def _number(value: float) -> dict[str, Any]:
    return {"value": round(value, 4), "unit": "1", "system": "http://unitsofmeasure.org", "code": "1"}
