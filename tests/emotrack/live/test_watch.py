"""Live dashboards hear of changes to clients they may see, of nothing else, and only while signed in."""

from __future__ import annotations

import asyncio
import json

import pytest
from asgiref.sync import sync_to_async
from channels.layers import channel_layers, get_channel_layer
from channels.testing import WebsocketCommunicator
from django.conf import settings
from django.test import Client as HttpClient

from emotrack import stream
from emotrack.asgi import application
from emotrack.history.models import Assignment
from emotrack.live.watch import SIGNED_OUT, Watch
from tests.emotrack import factories

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.asyncio]

ORIGIN = (b"origin", b"http://localhost")


@pytest.fixture(autouse=True)
def _own_layer(settings):
    channel_layers.backends.clear()
    settings.ALLOWED_HOSTS = ["localhost"]


def _people():
    alice, bob = factories.counselor("alice"), factories.counselor("bob")
    return alice, bob, factories.client("Ann", assigned_to=alice)


def _cookie(user) -> bytes:
    browser = HttpClient()
    browser.force_login(user)
    return f"{settings.SESSION_COOKIE_NAME}={browser.cookies[settings.SESSION_COOKIE_NAME].value}".encode()


def _socket(cookie: bytes | None, path: str = "/ws/watch", origin=ORIGIN) -> WebsocketCommunicator:
    headers = ([origin] if origin else []) + ([(b"cookie", cookie)] if cookie else [])
    return WebsocketCommunicator(application, path, headers=headers)


async def _opened(user) -> WebsocketCommunicator:
    socket = _socket(await sync_to_async(_cookie)(user))
    assert (await socket.connect())[0]
    return socket


async def _say(client, n: int, what: str = "utterance", publisher: str = "p") -> None:
    message = {"type": "changed", "publisher": publisher, "n": n, "client": client.public_id, "what": what}
    await get_channel_layer().group_send(stream.GROUP, message)


async def _heard(socket) -> dict:
    return json.loads(await socket.receive_from())


async def test_a_change_reaches_the_counselor_of_the_client_and_carries_no_data():
    alice, _bob, ann = await sync_to_async(_people)()
    socket = await _opened(alice)
    await _say(ann, 1)
    assert await _heard(socket) == {"seq": 1, "client": ann.public_id, "what": "utterance"}
    await socket.disconnect()


async def test_a_published_change_arrives_from_a_thread():
    alice, _bob, ann = await sync_to_async(_people)()
    socket = await _opened(alice)
    await sync_to_async(stream.publish, thread_sensitive=False)(ann, "alert")
    assert (await _heard(socket))["what"] == "alert"
    await socket.disconnect()


async def test_a_colleague_hears_nothing_of_a_client_who_is_not_theirs():
    _alice, bob, ann = await sync_to_async(_people)()
    bens = await sync_to_async(factories.client)("Ben", assigned_to=bob)
    socket = await _opened(bob)
    await _say(ann, 1)
    await _say(bens, 2)
    assert (await _heard(socket))["client"] == bens.public_id
    await socket.disconnect()


@pytest.mark.parametrize("origin", [None, (b"origin", b"https://charlie.example")])
async def test_another_site_cannot_open_a_socket_with_the_counselors_cookie(origin):
    alice, _bob, _ann = await sync_to_async(_people)()
    socket = _socket(await sync_to_async(_cookie)(alice), origin=origin)
    assert not (await socket.connect())[0]


async def test_a_stranger_without_a_session_is_refused():
    assert not (await _socket(None).connect())[0]


async def test_an_address_that_leads_nowhere_is_refused():
    alice, _bob, _ann = await sync_to_async(_people)()
    cookie = await sync_to_async(_cookie)(alice)
    assert not (await _socket(cookie, "/ws/elsewhere").connect())[0]


@pytest.mark.parametrize("second", [3, 1])
async def test_a_gap_or_a_reordering_asks_for_a_resync(second):
    alice, _bob, ann = await sync_to_async(_people)()
    socket = await _opened(alice)
    await _say(ann, 1)
    await _say(ann, second)
    heard = [await _heard(socket) for _ in range(3)]
    assert [m["what"] for m in heard] == ["utterance", "resync", "utterance"]
    assert [m["seq"] for m in heard] == [1, 2, 3]
    await socket.disconnect()


async def test_each_publisher_is_counted_for_itself():
    alice, _bob, ann = await sync_to_async(_people)()
    socket = await _opened(alice)
    await _say(ann, 7, publisher="worker")
    await _say(ann, 1, publisher="web")
    await _say(ann, 8, publisher="worker")
    assert [(await _heard(socket))["what"] for _ in range(3)] == ["utterance"] * 3
    await socket.disconnect()


async def test_a_client_taken_away_is_heard_of_no_more():
    alice, _bob, ann = await sync_to_async(_people)()
    socket = await _opened(alice)
    await sync_to_async(Assignment.objects.all().delete)()
    await _say(ann, 1)
    await _say(ann, 3)
    assert (await _heard(socket))["what"] == "resync"
    assert await socket.receive_nothing()
    await socket.disconnect()


@pytest.mark.parametrize("how", ["deactivated", "password changed", "signed out", "roles taken"])
async def test_whoever_may_not_watch_any_more_is_let_go(how, monkeypatch):
    monkeypatch.setattr(Watch, "check_every_s", 0.02)
    alice, _bob, _ann = await sync_to_async(_people)()
    socket = await _opened(alice)
    await sync_to_async(_revoke)(alice, how)
    closed = await socket.receive_output(timeout=10)
    assert (closed["type"], closed["code"]) == ("websocket.close", SIGNED_OUT)


def _revoke(user, how: str) -> None:
    from django.contrib.sessions.models import Session

    if how == "deactivated":
        user.is_active = False
        user.save()
    elif how == "password changed":
        user.set_password("another long password")
        user.save()
    elif how == "signed out":
        Session.objects.all().delete()
    else:
        user.role_grants.all().delete()


async def test_whoever_signed_out_hears_nothing_even_before_the_next_check():
    alice, _bob, ann = await sync_to_async(_people)()
    socket = await _opened(alice)
    await sync_to_async(_revoke)(alice, "signed out")
    await _say(ann, 1)
    assert (await socket.receive_output(timeout=10))["type"] == "websocket.close"


async def test_a_quiet_line_beats(monkeypatch):
    monkeypatch.setattr(Watch, "beat_every_s", 0.01)
    alice, _bob, _ann = await sync_to_async(_people)()
    socket = await _opened(alice)
    assert await _heard(socket) == {"seq": 1, "what": "beat"}
    await socket.disconnect()


async def test_the_server_is_told_that_start_and_end_are_fine():
    messages: asyncio.Queue = asyncio.Queue()
    for kind in ("lifespan.startup", "lifespan.shutdown"):
        messages.put_nowait({"type": kind})
    answers = []

    async def send(message):
        answers.append(message["type"])

    await application({"type": "lifespan"}, messages.get, send)
    assert answers == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
