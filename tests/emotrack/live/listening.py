"""What tests of ``/ws/listen`` share: who sends, what was kept, and how messages are described."""

from __future__ import annotations

from pathlib import Path

import yaml
from asgiref.sync import sync_to_async
from django.conf import settings as django_settings
from django.test import Client as HttpClient
from django.utils import timezone
from jsonschema import Draft202012Validator

from emotrack.history.models import Utterance
from emotrack.privacy import actions as privacy
from tests.emotrack import factories
from tests.emotrack.live.sender import Sender

LIVE = yaml.safe_load((Path(__file__).resolve().parents[3] / "docs" / "asyncapi.yaml").read_text("utf-8"))


def as_described(message: dict) -> None:
    described = LIVE["components"]["messages"][f"listen_{message['type'].replace('.', '_')}"]["payload"]
    Draft202012Validator(described | {"components": LIVE["components"]}).validate(message)


def cookie_of(user) -> bytes:
    browser = HttpClient()
    browser.force_login(user)
    name = django_settings.SESSION_COOKIE_NAME
    return f"{name}={browser.cookies[name].value}".encode()


async def sender_in(house) -> Sender:
    return await Sender(house["session"].public_id, house["key"][1]).opened()


async def kept_rows() -> list[Utterance]:
    rows = Utterance.objects.select_related("client", "session", "audio", "part").order_by("occurred_at")
    return await sync_to_async(list)(rows)


def withdraw_consent(house) -> None:
    privacy.withdraw_consent(
        client=house["ann"], purpose="voice_emotion", by=factories.TESTS, now=timezone.now()
    )
