"""A transcript becomes words, and words become the features that the model weighs.

Punctuation and capitals are left out: in a transcript they are the transcriber's, not the speaker's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

LONGEST = 4000
"""Words that are looked at; what an utterance says after an hour of speech is not needed to read it."""

NEGATED_WORDS = 3
"""How many words after a negation are marked as negated (Das & Chen 2001, cut short for speech)."""

_TOKEN = re.compile(
    r"[^\W\d_]+(?:['’][^\W\d_]+)*|[\U0001F300-\U0001FAFF\u2600-\u27BF]|(?P<stop>[.,;:!?…。！？，；\n]+)"
)
_NEGATION = re.compile(r"(?:not|no|never|cannot|nobody|nothing|hardly|without|.*n't)")
_DRAWN_OUT = re.compile(r"(.)\1{2,}")
_PLACEHOLDER = re.compile(r"\[(?:NAME|RELIGION)\]")


@dataclass(frozen=True, slots=True)
class Token:
    """One word or pictograph. start, end: where it stands in the text; word: as the model knows it."""

    word: str
    start: int
    end: int

    @property
    def is_word(self) -> bool:
        return self.word[0].isalpha()


@dataclass(frozen=True, slots=True)
class Feature:
    """A word, two words in a row, or a negated word. tokens: positions of the words it is made of."""

    name: str
    tokens: tuple[int, ...]


def phrases(text: str) -> list[list[Token]]:
    """The words of a text, split where punctuation stands; the first ``LONGEST`` of them."""
    # Published comments hide names; a placeholder of the same length keeps the places of all other words.
    text = _PLACEHOLDER.sub(lambda found: " " * len(found[0]), text)
    found: list[list[Token]] = [[]]
    count = 0
    for match in _TOKEN.finditer(text):
        if match["stop"]:
            found.append([])
            continue
        if count == LONGEST:
            break
        found[-1].append(Token(_plain(match[0]), match.start(), match.end()))
        count += 1
    return [phrase for phrase in found if phrase]


def _plain(word: str) -> str:
    return _DRAWN_OUT.sub(r"\1\1", word.lower().replace("’", "'"))


def features(text_phrases: Sequence[Sequence[Token]]) -> Iterator[Feature]:
    """Words, pairs within a phrase, and words that follow a negation within a phrase.

    >>> [f.name for f in features(phrases("I am not happy. Yes"))]
    ['i', 'am', 'i am', 'not', 'am not', 'happy', 'not happy', 'not_happy', 'yes']
    """
    place = 0
    for phrase in text_phrases:
        negation, negated = 0, 0
        for i, token in enumerate(phrase):
            yield Feature(token.word, (place,))
            if i:
                yield Feature(f"{phrase[i - 1].word} {token.word}", (place - 1, place))
            if negated:
                yield Feature(f"not_{token.word}", (negation, place))
                negated -= 1
            if _NEGATION.fullmatch(token.word):
                negation, negated = place, NEGATED_WORDS
            place += 1
