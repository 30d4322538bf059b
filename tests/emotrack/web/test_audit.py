"""The page of what was done and read, by whom."""

import csv
import json
from datetime import timedelta

import pytest
from django.utils import timezone

from emotrack.audit.actions import record, seal
from emotrack.audit.models import Actor, ActorKind, AuditEvent


def happened(name, ago=timedelta(0), actor="zoe", **more):
    return record(name, by=Actor(ActorKind.USER, actor), now=timezone.now() - ago, **more)


def test_it_narrows_by_who_what_whom_and_when(dora, house):
    happened("note.written", actor="zoe", client=house.ann.public_id)
    happened("client.read", actor="yan", ago=timedelta(days=40))

    def shown(query):
        page = dora.get(f"/audit?{query}").content.decode()
        return {who for who in ("zoe", "yan") if f"<bdi>{who}</bdi>" in page}

    today, month_ago = timezone.localdate(), timezone.localdate() - timedelta(days=30)
    assert shown("") == {"zoe", "yan"}
    assert shown("actor=ZO") == {"zoe"}
    assert shown("action=client.") == {"yan"}
    assert shown(f"client={house.ann.code.lower()}") == {"zoe"}
    assert shown("client=nobody") == set()
    assert shown(f"since={month_ago}") == {"zoe"}
    assert shown(f"until={month_ago}") == {"yan"}
    assert shown(f"since={today}&until={today}") == {"zoe"}


def test_a_day_that_is_none_is_said(dora):
    assert dora.get("/audit?since=yesterday").status_code == 422
    assert dora.get("/audit/export?since=yesterday").status_code == 302


def test_a_changed_past_shows(dora):
    event = happened("client.read")
    seal(now=timezone.now())
    assert "The chain is unbroken" in dora.post("/audit/check", follow=True).content.decode()
    AuditEvent.objects.filter(pk=event.pk).update(actor="somebody else")
    assert f"breaks at event {event.pk}" in dora.post("/audit/check", follow=True).content.decode()


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_all_that_matches_is_taken_along_and_that_is_on_record(kind, dora, house):
    happened("a.b", actor="=cmd()", n=3)
    happened("a.c", actor="yan")
    answer = dora.get(f"/audit/export?action=a.&format={kind}")
    lines = b"".join(answer.streaming_content).decode().splitlines()
    if kind == "csv":
        rows = list(csv.DictReader(lines))
        assert [row["actor"] for row in rows] == ["yan", "'=cmd()"]
    else:
        rows = [json.loads(line) for line in lines]
        assert [row["actor"] for row in rows] == ["yan", "=cmd()"] and rows[1]["detail"] == {"n": 3}
    told = AuditEvent.objects.get(action="audit.exported")
    assert told.detail == {"count": 2, "format": kind, "filters": ["action"]}


def test_a_long_log_comes_in_pages_at_the_same_cost(dora, django_assert_max_num_queries):
    for n in range(130):
        happened("a.b", n=n)
    with django_assert_max_num_queries(14):
        first = dora.get("/audit?action=a.")
    assert "1–100 of 130" in first.content.decode()
    assert "101–130 of 130" in dora.get("/audit?action=a.&page=2").content.decode()


def test_the_page_of_an_erased_client_still_tells_of_them(dora):
    happened("client.erased", client="0" * 20)
    assert "client.erased" in dora.get("/audit").content.decode()
