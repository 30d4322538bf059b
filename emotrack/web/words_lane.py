"""What the words say, for the session page: a lane beside the tone, and a line in the transcript."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from analysis.affect import calibrate, project
from emotrack.history.models import Utterance, WordsReadingState
from emotrack.pipeline.words import telling_words
from emotrack.web.timeline import Said, clock
from emotrack.web.words import EMOTIONS, percent, strongest

NOT_READ: dict[str, Promise] = {
    WordsReadingState.UNKNOWN: gettext_lazy("The words fit no label."),
    WordsReadingState.AMBIGUOUS: gettext_lazy("The words are mixed: no label stands out."),
    WordsReadingState.TOO_FEW_WORDS: gettext_lazy("Too few words to read."),
    WordsReadingState.OTHER_LANGUAGE: gettext_lazy("These words are not in English; only English is read."),
}


@dataclass(frozen=True, slots=True)
class WordsLine:
    """What the words of one utterance say. label, share, valence: empty or ``None`` where they abstain.

    reason: why they do. telling: gives the words that made the label, strongest first; they are content.
    alone: whether nothing else was read of the utterance. apart: whether the tone is of the other sign.
    """

    label: str
    share: float | None
    valence: float | None
    reason: str
    telling: Callable[[], Sequence[str]]
    alone: bool
    apart: bool = False


def words_line(utterance: Utterance, *, may_read: bool) -> WordsLine | None:
    """``None`` where no words were read. Needs ``words_recognizer``; the text only if ``may_read``."""
    if utterance.words_recognizer is None:
        return None
    telling = partial(_telling, utterance) if may_read else tuple
    if utterance.words_reading != WordsReadingState.OK:
        reason = str(NOT_READ[utterance.words_reading])
        return WordsLine("", None, None, reason, tuple, utterance.words_alone)
    shares = calibrate(utterance.words_scores, utterance.words_recognizer.temperature)
    return WordsLine(
        strongest(shares),
        float(shares.max()),
        project(shares).valence,
        "",
        telling,
        utterance.words_alone,
        utterance.incongruent is True,
    )


def _telling(utterance: Utterance) -> list[str]:
    return [push.word for push in telling_words(utterance, most=3)]


def in_short(line: WordsLine) -> str:
    """The label with its share, or why there is none."""
    if line.reason:
        return line.reason
    said = {"label": EMOTIONS[line.label], "share": percent(line.share)}
    return _("words may say %(label)s %(share)s") % said


def lane(
    started_at: datetime,
    utterances: Iterable[Utterance],
    lines: dict[int, WordsLine],
    with_turn: Collection[int],
) -> list[Said]:
    """The cells of the words' lane. with_turn: primary keys of those that have a turn, whose hover tells."""
    return [
        _said(started_at, utterance, lines[utterance.pk], alone=utterance.pk not in with_turn)
        for utterance in utterances
        if utterance.pk in lines
    ]


def _said(started_at: datetime, utterance: Utterance, line: WordsLine, *, alone: bool) -> Said:
    at_s = (utterance.occurred_at - started_at).total_seconds()
    return Said(
        at_s=at_s,
        end_s=at_s + max(utterance.duration_ms / 1000, 0.5),
        id=utterance.public_id,
        valence=line.valence,
        apart=line.apart,
        hover=f"{clock(at_s)}  {in_short(line)}" if alone else "",
    )
