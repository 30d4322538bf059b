"""The log of one client: who read or changed what, and only of this client."""

import ast
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

import emotrack
from emotrack.audit.actions import record
from emotrack.audit.models import Actor, ActorKind
from emotrack.web.access_words import TRAFFIC, WORDS
from tests.emotrack import factories


@pytest.fixture
def log(house):
    return f"/clients/{house.ann.public_id}/access"


def happened(house, action, who="bob", at=None, kind=ActorKind.USER, **detail):
    record(action, by=Actor(kind, who), now=at or timezone.now(), client=house.ann.public_id, **detail)


def words_of(browser, address):
    return [(line.who, line.words) for line in browser.get(address).context["lines"]]


def test_looks_and_changes_are_listed_the_newest_first(alice, house, log):
    now = timezone.now()
    happened(house, "session.read", at=now - timedelta(hours=2))
    happened(house, "consent.withdrawn", at=now - timedelta(hours=1), purpose="text")
    said = words_of(alice, log)
    assert said[0] == ("alice", "opened the log of looks")
    assert said[1:3] == [
        ("bob", "withdrew a consent: Readings from words"),
        ("bob", "opened a session"),
    ]


def test_what_the_log_has_no_words_for_is_shown_by_its_own_name(alice, house, log):
    happened(house, "client.sung_about")
    assert ("bob", "client.sung_about") in words_of(alice, log)


def recorded_of_clients():
    """Every action that some code records by name together with a client."""
    root, found = Path(emotrack.__file__).parent, set()
    for path in root.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            writer, first = getattr(node.func, "id", getattr(node.func, "attr", "")), node.args[0]
            named = isinstance(first, ast.Constant) and isinstance(first.value, str) and "." in first.value
            of_client = any(keyword.arg == "client" for keyword in node.keywords)
            of_client = of_client and writer in ("record", "note_reading")
            if named and (of_client or writer in ("_recorded", "_heard", "_record")):
                found.add(first.value)
    return found


def test_whatever_is_recorded_of_a_client_has_words():
    found = recorded_of_clients()
    assert {"note.written", "consent.given", "cohort.joined", "glass.broken"} <= found
    assert found - set(WORDS) - set(TRAFFIC) == set()


def test_traffic_of_apps_is_not_listed_and_their_looks_are(alice, house, log):
    app = factories.app("Night line")
    happened(house, "utterance.accepted", app.public_id, kind=ActorKind.APP)
    happened(house, "utterances.read", app.public_id, kind=ActorKind.APP)
    assert [line for line in words_of(alice, log) if line[0] == "Night line"] == [
        ("Night line", "read what was said")
    ]
    assert words_of(alice, f"{log}?who=night") == [("Night line", "read what was said")]


def test_another_clients_log_is_another_one(alice, house, log):
    other = factories.client("Chen", assigned_to=house.alice)
    record("session.read", by=Actor(ActorKind.USER, "bob"), now=timezone.now(), client=other.public_id)
    assert ("bob", "opened a session") not in words_of(alice, log)


def test_looks_and_changes_can_be_told_apart(alice, house, log):
    happened(house, "session.read")
    happened(house, "note.written")
    assert ("bob", "wrote a note") not in words_of(alice, f"{log}?what=looks")
    assert ("bob", "opened a session") in words_of(alice, f"{log}?what=looks")
    changes = words_of(alice, f"{log}?what=changes")
    assert ("bob", "wrote a note") in changes and ("bob", "opened a session") not in changes


def test_days_are_the_readers_own(alice, house, log):
    house.alice.time_zone = "Pacific/Auckland"
    house.alice.save()
    late = datetime(2026, 3, 2, 23, 30, tzinfo=ZoneInfo("Pacific/Auckland"))
    happened(house, "session.read", at=late)
    assert words_of(alice, f"{log}?who=bob&after=2026-03-02&before=2026-03-02") == [
        ("bob", "opened a session")
    ]
    assert words_of(alice, f"{log}?who=bob&after=2026-03-03&before=2026-03-03") == []
    assert "2 Mar 2026, 23:30" in alice.get(f"{log}?before=2026-03-02").content.decode()


def test_a_day_that_is_none_is_told(alice, log):
    answer = alice.get(f"{log}?after=yesterday")
    assert answer.status_code == 422 and "A day like 2026-03-31." in answer.content.decode()


def test_a_long_log_comes_in_pages_that_keep_the_filter(alice, house, log):
    for i in range(60):
        happened(house, "session.read", at=timezone.now() - timedelta(minutes=i))
    shown = alice.get(f"{log}?who=bob").content.decode()
    assert "1 to 50 of 60" in shown and "who=bob&amp;page=2" in shown
    assert len(words_of(alice, f"{log}?who=bob&page=2")) == 10


def test_the_log_asks_the_database_no_more_for_many_lines(alice, house, log, django_assert_max_num_queries):
    for _ in range(40):
        happened(house, "session.read", factories.app("App").public_id, kind=ActorKind.APP)
    with django_assert_max_num_queries(20):
        alice.get(log)
