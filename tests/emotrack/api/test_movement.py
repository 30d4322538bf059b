"""What is answered about moods that moved, patterns that recur, and utterances that sound alike."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from django.utils import timezone

from analysis.profile import MoodSeries, profile
from emotrack.mood import actions as mood
from emotrack.mood import patterns
from emotrack.mood.models import MoodPoint
from emotrack.mood.movement import Resolution, Span, mood_rows
from tests.emotrack import factories
from tests.emotrack.api.conftest import Api
from tests.emotrack.api.posting import problem

pytestmark = pytest.mark.django_db

STYLES = np.random.default_rng(5).normal(size=(2, 24)) * 2
LABELS = ("happy", "sad")
START = datetime(2026, 1, 5, 23, 0, tzinfo=UTC)


def say(session, styles, start=START, refreshed=True) -> list:
    """Utterances every quarter of an hour, each in one of two styles; ``None`` for an abstention."""
    rng, made = np.random.default_rng(3), []
    for turn, style in enumerate(styles):
        shares = factories.scores(**({"unknown": 0.9} if style is None else {LABELS[style]: 0.7}))
        utterance = factories.utterance(
            session,
            start + timedelta(minutes=15 * turn),
            shares=shares,
            embedding=STYLES[style or 0] + rng.normal(size=24) * 0.3,
            by=factories.recognizer(dimension=24),
        )
        made.append(utterance)
    if refreshed:
        factories.brought_in(made)
    return made


@pytest.fixture
def path(house) -> str:
    return f"clients/{house.ann.public_id}"


# --- Mood -------------------------------------------------------------------------------------------------


def test_mood_by_utterance_keeps_gaps(api, house, path):
    said = say(house.session, [0, None, 1])
    body = api.get(f"{path}/mood?resolution=utterance").json()
    points = body["points"]
    assert [p["utterance"] for p in points] == [u.public_id for u in said]
    assert [p["valid"] for p in points] == [1, 0, 1]
    assert points[0]["valence"] > 0 > points[2]["valence"]
    assert points[1]["valence"] is None
    assert body["coverage"] == pytest.approx(2 / 3)


def test_mood_by_session_is_the_mean_of_its_readings(api, house, path):
    say(house.session, [0, 0, None, 1])
    later = factories.session(house.ann, START + timedelta(days=7))
    say(later, [1, 1], START + timedelta(days=7))
    body = api.get(f"{path}/mood").json()
    single = api.get(f"{path}/mood?resolution=utterance").json()["points"]
    values = [p["valence"] for p in single[:4] if p["valence"] is not None]
    first, second = body["points"]
    assert (first["session"], second["session"]) == (house.session.public_id, later.public_id)
    assert first["valence"] == pytest.approx(np.mean(values))
    assert (first["utterances"], first["valid"], first["coverage"]) == (4, 3, 0.75)


@pytest.mark.parametrize(("zone", "days"), [("UTC", [4, 4]), ("Asia/Shanghai", [8])])
def test_mood_by_day_parts_at_midnight_of_the_installation(api, house, path, settings, zone, days):
    settings.TIME_ZONE = zone
    say(house.session, [0] * 4 + [1] * 4)
    points = api.get(f"{path}/mood?resolution=day").json()["points"]
    assert [p["utterances"] for p in points] == days
    assert {p["session"] for p in points} == {None}


def test_days_are_the_installations_wherever_the_reader_is(house):
    say(house.session, [0] * 4 + [1] * 4)
    with timezone.override("Asia/Shanghai"):
        rows = mood_rows(house.ann, factories.recognizer(), Span(), Resolution.DAY)
    assert [row["utterances"] for row in rows] == [4, 4]


def test_a_span_takes_its_start_and_leaves_its_end(api, house, path):
    said = say(house.session, [0] * 5)
    after, before = (f"{said[i].occurred_at:%Y-%m-%dT%H:%M:%SZ}" for i in (1, 3))
    body = api.get(f"{path}/mood?resolution=utterance&after={after}&before={before}").json()
    assert [p["utterance"] for p in body["points"]] == [u.public_id for u in said[1:3]]


def test_a_long_mood_is_thinned_and_keeps_its_extreme(api, house, path):
    say(house.session, [0] * 40)
    low = say(house.session, [1], START + timedelta(hours=5, minutes=5))[0]
    body = api.get(f"{path}/mood?resolution=utterance&max_points=10").json()
    assert (len(body["points"]), body["points_total"]) == (10, 41)
    assert low.public_id in [p["utterance"] for p in body["points"]]


def test_series_are_never_mixed(api, house, path):
    say(house.session, [0] * 3)
    mood.refresh(factories.utterance(house.session, by=factories.recognizer("2")))
    for version, count in (("1", 3), ("2", 1)):
        body = api.get(f"{path}/mood?resolution=utterance&recognizer=planted&version={version}").json()
        assert (body["series"]["version"], body["points_total"]) == (version, count)


def test_nothing_said_is_an_empty_answer_everywhere(api, path):
    assert api.get(f"{path}/mood").json()["points"] == []
    assert api.get(f"{path}/dynamics").json()["windows"] == []
    clusters = api.get(f"{path}/clusters").json()
    assert (clusters["state"], clusters["clusters"]) == ("not_looked_yet", [])


# --- Dynamics ---------------------------------------------------------------------------------------------


def test_dynamics_are_those_of_the_analysis(api, house, path):
    rng = np.random.default_rng(0)
    say(house.session, [None if x > 0.9 else int(x > 0.4) for x in rng.random(40)])
    points = MoodPoint.objects.order_by("occurred_at")
    columns = [
        np.array([np.nan if x is None else x for x in points.values_list(name, flat=True)])
        for name in ("valence", "arousal", "dominance")
    ]
    labels = [None if np.isnan(v) else LABELS[int(v < 0)] for v in columns[0]]
    at = np.array([t.timestamp() for t in points.values_list("occurred_at", flat=True)])
    expected = profile(MoodSeries(at, np.zeros(40), *columns, labels=labels))
    window = api.get(f"{path}/dynamics").json()["windows"][0]
    assert window["valence"]["rmssd"]["value"] == pytest.approx(expected.valence.headline.rmssd.value)
    assert window["arousal"]["acute_changes"]["n"] == expected.arousal.acute.n
    assert window["mix"]["value"] == pytest.approx(expected.mix.value)
    assert window["transitions"]["counts"] == expected.transitions.counts.tolist()
    assert window["valence"]["home"]["reason"] == "home_base_forming"
    assert (window["utterances"], window["sufficient"]) == (40, True)


def test_too_little_has_reasons_instead_of_numbers(api, house, path):
    say(house.session, [0, 1])
    body = api.get(f"{path}/dynamics").json()
    assert body["windows"][0]["valence"]["mean"] == {"value": None, "n": 2, "reason": "too_few_values"}
    assert body["trend"]["reason"] == "too_few_sessions"


def test_too_few_readings_are_called_insufficient(api, house, path):
    say(house.session, [0, 0, 0, None, None, None])
    window = api.get(f"{path}/dynamics").json()["windows"][0]
    assert (window["coverage"], window["sufficient"]) == (0.5, False)


def test_windows_follow_one_another_and_empty_ones_are_left_out(api, house, path):
    for week, styles in ((0, [0] * 5), (1, [1] * 4), (3, [0] * 3)):
        at = START + timedelta(weeks=week)
        say(factories.session(house.ann, at), styles, at)
    windows = api.get(f"{path}/dynamics?window_days=7").json()["windows"]
    assert [w["utterances"] for w in windows] == [5, 4, 3]
    assert windows[0]["before"] == windows[1]["after"]
    assert [w["valence"]["mean"]["value"] > 0 for w in windows] == [True, False, True]


@pytest.mark.parametrize(
    ("rest", "status", "slug"),
    [
        ("mood?resolution=week", 422, "not-a-choice"),
        ("mood?max_points=9", 422, "out-of-range"),
        ("mood?after=yesterday", 422, "timestamp-invalid"),
        ("dynamics?window_days=1", 422, "out-of-range"),
        ("clusters?include=all", 422, "not-a-choice"),
        ("similar", 422, "missing-field"),
        ("similar?to=x&count=101", 422, "out-of-range"),
        ("similar?to=x&across=1", 400, "unknown-parameter"),
    ],
)
def test_a_bad_question_names_its_parameter(api, path, rest, status, slug):
    problem(api.get(f"{path}/{rest}"), status, slug)


# --- Clusters ---------------------------------------------------------------------------------------------


@pytest.fixture
def styled(house) -> list:
    """Sixty utterances of two styles, with their patterns."""
    said = say(house.session, [0, 1] * 30, refreshed=False)
    mood.rebuild(house.ann)
    patterns.look_again(now=factories.NOW)
    return said


def test_two_styles_are_told_with_labels_shares_and_typical_utterances(api, path, styled):
    body = api.get(f"{path}/clusters").json()
    assert (body["state"], body["reason"], body["utterances"]) == ("found", None, 60)
    found = {cluster["labels"][0]["label"]: cluster for cluster in body["clusters"]}
    assert set(found) == {"happy", "sad"}
    assert [cluster["share"] for cluster in found.values()] == [0.5, 0.5]
    assert set(found["happy"]["typical"]) <= {u.public_id for u in styled[::2]}
    assert len(found["happy"]["typical"]) == 4
    assert body["figures"]["silhouette"] > body["figures"]["silhouette_by_chance"]


def test_without_patterns_the_reason_is_told(api, house, path):
    say(house.session, [0, 1] * 3)
    patterns.look_again(now=factories.NOW)
    body = api.get(f"{path}/clusters?include=map").json()
    assert (body["state"], body["reason"], body["clusters"]) == ("none", "too_few_utterances", [])
    assert body["map"] is None


def test_the_map_parts_the_styles_and_is_cut_to_the_newest(api, path, styled):
    drawn = api.get(f"{path}/clusters?include=map&max_points=20").json()["map"]
    assert [p["utterance"] for p in drawn["points"]] == [u.public_id for u in styled[-20:]]
    sides = {}
    for point in drawn["points"]:
        sides.setdefault(point["cluster"], []).append(point["x"] > 0)
    assert sorted(len(set(side)) for side in sides.values()) == [1, 1]
    assert drawn["explained"][0] > 0.5


def test_an_admin_sees_patterns_but_no_map(house, path, styled):
    dora = Api(user=house.dora)
    assert dora.get(f"{path}/clusters").json()["state"] == "found"
    problem(dora.get(f"{path}/clusters?include=map"), 403, "content-not-visible")


# --- Similar ----------------------------------------------------------------------------------------------


def test_the_most_alike_of_the_client_come_first(api, path, styled):
    body = api.get(f"{path}/similar?to={styled[0].public_id}&count=5").json()
    assert {item["utterance"] for item in body["items"]} <= {u.public_id for u in styled[2::2]}
    assert {item["emotion"] for item in body["items"]} == {"happy"}
    similarity = [item["similarity"] for item in body["items"]]
    assert similarity == sorted(similarity, reverse=True)
    assert len(similarity) == 5


def test_across_clients_only_those_are_searched_whose_content_one_may_see(house, path, styled):
    ben = factories.client("Ben", assigned_to=house.alice)
    charlies = factories.client("Someone", assigned_to=house.bob)
    for client in (ben, charlies):
        say(factories.session(client), [0])
    alice = Api(user=house.alice)
    rest = f"similar?to={styled[0].public_id}&count=100"
    across = alice.get(f"{path}/{rest}&within=visible").json()["items"]
    assert {item["client"] for item in across} == {house.ann.public_id, ben.public_id}
    assert {item["client"] for item in alice.get(f"{path}/{rest}").json()["items"]} == {house.ann.public_id}


def test_an_utterance_of_someone_else_is_not_there(api, house, path, charlie, styled):
    ben = factories.client("Ben", assigned_to=house.alice)
    other = say(factories.session(ben), [0])[0]
    problem(Api(user=house.alice).get(f"{path}/similar?to={other.public_id}"), 404, "not-found")
    problem(api.get(f"{path}/similar?to={other.public_id}"), 404, "not-found")
    problem(charlie.get(f"{path}/similar?to={styled[0].public_id}"), 404, "not-found")


def test_words_alone_sound_like_nothing(api, house, path):
    said = factories.utterance(house.session, text="x", speaker="counselor")
    problem(api.get(f"{path}/similar?to={said.public_id}"), 404, "embedding-missing")


def test_a_thinned_timeline_keeps_its_gaps_as_gaps(api, house):
    say(house.session, [0] * 20 + [None] * 3 + [1] * 20)
    body = api.get(f"sessions/{house.session.public_id}/timeline?max_points=12").json()
    levels = [point["level"] for point in body["points"]]
    assert (body["points_total"], len(levels)) == (43, 12)
    assert levels.count(None) == 1
    assert levels[0] is not None and levels[-1] is not None
