"""What a voice assistant may do with a reading: wait, ask again, or reply in a fitting manner."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from analysis.values import LABELS, Reading

FALLBACK_ACTIONS: dict[Reading, str] = {
    Reading.NO_SPEECH: "wait",
    Reading.LOW_QUALITY: "ask_to_repeat",
    Reading.UNKNOWN: "request_clarification",
    Reading.AMBIGUOUS: "offer_choice",
}
"""Each abstention has its own next step."""

LANGUAGES: tuple[str, ...] = ("en", "zh-hans")
DEFAULT_LANGUAGE = "en"

MAX_TEXT = 500
"""Characters; a suggested response is something one says aloud."""

STRATEGY_FIELDS: tuple[str, ...] = ("strategy", "tone", "do", "avoid")

Policy = Mapping[str, Mapping[str, Mapping]]
"""``{language: {"fallbacks": {reading: text}, "strategies": {label: {strategy, tone, do, avoid}}}}``."""

DEFAULT_POLICY: Policy = json.loads((Path(__file__).parent / "response_policy.json").read_text("utf-8"))


class PolicyError(ValueError):
    """A policy that cannot be used.

    problems: (JSON pointer, sentence) for each place that must change.
    """

    def __init__(self, problems: list[tuple[str, str]]) -> None:
        self.problems = problems
        super().__init__("; ".join(f"{pointer}: {sentence}" for pointer, sentence in problems))


@dataclass(frozen=True, slots=True)
class Strategy:
    """How to reply to someone who may sound like ``label``: a manner, never a statement about the person.

    strategy: a stable word for programs (``slow_down``, ``share_joy`` …). tone, do, avoid: phrases for people
    and for the prompt of a language model, in the language asked for.
    """

    label: str
    strategy: str
    tone: str
    do: str
    avoid: str


@dataclass(frozen=True, slots=True)
class Response:
    """The answer to one reading: a fallback with something to say, or a strategy; never both.

    language: the one that was found, which may be another than was asked for.
    """

    fallback_action: str | None
    suggested_response: str | None
    response_strategy: Strategy | None
    language: str

    def as_dict(self) -> dict:
        """The three fields as an API answers them."""
        strategy = None if self.response_strategy is None else asdict(self.response_strategy)
        return {
            "fallback_action": self.fallback_action,
            "suggested_response": self.suggested_response,
            "response_strategy": strategy,
        }


def respond(
    reading: Reading,
    label: str | None,
    language: str | None = DEFAULT_LANGUAGE,
    policy: Policy = DEFAULT_POLICY,
) -> Response:
    """The fallback of an abstention, or the reply strategy of an ok reading's label.

    label: one of the seven affective labels when the reading is ok; otherwise it is not looked at.
    language: a BCP 47 tag; one the policy does not know falls back to English.
    policy: overrides; what it leaves out is taken from ``DEFAULT_POLICY``.

    >>> respond(Reading.NO_SPEECH, None).fallback_action
    'wait'
    >>> respond(Reading.OK, "sad", "zh-CN").language
    'zh-hans'
    """
    found = match_language(language, policy)
    if reading is not Reading.OK:
        text = _entry(policy, found, "fallbacks", reading.value)
        return Response(FALLBACK_ACTIONS[reading], text, None, found)
    if label not in LABELS:
        raise ValueError(f"label: {label!r} is none of the nine labels")
    return Response(None, None, Strategy(label=label, **_entry(policy, found, "strategies", label)), found)


def match_language(language: str | None, policy: Policy = DEFAULT_POLICY) -> str:
    """The policy's language for a BCP 47 tag: the tag itself, else its language, else English.

    Chinese in any form but the traditional scripts is ``zh-hans``.
    """
    tag = (language or DEFAULT_LANGUAGE).lower().replace("_", "-")
    known = {name.lower(): name for name in (*LANGUAGES, *policy)}
    if tag in known:
        return known[tag]
    primary, *rest = tag.split("-")
    if primary == "zh" and not {"hant", "tw", "hk", "mo"} & set(rest):
        return "zh-hans"
    return known.get(primary, DEFAULT_LANGUAGE)


def _entry(policy: Policy, language: str, section: str, name: str):
    for source, tongue in (
        (policy, language),
        (DEFAULT_POLICY, language),
        (DEFAULT_POLICY, DEFAULT_LANGUAGE),
    ):
        entry = source.get(tongue, {}).get(section, {}).get(name)
        if entry is not None:
            return entry
    raise ValueError(f"policy: nothing for {section}/{name}")


def validate_policy(policy: object) -> Policy:
    """The policy itself when it can be used; raises ``PolicyError`` with a pointer to every wrong place.

    A policy may leave anything out. What it holds must be known names and texts of 1..500 characters.
    """
    problems: list[tuple[str, str]] = []
    if not isinstance(policy, Mapping):
        raise PolicyError([("", "must be an object of languages")])
    for language, sections in policy.items():
        _check_language(f"/{language}", sections, problems)
    if problems:
        raise PolicyError(problems)
    return policy


def _check_language(pointer: str, sections: object, problems: list[tuple[str, str]]) -> None:
    known = {"fallbacks": tuple(FALLBACK_ACTIONS), "strategies": LABELS}
    for section, entries in _fields(pointer, sections, tuple(known), problems):
        place = f"{pointer}/{section}"
        for name, entry in _fields(place, entries, known[section], problems):
            if section == "fallbacks":
                _check_text(f"{place}/{name}", entry, problems)
            else:
                _check_strategy(f"{place}/{name}", entry, problems)


def _check_strategy(pointer: str, entry: object, problems: list[tuple[str, str]]) -> None:
    present = _fields(pointer, entry, STRATEGY_FIELDS, problems)
    for name, text in present:
        _check_text(f"{pointer}/{name}", text, problems)
    missing = set(STRATEGY_FIELDS) - {name for name, _text in present}
    problems += [(f"{pointer}/{name}", "is missing") for name in sorted(missing)]


def _fields(
    pointer: str, value: object, known: tuple[str, ...], problems: list[tuple[str, str]]
) -> list[tuple[str, object]]:
    """The known fields of an object; everything else becomes a problem."""
    if not isinstance(value, Mapping):
        problems.append((pointer, "must be an object"))
        return []
    problems += [(f"{pointer}/{name}", "is not known") for name in value if name not in known]
    return [(name, entry) for name, entry in value.items() if name in known]


def _check_text(pointer: str, text: object, problems: list[tuple[str, str]]) -> None:
    if not isinstance(text, str) or not text.strip():
        problems.append((pointer, "must be a text"))
    elif len(text) > MAX_TEXT:
        problems.append((pointer, f"is longer than {MAX_TEXT} characters"))
    elif any(ord(c) < 32 or 0xD800 <= ord(c) <= 0xDFFF for c in text):
        problems.append((pointer, "holds a control character or half a character"))
