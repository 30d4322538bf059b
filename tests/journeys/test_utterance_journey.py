"""One utterance's whole journey, on real speech: HTTP → recognizer → mood → alert → webhook → live page."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect

from tests.emotrack.alerts.delivery.receiver import receiving
from tests.journeys import speech
from tests.journeys.server import Server, running

pytestmark = [pytest.mark.speech, pytest.mark.browser]

CALM_SESSIONS, CALM_TURNS = 4, 30
RESTLESS_TURNS = 14


def post(api, path, session: str, at: datetime | None = None) -> dict:
    fields = {"client": "ann-42", "session": session, "wait": "30"}
    if at is not None:
        fields["occurred_at"] = at.isoformat()
    answer = api.post("utterances", data=fields, files={"audio": path.read_bytes()})
    assert answer.status_code == 201, answer.text
    return answer.json()


def live_through_a_quiet_month(api, speech_dir) -> list[dict]:
    """Three earlier sessions a week apart, each ended; the answers to all their utterances."""
    answers = []
    for week, clips in enumerate(speech.calm_sessions(speech_dir, CALM_SESSIONS, CALM_TURNS)):
        starts = datetime.now(UTC) - timedelta(weeks=CALM_SESSIONS - week)
        for turn, clip in enumerate(clips):
            answers.append(post(api, clip, f"week-{week}", starts + timedelta(seconds=8 * turn)))
        assert api.post(f"sessions/{answers[-1]['session']}/end").status_code == 200
    return answers


def sign_in(page, server: Server) -> None:
    page.goto(server.address)
    page.fill("[name=username]", "counselor")
    page.fill("[name=password]", server.password)
    page.click("button[type=submit]")
    page.wait_for_url(server.address + "/")


def assert_signed(call: tuple[dict, bytes], secret: str) -> None:
    """Standard Webhooks 1.0: HMAC-SHA256 over id.timestamp.body."""
    headers, body = call
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    key = base64.b64decode(secret.removeprefix("whsec_"))
    expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"].split(" ")[0] == f"v1,{expected}"


def test_an_utterance_travels_from_the_app_to_the_counselors_screen(tmp_path, speech_dir, chromium):
    with receiving() as receiver, running(tmp_path) as server, server.api() as api:
        secret = server.manage("add_webhook", receiver.url).split(": ")[1].strip()

        quiet = live_through_a_quiet_month(api, speech_dir)
        assert sum(a["reading"] == "ok" for a in quiet) >= 60
        assert not any(a["alerts"] for a in quiet), "a calm month must not alarm anybody"

        clips = speech.restless_turns(speech_dir, RESTLESS_TURNS)
        first = post(api, clips[0], "today")

        app_side, counselor_side = chromium.new_context(), chromium.new_context()
        page = counselor_side.new_page()
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        sign_in(page, server)
        page.goto(f"{server.address}/sessions/{first['session']}")
        turns = page.locator("#turns .tr[data-id]")
        expect(turns).to_have_count(1)
        page.evaluate("window.neverReloaded = true")

        # The second context posts as a browser app would; the counselor's page makes no call for it.
        posted = app_side.request.post(
            f"{server.address}/api/v1/utterances",
            headers={"Authorization": f"Bearer {server.key}"},
            multipart={
                "client": "ann-42",
                "session": "today",
                "audio": {
                    "name": clips[1].name,
                    "mimeType": "application/octet-stream",
                    "buffer": clips[1].read_bytes(),
                },
            },
        )
        assert posted.status == 201
        expect(turns).to_have_count(2, timeout=15_000)
        shown = page.locator(f"#turns [data-id='{posted.json()['id']}']")
        expect(shown).to_be_visible()

        alerts = counselor_side.new_page()
        alerts.goto(f"{server.address}/alerts")
        expect(alerts.locator("article.al")).to_have_count(0)

        answers = [post(api, clip, "today") for clip in clips[2:]]
        fired = next(a for a in answers if a["alerts"])
        assert fired["volatility"]["z"] > 3
        expect(turns).to_have_count(len(clips), timeout=20_000)
        expect(page.locator("#facts")).to_contain_text("changeable", ignore_case=True)

        told = alerts.locator("article.al", has_text="More changeable than usual")
        expect(told).to_have_count(1, timeout=15_000)
        told.get_by_role("button", name="Acknowledge").click()
        expect(alerts.get_by_text("Seen by counselor")).to_be_visible()
        assert page.evaluate("window.neverReloaded") is True
        assert not errors, errors

        assert_the_rule_was_the_shipped_one(api, fired)
        assert receiver.came.wait(20)
        assert_signed(receiver.calls[0], secret)
        payload = json.loads(receiver.calls[0][1])
        assert "ann" not in json.dumps(payload).lower(), "a webhook carries no content"
        wait_until_acknowledged(api)


def assert_the_rule_was_the_shipped_one(api, answer: dict) -> None:
    """Version 1 of the rule is the one that every installation starts with; nobody lowered it."""
    alert = api.get("alerts").json()["items"][0]
    assert alert["id"] == answer["alerts"][0]["id"]
    assert alert["rule_version"] == 1
    assert alert["baseline"]["threshold"] == 3
    assert alert["baseline"]["n"] >= 50
    assert alert["peak"] > 3


def wait_until_acknowledged(api) -> None:
    give_up = time.monotonic() + 10
    while not api.get("alerts").json()["items"][0]["acknowledged_at"]:
        assert time.monotonic() < give_up
        time.sleep(0.2)
