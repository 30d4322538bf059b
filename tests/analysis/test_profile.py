"""All figures of one person together, each with what it rests on."""

import numpy as np
import pytest

from analysis.affect import top_label
from analysis.profile import MoodSeries, profile
from analysis.synthetic import story


def mood_of(history):
    rows = [
        (i, turn, None if turn.valence is None else top_label(said.scores))
        for i, session in enumerate(history.sessions)
        for turn, said in zip(
            session.series(), [t for t in session.turns if t.speaker == "client"], strict=True
        )
    ]

    def column(name):
        return np.array([np.nan if getattr(t, name) is None else getattr(t, name) for _, t, _ in rows])

    return MoodSeries(
        times_s=np.array([turn.start_s for _, turn, _ in rows]),
        sessions=np.array([i for i, _, _ in rows]),
        valence=column("valence"),
        arousal=column("arousal"),
        dominance=column("dominance"),
        labels=[label for _, _, label in rows],
    )


@pytest.fixture(scope="module")
def calm():
    return profile(mood_of(story("nothing", seed=1, talk=False)))


@pytest.fixture(scope="module")
def flat():
    return profile(mood_of(story("flat", seed=1, talk=False)))


@pytest.mark.parametrize("dimension", ["valence", "arousal", "dominance"])
def test_a_year_gives_every_figure_of_every_dimension(calm, dimension):
    found = getattr(calm, dimension)
    assert found.headline.sufficient
    assert None not in (
        found.headline.rmssd.value,
        found.tmssd.value,
        found.acute.value,
        found.home.home_share,
    )
    assert found.inertia.carry_over is not None


def test_a_flat_mood_moves_less_leaps_less_and_is_less_mixed(calm, flat):
    assert flat.valence.headline.rmssd.value < calm.valence.headline.rmssd.value
    assert flat.valence.acute.high < calm.valence.acute.low
    assert flat.mix.value < calm.mix.value


def test_coverage_is_the_share_of_turns_with_a_reading(calm):
    assert 0.8 < calm.coverage < 1
    assert calm.valence.headline.coverage == pytest.approx(calm.coverage)
    assert calm.transitions.coverage == pytest.approx(calm.coverage)


def test_every_dimension_is_held_against_its_own_leap():
    mood = mood_of(story("nothing", seed=1, weeks=8, talk=False))
    found = profile(mood, (0.01, 0.3, 1.9))
    assert found.valence.acute.value > 0.9
    assert found.dominance.acute.value == 0


def test_coverage_is_of_labels_where_a_mood_has_no_label():
    mood = MoodSeries(
        np.arange(4.0), np.zeros(4), np.zeros(4), np.zeros(4), np.zeros(4), ["sad", None, None, None]
    )
    assert profile(mood).coverage == 0.25


def test_somebody_new_gets_reasons_and_no_figures():
    none = np.array([])
    found = profile(MoodSeries(none, none, none, none, none, []))
    assert found.coverage is None
    reasons = [found.valence.headline.mean.reason, found.valence.tmssd.reason, found.valence.acute.reason]
    reasons += [
        found.valence.inertia.reason,
        found.valence.home.reason,
        found.mix.reason,
        found.transitions.reason,
    ]
    assert None not in reasons


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"valence": np.zeros(2)}, "profile-shape"),
        ({"times_s": np.array([3.0, 2.0, 1.0])}, "dynamics-order"),
        ({"sessions": np.zeros(2)}, "dynamics-sessions"),
        ({"arousal": np.array([0.0, np.inf, 0.0])}, "dynamics-values"),
    ],
)
def test_columns_that_do_not_fit_are_refused_by_name(change, reason):
    columns = {name: np.zeros(3) for name in ("times_s", "sessions", "valence", "arousal", "dominance")}
    with pytest.raises(ValueError, match=reason):
        MoodSeries(**(columns | change), labels=["sad"] * 3)
