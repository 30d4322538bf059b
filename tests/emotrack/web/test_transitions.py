"""What follows what: shares of rows, and words where a row has too few exits."""

import pytest

from analysis.transitions import transitions
from emotrack.web.transition_table import heard_labels, tint, transition_rows

SAD_THEN_CALM = ["sad", "neutral"] * 12 + ["angry", "sad"]


def rows():
    found = transitions(SAD_THEN_CALM)
    columns = heard_labels(found)
    return columns, {row.label: row for row in transition_rows(found, columns)}


def test_only_emotions_that_were_heard_have_a_column():
    assert set(rows()[0]) == {"angry", "neutral", "sad"}


def test_a_row_gives_the_share_of_each_that_follows():
    columns, found = rows()
    shares = dict(zip(columns, [cell.share for cell in found["neutral"].cells], strict=True))
    assert shares == pytest.approx({"angry": 1 / 12, "neutral": 0, "sad": 11 / 12})


def test_a_row_with_few_exits_is_blank_and_says_how_many_are_to_go():
    row = rows()[1]["angry"]
    assert (row.cells, row.exits, row.to_go) == ((), 1, 9)


def test_an_emotion_that_was_never_left_has_no_row():
    found = transitions(["sad"] * 11 + ["happy"])
    assert [row.label for row in transition_rows(found, heard_labels(found))] == ["sad"]


def test_staying_is_marked():
    found = transitions(["sad"] * 12)
    assert [cell.stays for cell in transition_rows(found, ["sad", "happy"])[0].cells] == [True, False]


@pytest.mark.parametrize(("share", "steps"), [(0.0, 0), (0.09, 0), (0.1, 1), (0.3, 2), (0.5, 3), (1.0, 4)])
def test_a_larger_share_is_darker(share, steps):
    assert tint(share) == steps
