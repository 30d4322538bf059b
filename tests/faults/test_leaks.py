"""Nobody reads what is not theirs: on a page, in an answer, an error, a log, a webhook or the files."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from emotrack.api.urls import resources
from tests.emotrack.alerts.delivery.receiver import receiving
from tests.emotrack.factories import PASSWORD
from tests.faults.site import SOUND, Site, site_in

NAME, WORDS, NOTE = "Zsuzsannacanary", "grandmother's violincanary", "seemed relievedcanary"
CANARIES = (NAME, WORDS, NOTE, "violincanary", "canary")
WHO = {"client": "ext-4711", "session": "ext-today"}
LINKS = re.compile(r'(?:href|action|src|hx-get|hx-post|data-[a-z-]+)="(/[^"#]*)')
SET_UP = """
from django.utils import timezone
from emotrack.accounts.models import Scope
from emotrack.alerts import actions as alerts
from emotrack.alerts.delivery import channels
from tests.emotrack import factories as make
alice, bob, dora = make.counselor("alice"), make.counselor("bob"), make.admin("dora")
for name, counselor in ("anns", alice), ("charlies", bob):
    print(name, make.key(make.app(name, (counselor,)), tuple(Scope))[1])
now = timezone.now()
channels.create_channel(name="All", url="{url}", by=make.TESTS, now=now)
alerts.create_rule(kind="negative_mood", reason="test", by=make.TESTS, now=now, threshold=0.9,
                   recovery_threshold=0.95, for_count=1, also_off_headline=True)
"""

OTHER_IDS = """
from emotrack.alerts.models import Notification, NotificationChannel, Rule
from emotrack.history.models import Client
from tests.emotrack import factories as make
cohort = make.cohort("Evening group", *Client.objects.all())
made = {"rule": Rule.objects.first(), "cohort": cohort, "delivery": Notification.objects.first()}
made["webhook"] = NotificationChannel.objects.get(name="All")
for name, row in made.items():
    print(name, row.public_id)
print("job", "0" * 20)
"""


@dataclass
class House:
    site: Site
    address: str
    keys: dict[str, str] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)
    webhooks: list = field(default_factory=list)

    @contextmanager
    def browser(self, name: str) -> Iterator[httpx.Client]:
        """Signed in, unless it is nobody's."""
        with httpx.Client(base_url=self.address, follow_redirects=True, timeout=40) as browser:
            if name != "nobody":
                browser.get("/sign-in")
                told = {"username": name, "password": PASSWORD}
                browser.post("/sign-in", data=told | {"csrfmiddlewaretoken": browser.cookies["csrftoken"]})
                assert "sessionid" in browser.cookies
            yield browser

    def app(self, name: str) -> httpx.Client:
        headers = {"Authorization": f"Bearer {self.keys[name]}"}
        return httpx.Client(base_url=self.address, headers=headers, timeout=40)


@pytest.fixture(scope="module")
def house(tmp_path_factory, migrated):
    """Ann's app told of her; Alice is her counselor, Bob a colleague, Dora the admin, Charlie has an app."""
    with receiving() as receiver, site_in(tmp_path_factory.mktemp("leaks"), migrated) as site:
        site.begin()
        house = House(site, site.address, webhooks=receiver.calls)
        told = site.manage("shell", "--verbosity=0", "-c", SET_UP.format(url=receiver.url))
        house.keys = dict(line.split() for line in told.strip().splitlines()[-2:])
        tell_of_ann(house)
        told = site.manage("shell", "--verbosity=0", "-c", OTHER_IDS)
        house.ids |= dict(line.split() for line in told.strip().splitlines()[-5:])
        yield house


def tell_of_ann(house: House) -> None:
    with house.app("anns") as app:
        for turn in range(3):
            fields = WHO | {"client_name": NAME, "text": WORDS, "wait": "30"}
            answer = app.post("/api/v1/utterances", data=fields, files=SOUND)
            assert answer.status_code == 201, (turn, answer.text)
        house.ids |= {"utterance": answer.json()["id"], "session": answer.json()["session"]}
        (client,) = app.get("/api/v1/clients").json()["items"]
        house.ids["client"] = client["id"]
        alerts = app.get("/api/v1/alerts").json()["items"]
        assert alerts, "nothing fired: the test would look at too little"
        house.ids["alert"] = alerts[0]["id"]
    with house.browser("alice") as alice:
        headers = {"X-CSRFToken": alice.cookies["csrftoken"], "Origin": house.address}
        note = {"text": NOTE, "session": house.ids["session"]}
        answer = alice.post(f"/api/v1/clients/{house.ids['client']}/notes", json=note, headers=headers)
        assert answer.status_code == 201, answer.text
        house.ids["note"] = answer.json()["id"]


def addresses(house: House) -> list[str]:
    """Every address of the API that can be asked with GET, and every page that Alice finds by her links."""
    found = ["/api/v1/" + address_of(route.pattern, house) for route in resources]
    with house.browser("alice") as alice:
        waiting, seen = ["/"], set()
        while waiting and len(seen) < 120:
            address = waiting.pop().replace("&amp;", "&")
            if address in seen or address.startswith(("/static/", "/sign-out", "/api/")):
                continue
            seen.add(address)
            page = alice.get(address)
            if "html" in page.headers.get("Content-Type", ""):
                waiting += LINKS.findall(page.text)
    return found + sorted(seen)


def address_of(pattern: object, house: House) -> str:
    plain = re.sub(r"\(\?P<(\w+)>[^()]*(?:\([^()]*\)[^()]*)*\)", lambda m: house.ids[m[1]], str(pattern))
    return plain.strip("^$").replace("\\", "")


@pytest.fixture(scope="module")
def everywhere(house) -> list[str]:
    return addresses(house)


def shown(browser: httpx.Client, address: str) -> str:
    answer = browser.get(address)
    return f"{answer.headers}\n{answer.content.decode(errors='replace')}"


def test_the_canaries_do_sing_for_those_whom_they_are_meant_for(house, everywhere):
    with house.browser("alice") as alice:
        sung = "".join(shown(alice, address) for address in everywhere)
    assert all(canary in sung for canary in (NAME, "violincanary", NOTE))
    assert sum(house.ids["session"] in address for address in everywhere) >= 4
    assert any(address.startswith("/clients/") for address in everywhere)


@pytest.mark.parametrize("who", ["bob", "dora", "nobody"])
def test_no_page_and_no_answer_tells_another_person(house, everywhere, who):
    with house.browser(who) as browser:
        found = {address: shown(browser, address) for address in everywhere}
    assert [address for address, text in found.items() if any(c in text for c in CANARIES)] == []
    if who != "dora":  # the admin sees codes, moods and alerts
        mine = [
            a for a, text in found.items() if house.ids["client"] in text and house.ids["client"] not in a
        ]
        assert mine == []


def test_no_answer_tells_a_strangers_app(house, everywhere):
    with house.app("charlies") as app:
        found = {a: app.get(a) for a in everywhere if a.startswith("/api/")}
    told = [
        a for a, r in found.items() if "canary" in r.text or (r.status_code == 200 and "ext-4711" in r.text)
    ]
    assert told == []
    of_ann = [
        public_id for name, public_id in house.ids.items() if name != "rule"
    ]  # that one is for everyone
    ours = [a for a in found if any(public_id in a for public_id in of_ann)]
    assert {found[a].status_code for a in ours} <= {404, 403, 405}
    assert len(ours) >= 10


@pytest.mark.parametrize("who", ["charlies", "bob", "dora"])
def test_nobody_else_changes_or_adds_anything(house, who):
    ids = house.ids
    writes = [
        ("PATCH", f"utterances/{ids['utterance']}", {"text": "changed"}),
        ("DELETE", f"utterances/{ids['utterance']}", None),
        ("POST", f"sessions/{ids['session']}/end", {}),
        ("POST", f"sessions/{ids['session']}/utterances", {"text": "smuggled"}),
        ("POST", f"clients/{ids['client']}/notes", {"text": "smuggled"}),
        ("PATCH", f"clients/{ids['client']}", {"name": "changed"}),
        ("POST", f"utterances/{ids['utterance']}/correction", {"emotion": "sad"}),
        ("POST", f"clients/{ids['client']}/sessions", {}),
    ]
    before = house.site.rows("SELECT count(*), max(text) FROM history_utterance")
    with house.app(who) if who in house.keys else house.browser(who) as browser:
        headers = {"X-CSRFToken": browser.cookies.get("csrftoken") or "", "Origin": house.address}
        found = [browser.request(m, f"/api/v1/{p}", json=b, headers=headers) for m, p, b in writes]
    assert {answer.status_code for answer in found} <= {403, 404}
    assert not any("canary" in answer.text for answer in found)
    assert house.site.rows("SELECT count(*), max(text) FROM history_utterance") == before


def test_errors_echo_nothing(house):
    bad = [
        {"json": WHO | {"text": WORDS + "\ud800"}},
        {"json": WHO | {"text": WORDS, "speaker": NAME}},
        {"json": WHO | {"text": WORDS, "occurred_at": NAME}},
        {"json": WHO | {"text": WORDS * 2000}},
        {"json": WHO | {"text": WORDS, "language": NAME, "recognizer": {"id": NAME}}},
        {"json": {"client": NAME * 50, "session": WORDS, "text": WORDS}},
        {"data": WHO | {"text": WORDS, "wait": NAME}, "files": SOUND},
        {"data": WHO | {"text": WORDS}, "files": {"audio": (f"{NAME}.wav", WORDS.encode())}},
        {"content": WORDS.encode(), "headers": {"Content-Type": "application/json"}},
        {"params": {"page_size": NAME}, "json": WHO | {"text": WORDS}},
        {"json": WHO | {"text": WORDS}, "headers": {"Idempotency-Key": NAME * 40}},
    ]
    with house.app("anns") as app:
        answers = [app.post("/api/v1/utterances", **_ascii(request)) for request in bad]
    assert {a.status_code for a in answers} <= {400, 413, 415, 422}
    assert [a.text for a in answers if "canary" in a.text] == []


def _ascii(request: dict) -> dict:
    """JSON as ASCII, so that a lone surrogate can be sent at all."""
    if "json" not in request:
        return request
    headers = {"Content-Type": "application/json"} | request.get("headers", {})
    rest = {name: value for name, value in request.items() if name not in ("json", "headers")}
    return rest | {"content": json.dumps(request["json"]), "headers": headers}


def test_the_live_door_tells_of_ann_to_alice_alone(house):
    def watching(name: str):
        with house.browser(name) as browser:
            cookie = {"Cookie": f"sessionid={browser.cookies['sessionid']}"}
        return connect(
            house.address.replace("http", "ws") + "/ws/watch", origin=house.address, additional_headers=cookie
        )

    with watching("alice") as alice, watching("bob") as bob:
        with house.app("anns") as app:
            app.post("/api/v1/utterances", json=WHO | {"text": WORDS})
        with house.app("charlies") as app:
            app.post("/api/v1/utterances", json={"client": "other", "session": "other", "text": "hello"})
        heard, heard_by_bob = news(alice), news(bob)
    assert house.ids["client"] in heard and "canary" not in heard
    assert house.ids["client"] not in heard_by_bob and "utterance" in heard_by_bob
    with pytest.raises(InvalidStatus):
        connect(house.address.replace("http", "ws") + "/ws/watch", origin=house.address)


def news(socket: object) -> str:
    """What it hears up to the first beat or change."""
    while json.loads(told := socket.recv(timeout=20))["what"] == "beat":
        pass
    return told


def test_webhooks_carry_no_content(house):
    assert house.webhooks
    assert "canary" not in str(house.webhooks) and "ext-4711" not in str(house.webhooks)


def test_the_log_holds_no_content(house):
    for canary in CANARIES:
        assert canary not in house.site.output
    assert house.keys["anns"] not in house.site.output


def test_nothing_lies_open_on_the_disk(house):
    secrets = [c.encode() for c in CANARIES] + [SOUND["audio"][200:400], house.keys["anns"].encode()]
    secrets += [base64.b64encode(NAME.encode())[:-4]]
    folder = house.site.folder / "var"
    open_in = [
        (path.name, secret[:20])
        for path in folder.rglob("*")
        if path.is_file()
        for secret in secrets
        if secret in path.read_bytes()
    ]
    assert open_in == []
    others = [
        p for p in folder.rglob("*") if p.is_file() and p.name.endswith(".key") and p.stat().st_mode & 0o077
    ]
    assert others == []
