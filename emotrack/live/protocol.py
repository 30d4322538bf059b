"""The messages of ``/ws/listen``: what may be sent, what is answered, how it is closed."""

from __future__ import annotations

from typing import Any

import orjson

from emotrack.api.errors import Problem, problem_of
from emotrack.api.fields import ChoiceField, Fields, LanguageField, MomentField, WholeField, validated
from emotrack.api.strictjson import NotStrict, loads
from emotrack.history.models import Speaker

LARGEST_FRAME = 256 * 1024
LARGEST_TEXT = 16 * 1024
LONGEST_MS = 24 * 3600 * 1000

CLOSE_BAD_CONFIGURATION = 4400
CLOSE_REVOKED = 4401
CLOSE_FORBIDDEN = 4403
CLOSE_NOT_FOUND = 4404
CLOSE_CONFLICT = 4409
CLOSE_TOO_LARGE = 4413
CLOSE_TOO_OFTEN = 4429
CLOSE_BROKEN = 4500
CLOSE_TRY_AGAIN = 4503

_CODES = {
    400: CLOSE_BAD_CONFIGURATION,
    401: CLOSE_REVOKED,
    403: CLOSE_FORBIDDEN,
    404: CLOSE_NOT_FOUND,
    409: CLOSE_CONFLICT,
    410: CLOSE_NOT_FOUND,
    413: CLOSE_TOO_LARGE,
    422: CLOSE_BAD_CONFIGURATION,
    429: CLOSE_TOO_OFTEN,
    500: CLOSE_BROKEN,
}


class SessionUpdate(Fields):
    type = ChoiceField(["session.update"])
    rate = WholeField(required=False, min_value=8000, max_value=192_000, help_text="Hz; 16000 without it.")
    language = LanguageField(required=False, allow_blank=True)
    interval = WholeField(required=False, min_value=0, max_value=60_000, help_text="ms; 0: none.")
    speaker = ChoiceField(Speaker.values, required=False)
    audio_start_ms = WholeField(required=False, min_value=0, max_value=LONGEST_MS)
    started_at = MomentField(required=False)


class SessionClose(Fields):
    type = ChoiceField(["session.close"])


MESSAGES: dict[str, type[Fields]] = {"session.update": SessionUpdate, "session.close": SessionClose}


class BadFrame(Exception):
    """Something that cannot be understood; the session goes on."""


def parsed(text: str) -> dict[str, Any]:
    """A checked message. Raises ``BadFrame`` for what is no message, ``Problem`` for a wrong value in one."""
    try:
        message = loads(text.encode())
    except (NotStrict, UnicodeEncodeError) as error:
        raise BadFrame("Not a JSON message.") from error
    kind = message.get("type") if isinstance(message, dict) else None
    if not isinstance(kind, str) or kind not in MESSAGES:
        raise BadFrame(f"A message has one of these types: {', '.join(MESSAGES)}.")
    return validated(MESSAGES[kind], message)


def written(kind: str, **fields: Any) -> str:
    return orjson.dumps({"type": kind, **fields}, option=orjson.OPT_SERIALIZE_NUMPY).decode()


def problem_for(error: Exception) -> Problem:
    """The problem that an exception is; one that nobody foresaw says nothing about itself."""
    return problem_of(error) or Problem("internal-error", status=500)


def close_code(problem: Problem) -> int:
    return _CODES.get(problem.status, CLOSE_TRY_AGAIN)
