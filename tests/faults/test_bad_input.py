"""Bad input over a real wire gets one clear answer each, breaks no list and costs nobody else anything."""

from __future__ import annotations

import json
import time
from contextlib import ExitStack

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from tests.analysis import sounds
from tests.faults.site import ANN, SPOKEN, Site, site_in
from tests.faults.wire import answer_on, asked, connected, head

POST = "/api/v1/utterances"
SPEECH = sounds.wav(sounds.spoken(2.0))
NINE = ["angry", "disgusted", "fearful", "happy", "neutral", "other", "sad", "surprised", "unknown"]


@pytest.fixture(scope="module")
def running(tmp_path_factory, migrated):
    small = {"EMOTRACK_AUDIO_MAX_MB": "1", "EMOTRACK_JSON_MAX_MB": "1"}
    with site_in(tmp_path_factory.mktemp("bad"), migrated, **small) as site:
        with site.begin().api() as api:
            assert api.post("utterances", json=ANN | {"text": "first"}).status_code == 201
        yield site


@pytest.fixture
def site(running) -> Site:
    """After every test the server is ready, its list reads, and no answer was an error of ours."""
    yield running
    assert running.is_ready()
    with running.api() as api:
        session = api.get(
            f"utterances/{running.rows('SELECT public_id FROM history_utterance')[0][0]}"
        ).json()["session"]
        assert api.get(f"sessions/{session}/utterances").status_code == 200
    assert "Traceback" not in running.output
    assert "Internal Server Error" not in running.output


def as_json(body: object) -> bytes:
    return body if isinstance(body, bytes) else json.dumps(ANN | body).encode()


def form(*parts: tuple[str, bytes], boundary: bytes = b"b") -> bytes:
    """Parts are (the rest of Content-Disposition, bytes)."""
    return (
        b"".join(
            b"--"
            + boundary
            + b"\r\nContent-Disposition: form-data; "
            + told.encode("latin-1")
            + b"\r\n\r\n"
            + data
            + b"\r\n"
            for told, data in parts
        )
        + b"--"
        + boundary
        + b"--\r\n"
    )


WHO = [('name="client"', b"ann"), ('name="session"', b"today"), ('name="wait"', b"0")]
FORM = "multipart/form-data; boundary=b"


def post_form(site: Site, body: bytes, **headers: str):
    told = head(site, "POST", POST, Content_Type=FORM, Content_Length=str(len(body)), **headers)
    return asked(site, told, body)


# --- Size and pace ------------------------------------------------------------------------------


def test_a_claim_of_three_gigabytes_is_refused_unread(site):
    answer = asked(site, head(site, "POST", POST, Content_Type=FORM, Content_Length="3000000000"))
    assert (answer.status, answer.problem) == (413, "body-too-large")


def test_chunks_without_end_are_refused_when_there_were_too_many(site):
    chunk = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
    top = head(site, "POST", POST, Content_Type="application/json", Transfer_Encoding="chunked")
    answer = asked(site, top, *[chunk] * 40)
    assert (answer.status, answer.problem) == (413, "body-too-large")


def test_fifty_senders_who_never_finish_keep_nobody_else_waiting(site):
    with ExitStack() as held:
        for number in range(50):
            wire = held.enter_context(connected(site))
            told = head(site, "POST", POST, Content_Type=FORM, Content_Length="5000")
            wire.sendall(told[:40] if number % 2 else told + b"--b\r\n")
        begun = time.monotonic()
        with site.api() as api:
            assert api.post("utterances", json=ANN | {"text": "quick"}).status_code == 201
        assert time.monotonic() - begun < 10


def test_a_sender_who_hangs_up_in_the_middle_leaves_nothing(site):
    before = site.rows("SELECT count(*) FROM history_utterance")
    body = form(*WHO, ('name="audio"; filename="a.wav"', SPEECH))
    with connected(site) as wire:
        wire.sendall(
            head(site, "POST", POST, Content_Type=FORM, Content_Length=str(len(body))) + body[:-2000]
        )
    time.sleep(0.5)
    assert site.rows("SELECT count(*) FROM history_utterance") == before


def test_who_asks_first_is_told_to_go_on(site):
    body = as_json({"text": "may I?"})
    with connected(site) as wire:
        wire.sendall(
            head(
                site,
                "POST",
                POST,
                Content_Type="application/json",
                Content_Length=str(len(body)),
                Expect="100-continue",
            )
        )
        assert answer_on(wire).status == 100
        wire.sendall(body)
        assert answer_on(wire).status == 201


def test_who_asks_first_with_too_much_is_not_told_to_go_on(site):
    answer = asked(
        site,
        head(site, "POST", POST, Content_Type=FORM, Content_Length="3000000000", Expect="100-continue"),
    )
    assert answer.status == 413


def test_a_header_without_end_is_refused_before_it_fills_the_memory(site):
    line = b"GET / HTTP/1.1\r\nHost: a\r\nX-Long: "
    answer = asked(site, line, *[b"x" * 65536] * 320)
    assert answer.status in (0, 400, 431)


def test_a_thousand_headers_are_answered(site):
    assert asked(
        site, head(site, "GET", "/api/v1/clients", **{f"X_{n}": "x" for n in range(1000)})
    ).status in (200, 400)


# --- What is not HTTP, not JSON, not a form --------------------------------------------------------


def test_garbage_on_the_line_is_refused(site):
    assert asked(site, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n").status == 400


@pytest.mark.parametrize("method", ["PUT", "TRACE", "OPTIONS", "CONNECT", "PROPFIND", "get"])
def test_an_odd_method_gets_a_clear_no(site, method):
    assert asked(site, head(site, method, POST)).status in (400, 403, 404, 405)


def test_a_method_in_disguise_is_what_it_is_on_the_line(site):
    with site.api() as api:
        answer = api.get("utterances", headers={"X-HTTP-Method-Override": "POST"})
    assert answer.status_code == 405


@pytest.mark.parametrize(
    ("raw", "status", "slug"),
    [
        (b"", 422, "missing-field"),
        (b'{"client": "ann", "session": "today", "text": "\\ud800"}', 400, "lone-surrogate"),
        (b'{"client": "ann", "session": "today", "text": "a\\u0000b"}', 400, "nul-character"),
        (b'{"client": "ann", "session": "today", "text": "\xff"}', 400, "invalid-utf8"),
        (b'{"client": "ann", "client": "bea", "session": "s", "text": "x"}', 400, "duplicate-key"),
        (b'{"client": "ann", "session": "s", "text": "x", "wait": NaN}', 400, "not-finite"),
        (b'{"client": "ann", "session": "s", "text": "x", "wait": 1e309}', 400, "not-finite"),
        (b'{"client": ' + b"[" * 5000 + b"]" * 5000 + b"}", 400, "too-deep"),
        (b'{"client": "ann", "session": "s", "text": "x", "wait": ' + b"9" * 6000 + b"}", 400, None),
        (b'{"client": true, "session": "s", "text": "x"}', 400, None),
        (b'["client"]', 400, None),
    ],
)
def test_what_is_not_strict_json_is_refused(site, raw, status, slug):
    told = head(site, "POST", POST, Content_Type="application/json", Content_Length=str(len(raw)))
    answer = asked(site, told, raw)
    assert answer.status == status
    assert answer.problem and (slug is None or answer.problem == slug), answer.body


@pytest.mark.parametrize("share", [float("nan"), float("inf"), -0.1, "0.1", None, 0.9])
def test_scores_that_cannot_be_are_refused(site, share):
    body = {"scores": dict.fromkeys(NINE, 1 / 9) | {"sad": share}, "recognizer": {"id": "r", "version": "1"}}
    raw = as_json(body)
    answer = asked(
        site, head(site, "POST", POST, Content_Type="application/json", Content_Length=str(len(raw))), raw
    )
    assert answer.status in (400, 422) and answer.problem, answer.body


@pytest.mark.parametrize(
    "told",
    ["text/plain", "application/x-www-form-urlencoded", "application/jsonp", "", "multipart/form-data"],
)
def test_a_wrong_media_type_is_refused(site, told):
    raw = as_json({"text": "x"})
    answer = asked(site, head(site, "POST", POST, Content_Type=told, Content_Length=str(len(raw))), raw)
    assert answer.status in (400, 415) and answer.problem, answer.body


@pytest.mark.parametrize(
    ("parts", "slug"),
    [
        ([*WHO, ('name="client"', b"bea"), ('name="audio"; filename="a"', SPEECH)], "duplicate-field"),
        (
            [*WHO, ('name="audio"; filename="a"', SPEECH), ('name="audio"; filename="b"', SPEECH)],
            "duplicate-field",
        ),
        ([*WHO, ('name="video"; filename="a"', SPEECH)], "unknown-field"),
        ([*WHO, ('name="audio"', SPEECH[:50])], None),
        ([*WHO], "missing-part"),
        ([*WHO, ('name="text"', b"\xff\xfe"), ('name="audio"; filename="a"', SPEECH)], "invalid-utf8"),
        ([*WHO, ('name="nonsense"', b"1"), ('name="audio"; filename="a"', SPEECH)], "unknown-field"),
    ],
)
def test_a_form_that_is_not_as_it_should_be_is_refused(site, parts, slug):
    answer = post_form(site, form(*parts))
    assert answer.status == 400 and answer.problem, answer.body
    assert slug is None or answer.problem == slug, answer.body


def test_a_form_cut_off_before_its_end_is_refused_or_kept_whole(site):
    body = form(*WHO, ('name="audio"; filename="a.wav"', SPEECH))[:-3000]
    answer = post_form(site, body)
    assert answer.status in (201, 202, 400, 422)
    if answer.status < 300:
        assert "audio-truncated" in json.loads(answer.body)["warnings"]


# --- Sound --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "status", "slug"),
    [
        (b"", 422, "audio-empty"),
        (SPEECH[:44], 422, "audio-truncated"),
        (b"PK\x03\x04" + b"\0" * 500, 415, "unsupported-media-type"),
        (b"#EXTM3U\nhttp://127.0.0.1/secret\n", 415, "unsupported-media-type"),
        (b"%PDF-1.7\n" + b"x" * 500, 415, "unsupported-media-type"),
        (b"\xff\xfb\x90\x64" + b"\0" * 400, None, None),
        (b"RIFF\xff\xff\xff\xffWAVEfmt \x10\0\0\0" + b"\xff" * 40, None, None),
        (SPOKEN[: len(SPOKEN) // 10], None, None),
        (b"\0" * (1024 * 1024 + 10), 413, None),
    ],
)
def test_what_is_no_sound_is_refused(site, data, status, slug):
    answer = post_form(site, form(*WHO, ('name="audio"; filename="a.wav"', data)))
    assert answer.status in ((status,) if status else (415, 422)), (answer.status, answer.body)
    assert answer.problem and (slug is None or answer.problem == slug), answer.body


@pytest.mark.parametrize(
    "name",
    ["../../../../etc/passwd", "/etc/cron.d/x", "a\\..\\b.wav", "C:\\x.wav", "x" * 300, 'a;b="c', "%00.wav"],
)
def test_a_file_name_is_never_used(site, name):
    answer = post_form(site, form(*WHO, (f'name="audio"; filename="{name}"', SPEECH)))
    assert answer.status in (201, 202), answer.body
    utterance = json.loads(answer.body)["id"]
    assert f"{utterance[:2]}/{utterance}" in site.sound_files()
    assert b"passwd" not in answer.body


@pytest.mark.parametrize(
    "identity", ["..%2f..%2fetc", "%00", "0" * 20, "1", "٣" * 20, "x" * 3000, "%ff", "a%0d%0aX-Evil:1"]
)
def test_an_id_that_is_none_leads_nowhere(site, identity):
    path = f"/api/v1/utterances/{identity}".encode().decode("latin-1")
    answer = asked(site, head(site, "GET", path))
    assert answer.status in (400, 404), answer.body
    assert b"Evil" not in answer.body


# --- Live ---------------------------------------------------------------------------------------


def session_of_alice(site: Site) -> str:
    with httpx.Client(base_url=site.address, follow_redirects=True, timeout=30) as browser:
        browser.get("/sign-in")
        told = {"username": "counselor", "password": site.password}
        token = {"csrfmiddlewaretoken": browser.cookies["csrftoken"]}
        assert browser.post("/sign-in", data=told | token).status_code == 200
        return browser.cookies["sessionid"]


def test_the_live_door_lets_in_nobody_from_elsewhere_and_stands_garbage(site):
    cookie = {"Cookie": f"sessionid={session_of_alice(site)}"}
    address = f"ws://127.0.0.1:{site.port}/ws/watch"
    for origin, headers in [("https://evil.example", cookie), (site.address, {}), ("null", cookie)]:
        with pytest.raises(InvalidStatus):
            connect(address, origin=origin, additional_headers=headers)
    with ExitStack() as held:
        sockets = [
            held.enter_context(connect(address, origin=site.address, additional_headers=cookie))
            for _ in range(200)
        ]
        sockets[0].send("}{ not json")
        sockets[0].send(b"\x00\xff" * 100)
        sockets[1].send("x" * (2 << 20))
        with pytest.raises(ConnectionClosed):
            while True:
                sockets[1].recv(timeout=20)
        with site.api() as api:
            assert api.post("utterances", json=ANN | {"text": "who hears it?"}).status_code == 201
        for each in [sockets[0], sockets[199]]:
            while (told := json.loads(each.recv(timeout=20)))["what"] == "beat":
                pass
            assert told["what"] == "utterance"
            assert "who hears" not in str(told)
