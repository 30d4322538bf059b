"""The sample conversation that is shipped: complete, small, labeled, and with an arc that can be heard."""

import av
import numpy as np
import pytest

from emotrack.sample.conversation import HERE, load

CONVERSATION = load()
CLIENT_TURNS = [turn for turn in CONVERSATION.turns if turn.speaker == "client"]


def heard(turn) -> tuple[np.ndarray, int]:
    """The turn's samples, mono, and their rate in Hz."""
    with av.open(str(turn.audio)) as container:
        frames = [frame.to_ndarray().ravel() for frame in container.decode(audio=0)]
        return np.concatenate(frames), container.streams.audio[0].rate


def level(turns) -> float:
    return float(np.sqrt(np.mean(np.concatenate([heard(turn)[0] for turn in turns]) ** 2)))


def test_counselor_and_client_take_turns():
    speakers = [turn.speaker for turn in CONVERSATION.turns]
    assert speakers == ["counselor", "client"] * (len(speakers) // 2)
    assert len(speakers) >= 20


@pytest.mark.parametrize("turn", CONVERSATION.turns, ids=lambda turn: turn.audio.name)
def test_a_turn_lasts_as_long_as_the_script_says(turn):
    samples, rate_hz = heard(turn)
    assert samples.size / rate_hz == pytest.approx(turn.duration_s, abs=0.05)


def test_turns_do_not_overlap():
    for earlier, later in zip(CONVERSATION.turns, CONVERSATION.turns[1:], strict=False):
        assert later.start_s > earlier.start_s + earlier.duration_s


def test_every_turn_of_the_client_is_long_enough_to_be_read():
    assert min(turn.duration_s for turn in CLIENT_TURNS) >= 1.8


def test_the_audio_stays_small():
    files = list((HERE / "audio").iterdir())
    assert set(files) == {turn.audio for turn in CONVERSATION.turns}
    assert sum(file.stat().st_size for file in files) < 600_000


def test_the_arc_goes_from_calm_through_tense_back_to_calm():
    third = len(CLIENT_TURNS) // 3
    begin, middle, end = CLIENT_TURNS[:third], CLIENT_TURNS[third : 2 * third], CLIENT_TURNS[2 * third :]
    assert level(middle) > 1.2 * level(begin)
    assert level(middle) > 1.2 * level(end)


def test_it_says_that_no_person_spoke():
    assert "No person said this" in CONVERSATION.synthetic
    assert "Synthetic" in (HERE / "README.md").read_text(encoding="utf-8")
