"""The same code on PostgreSQL and Redis, by settings alone: web, worker and deliver as three processes."""

from __future__ import annotations

import base64
import os
import signal
import time

import httpx
import pytest

from emotrack.sample import conversation
from tests.journeys.server import Server, environment, free_port
from tests.journeys.services import own_database, redis_url

pytestmark = [pytest.mark.postgres, pytest.mark.redis]

SPOKEN = next(turn.audio for turn in conversation.load().turns if turn.speaker == "client")


@pytest.fixture(params=["database", "celery"])
def site(request, tmp_path):
    """Web and deliver are running; a test starts its own worker."""
    if request.param == "celery":
        pytest.importorskip("django_tasks_fennel", reason="Celery is not installed (requirements/scale.txt)")
    broker, port = redis_url(), free_port()
    with own_database() as database:
        settings = environment(
            tmp_path,
            DATABASE_URL=database,
            REDIS_URL=broker,
            EMOTRACK_TASKS=request.param,
            EMOTRACK_LEASE_SECONDS="5",
            EMOTRACK_SECRET_KEY="only for this test",
            EMOTRACK_MASTER_KEY=base64.urlsafe_b64encode(os.urandom(32)).decode(),
        )
        server = Server(f"http://127.0.0.1:{port}", settings, tmp_path / "server.log")
        server.manage("migrate", "--verbosity=0")
        server.manage("add_user", "alice", "--role=counselor", "--role=admin")
        server.start("-m", "uvicorn", "emotrack.asgi:application", "--port", str(port), "--lifespan=off")
        server.start("manage.py", "deliver")
        try:
            server.wait_until_up("/livez")
            yield server
        finally:
            server.stop()


@pytest.fixture
def api(site):
    told = site.manage(
        "add_app", "Helpline", "--scope=ingest", "--scope=read", "--counselor=alice",
        "--consent=voice_emotion", "--consent=text", "--terms=1",
    )  # fmt: skip
    headers = {"Authorization": f"Bearer {told.split(': ')[1].strip()}"}
    with httpx.Client(base_url=f"{site.address}/api/v1/", headers=headers, timeout=40) as api:
        yield api


def post(api, wait_s: int) -> httpx.Response:
    fields = {"client": "ann", "session": "today", "wait": str(wait_s)}
    return api.post("utterances", data=fields, files={"audio": SPOKEN.read_bytes()})


def until_analyzed(api, utterance: str, within_s: float = 90) -> dict:
    give_up = time.monotonic() + within_s
    while (answer := api.get(f"utterances/{utterance}").json())["status"] == "queued":
        assert time.monotonic() < give_up, answer
        time.sleep(0.3)
    return answer


def test_a_worker_reads_what_the_web_accepted(site, api):
    waiting = post(api, wait_s=0)
    assert (waiting.status_code, waiting.json()["status"]) == (202, "queued")
    site.start("manage.py", "worker")
    done = until_analyzed(api, waiting.json()["id"])
    assert (done["status"], done["recognizer"]["id"]) == ("analyzed", "acoustic")
    ready = post(api, wait_s=30)
    assert (ready.status_code, ready.json()["status"]) == (201, "analyzed")


def test_what_a_killed_worker_held_is_read_by_the_next(site, api):
    posted = [post(api, wait_s=0).json()["id"] for _ in range(6)]
    first = site.start("manage.py", "worker")
    until_analyzed(api, posted[0])
    first.send_signal(signal.SIGKILL)
    first.wait()
    site.processes.remove(first)
    site.start("manage.py", "worker")
    answers = [until_analyzed(api, utterance, within_s=120) for utterance in posted]
    assert [a["status"] for a in answers] == ["analyzed"] * 6
