"""Alice's client Ann with two sessions, in which everything happens that a file must bear."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import pytest

from emotrack.accounts.models import User
from emotrack.exports.formats import FORMATS, client_export, session_export
from emotrack.exports.rows import About
from emotrack.history import remarks
from emotrack.history.models import Client, Session, Utterance
from emotrack.mood import actions as mood
from tests.emotrack import factories

FORMULA = '=HYPERLINK("http://evil.example","click")'
ODD = 'She said "no" & left.\n\n-->\x0b </v> 你好\ttab'


@dataclass(frozen=True)
class Story:
    alice: User
    ann: Client
    session: Session
    later: Session
    turns: list[Utterance]

    def about(self, *, notes: bool = False) -> About:
        return About(self.ann.public_id, self.ann.code, factories.NOW, "https://emo.example/", notes=notes)

    def file(self, slug: str, *, notes: bool = False) -> bytes:
        """One session in that format."""
        session = Session.objects.select_related("client").get(pk=self.session.pk)
        return b"".join(session_export(session, FORMATS[slug], self.about(notes=notes)).parts)

    def files(self, slug: str, *, notes: bool = False) -> bytes:
        """All of the client."""
        client = Client.objects.get(pk=self.ann.pk)
        return b"".join(client_export(client, FORMATS[slug], self.about(notes=notes)).parts)


@pytest.fixture
def story(db) -> Story:
    alice = factories.counselor("alice")
    ann = factories.client("Ann Secretname", assigned_to=alice)
    first = factories.session(ann)
    later = factories.session(ann, factories.NOW + timedelta(days=7))
    rng = np.random.default_rng(1)

    def say(session: Session, second: float, **fields: object) -> Utterance:
        vector = rng.normal(size=8) if fields.get("speaker", "client") == "client" else None
        at = session.started_at + timedelta(seconds=second)
        made = factories.utterance(session, at, embedding=vector, **fields)
        mood.refresh(made)
        return made

    turns = [
        say(first, 0, shares=factories.scores(sad=0.7), text=FORMULA, seconds=4),
        say(first, 2, shares=factories.scores(happy=0.6), text="Overlaps the first.", seconds=4),
        say(first, 10, speaker="counselor", text=ODD, seconds=3),
        say(first, 20, reading="low_quality", text="", seconds=2),
        say(first, 30, speaker="other", text="typed", seconds=0),
        say(later, 0, shares=factories.scores(angry=0.5), text="@later", seconds=1.5, language="de"),
    ]
    remarks.correct(utterance=turns[0], label="sad", by=alice, now=factories.NOW)
    remarks.correct(utterance=turns[1], label="surprised", by=alice, now=factories.NOW)
    at = first.started_at + timedelta(seconds=12)
    remarks.write_note(client=ann, session=first, text="Private thought", by=alice, now=factories.NOW, at=at)
    remarks.write_note(client=ann, text="On the whole", by=alice, now=factories.NOW)
    return Story(alice, ann, first, later, turns)
