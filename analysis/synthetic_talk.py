"""Plain sentences for invented counseling conversations, sorted by topic and by how they may be said."""

from __future__ import annotations

import numpy as np

TONES: tuple[str, ...] = ("low", "tense", "even", "bright")

COUNSELOR: tuple[str, ...] = (
    "How has the week been for you?",
    "What was that like?",
    "Take your time.",
    "What went through your mind just then?",
    "And what did you do next?",
    "Where do you notice that most?",
    "What would have helped in that moment?",
    "I hear two sides in that.",
    "What would you tell a friend who said that?",
    "How did it end?",
    "Let's stay with that for a moment.",
    "What was different this time?",
    "Who else was there?",
    "Which part matters most to you?",
    "What would a small step look like?",
    "That sounds like a lot to hold at once.",
    "How would you notice that it is getting easier?",
    "When did you last manage that well?",
    "What would you like to take from today?",
    "Shall we look at that from the beginning?",
    "What do you need from the others there?",
    "Could you give me an example?",
    "How long did that last?",
    "What has kept you going?",
)

TOPICS: dict[str, dict[str, tuple[str, ...]]] = {
    "work": {
        "low": (
            "I sat at my desk and nothing got done.",
            "It felt like nobody noticed the work I did.",
            "I used to like that job.",
            "I went home early and just lay on the couch.",
            "Most mornings I don't see the point of the meeting.",
        ),
        "tense": (
            "They moved the deadline again without asking.",
            "I had three people waiting and the phone kept ringing.",
            "He spoke over me twice, in front of everybody.",
            "I keep checking my mail, even at night.",
            "I said yes again when I wanted to say no.",
        ),
        "even": (
            "We have a new plan for the mornings.",
            "I talked to my manager on Tuesday.",
            "The new schedule starts next month.",
            "I wrote the list that we talked about.",
            "It was an ordinary week at the office.",
        ),
        "bright": (
            "The presentation went really well!",
            "She thanked me in front of the whole team.",
            "I left on time four days in a row.",
            "I said no, and it was fine!",
            "For once I was looking forward to Monday.",
        ),
    },
    "sleep": {
        "low": (
            "I wake up tired, whatever I do.",
            "The nights are long.",
            "I slept most of Sunday and it didn't help.",
            "By the afternoon I have nothing left.",
            "I stopped setting the alarm.",
        ),
        "tense": (
            "I lie there and go through the whole day again.",
            "At three I was wide awake, heart going.",
            "I get annoyed at the smallest sound.",
            "I kept looking at the clock.",
            "The more I try, the less I sleep.",
        ),
        "even": (
            "I wrote down when I went to bed, as we said.",
            "It's about six hours, most nights.",
            "I moved the phone to the kitchen.",
            "Some nights are better than others.",
            "I drink tea instead of coffee after lunch.",
        ),
        "bright": (
            "I slept through, two nights in a row!",
            "I woke up before the alarm and felt rested.",
            "The walk in the evening really helps.",
            "I even had a good dream.",
            "It's so much easier when I'm rested.",
        ),
    },
    "family": {
        "low": (
            "We hardly talked at dinner.",
            "My brother hasn't called in weeks.",
            "I miss how it used to be at home.",
            "I didn't go to the birthday in the end.",
            "It's quiet since the kids moved out.",
        ),
        "tense": (
            "My mother had an opinion on everything again.",
            "We argued about the holidays, as usual.",
            "He promised, and then he forgot again.",
            "I always have to be the one who organizes it.",
            "I walked out before it got any louder.",
        ),
        "even": (
            "My sister is visiting on the weekend.",
            "We agreed to talk on Sundays.",
            "The children have a school trip next week.",
            "I told them that I come here.",
            "We split the chores a little differently now.",
        ),
        "bright": (
            "We laughed so much at the table.",
            "My daughter called just to chat!",
            "Dad said he was proud, he never says that.",
            "The weekend together was lovely.",
            "We found a way to talk about it, finally.",
        ),
    },
    "studies": {
        "low": (
            "I opened the book and closed it again.",
            "Everybody else seems to be further along.",
            "I didn't hand in the essay.",
            "I used to be good at this.",
            "I skipped the lecture and stayed in.",
        ),
        "tense": (
            "The exam is in nine days and I have four chapters left.",
            "My group does nothing and I do all of it.",
            "My mind went blank in the seminar.",
            "I can't stop comparing my marks.",
            "They changed the rules in the middle of term.",
        ),
        "even": (
            "I go to the library in the mornings now.",
            "I made a plan for the next two weeks.",
            "The tutor gave me more time.",
            "I study with someone from my course.",
            "It's mostly reading at the moment.",
        ),
        "bright": (
            "I passed! I really passed.",
            "The tutor liked my idea a lot.",
            "I explained it to the others and it worked.",
            "I actually enjoyed writing that one.",
            "I have a topic for my thesis at last!",
        ),
    },
    "friends": {
        "low": (
            "I didn't answer the messages.",
            "I went, but I felt far away from everyone.",
            "They have their own lives now.",
            "I ate by myself most days.",
            "I don't think they missed me.",
        ),
        "tense": (
            "She told the others what I had said in private.",
            "I kept thinking about that one remark.",
            "I worry that I talk too much.",
            "He canceled an hour before, again.",
            "I rehearsed the call ten times.",
        ),
        "even": (
            "I met an old colleague for coffee.",
            "We are planning a trip in spring.",
            "I wrote back to two people.",
            "There is a choir on Thursdays that I might try.",
            "We talked about moving the game night.",
        ),
        "bright": (
            "I called her first, and she was so glad!",
            "We played until midnight, it was great fun.",
            "Somebody saved me a seat.",
            "I told them the truth and they were kind.",
            "I had people over for the first time this year!",
        ),
    },
    "home": {
        "low": (
            "The boxes are still where they were.",
            "I can't make myself tidy up.",
            "The flat feels empty.",
            "I watched the rain for an hour.",
            "I haven't cooked in a while.",
        ),
        "tense": (
            "The neighbors drilled all morning.",
            "The landlord wants an answer by Friday.",
            "I lost my keys and blew up at everyone.",
            "There's always one more bill.",
            "I can't hear myself think in there.",
        ),
        "even": (
            "I cleared one shelf a day.",
            "I go for a walk after lunch.",
            "The plumber came on Wednesday.",
            "I cook on Sundays for three days.",
            "I looked at two other places.",
        ),
        "bright": (
            "The balcony is full of tomatoes!",
            "I painted the room yellow.",
            "It finally feels like my place.",
            "I ran five kilometers without stopping!",
            "The cat sleeps on my feet now.",
        ),
    },
}

LEADS: tuple[str, ...] = (
    "",
    "",
    "",
    "Well, ",
    "I mean, ",
    "And then, ",
    "To be honest, ",
    "I don't know, ",
    "This week, ",
    "You know, ",
)


def tone_of(valence: float, arousal: float) -> str:
    """How a turn at that point of mood may sound, one of ``TONES``."""
    if valence > 0.2:
        return "bright"
    if valence < -0.2:
        return "tense" if arousal > 0.15 else "low"
    return "even"


class Talk:
    """The words of one session: a topic that may change halfway, no line twice before all were said."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        self._topics = [str(name) for name in rng.permutation(list(TOPICS))]
        self._unsaid: dict[tuple[str, str], list[str]] = {}

    def client(self, progress: float, tone: str) -> str:
        """The client's next line. progress: 0..1 through the session."""
        topic = self._topics[0 if progress < 0.5 else 1]
        line = self._next((topic, tone), TOPICS[topic][tone])
        return _joined(LEADS[self._rng.integers(len(LEADS))], line)

    def counselor(self) -> str:
        """The counselor's next line."""
        return self._next(("counselor", ""), COUNSELOR)

    def _next(self, key: tuple[str, str], lines: tuple[str, ...]) -> str:
        unsaid = self._unsaid.setdefault(key, [])
        if not unsaid:
            unsaid.extend(str(line) for line in self._rng.permutation(lines))
        return unsaid.pop()


def _joined(lead: str, line: str) -> str:
    keeps_capital = line.split(" ")[0].rstrip("'") in {"I", "I'm", "Dad", "Tuesday", "Sunday"}
    return lead + (line if not lead or keeps_capital else line[0].lower() + line[1:])
