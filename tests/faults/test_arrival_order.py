"""Promise: in whatever order utterances arrive, the same series and the same alerts come of them."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import httpx
import numpy as np
import pytest

from tests.faults.site import Site, site_in

START = datetime.now(UTC).replace(microsecond=0) - timedelta(days=2)
LABELS = ["angry", "disgusted", "fearful", "happy", "neutral", "other", "sad", "surprised", "unknown"]
RULE = (
    "from django.utils import timezone; from emotrack.alerts import actions as alerts;"
    "from emotrack.audit.models import Actor;"
    "alerts.create_rule(kind='negative_mood', reason='test', by=Actor.system('test'), now=timezone.now(),"
    " threshold=-0.2, recovery_threshold=-0.1, for_count=3, keep_firing_seconds=30)"
)
TURNS_A_SESSION, SESSIONS = 14, 3


def story() -> list[dict]:
    """Three sessions on three days; each begins low and brightens. In the order of their times."""
    dice, told = np.random.default_rng(5), []
    for session in range(SESSIONS):
        for turn in range(TURNS_A_SESSION):
            low = 1 <= turn < 6
            weights = dice.dirichlet(np.ones(9)) * 0.2 + np.eye(9)[6 if low else 3] * 0.8
            told.append(
                {
                    "session": f"day-{session}",
                    "occurred_at": (START + timedelta(hours=8 * session, minutes=turn)).isoformat(),
                    "duration_ms": 4000,
                    "scores": dict(zip(LABELS, weights.tolist(), strict=True)),
                    "embedding": dice.normal(size=8).tolist(),
                    "recognizer": {"id": "planted", "version": "1"},
                }
            )
    return told


def tell(api: httpx.Client, person: str, utterances: list[dict]) -> tuple[list, list]:
    """Post them as one person's; what the API then says of the series and of the alerts, without ids."""
    for utterance in utterances:
        body = utterance | {"client": person, "session": f"{person}-{utterance['session']}"}
        answer = api.post("utterances", json=body)
        assert answer.status_code == 201, answer.text
    client = next(
        c["id"] for c in api.get("clients?page_size=500").json()["items"] if c["external_id"] == person
    )
    sessions = api.get(f"clients/{client}/sessions").json()["items"]
    timelines = [api.get(f"sessions/{session['id']}/timeline").json() for session in sessions]
    alerts = api.get("alerts", params={"client": client}).json()["items"]
    return [without_ids(timeline) for timeline in timelines], [without_ids(alert) for alert in alerts]


OUR_OWN = {"id", "client", "session", "utterance", "utterances", "created_at", "external_id", "historical_at"}


def without_ids(found: object) -> object:
    if isinstance(found, dict):
        return {name: without_ids(value) for name, value in found.items() if name not in OUR_OWN}
    return [without_ids(value) for value in found] if isinstance(found, list) else found


@pytest.fixture(scope="module")
def site(tmp_path_factory, migrated):
    with site_in(tmp_path_factory.mktemp("order"), migrated) as site:
        site.begin()
        site.manage("shell", "--verbosity=0", "-c", RULE)
        yield site


@pytest.fixture(scope="module")
def in_order(site: Site) -> tuple[list, list]:
    with site.api() as api:
        return tell(api, "in-order", story())


def test_the_story_has_alerts_and_levels_to_compare(in_order):
    timelines, alerts = in_order
    assert len(timelines) == SESSIONS and len(alerts) == SESSIONS
    assert {alert["end_reason"] for alert in alerts} == {"recovered"}
    assert "level" in str(timelines) and str(timelines).count("None") < str(timelines).count("0.")


@pytest.mark.parametrize("seed", [None, 1, 2, 3])
def test_another_order_of_arrival_ends_the_same(site, in_order, seed):
    utterances = story()
    if seed is None:
        utterances.reverse()
    else:
        random.Random(seed).shuffle(utterances)
    with site.api() as api:
        timelines, alerts = tell(api, f"shuffled-{seed}", utterances)
    assert timelines == in_order[0]
    assert alerts == in_order[1]
