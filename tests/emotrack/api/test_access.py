"""Who may do what: every route and method for every kind of caller; a route without a row fails here."""

from __future__ import annotations

import itertools
import re

import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client as HttpClient
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from analysis.values import LABELS
from emotrack.accounts import actions as accounts
from emotrack.accounts.models import Scope
from emotrack.alerts.models import Alert, Kind, Notification, Rule, RuleVersion
from emotrack.history import actions as history
from emotrack.history.models import FrameLogits
from emotrack.history.remarks import write_note
from emotrack.pipeline import accept_recording
from emotrack.recordings.actions import NewFile
from emotrack.recordings.models import Recording
from tests.analysis import sounds
from tests.emotrack import factories
from tests.emotrack.alerts.planted import channel
from tests.emotrack.api.conftest import EVERY_SCOPE, Api

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("fake_recognizer", "processed_in_place"),
]

CALLERS = ("anonymous", "alice", "bob", "dora", "app", "unscoped", "revoked", "expired", "charlie")
REJECTED = {"anonymous": 401, "revoked": 401, "expired": 401}


def row(
    alice: int, dora: int, app: int, *, bob: int = 404, charlie: int = 404, unscoped: int = 403
) -> dict[str, int]:
    return REJECTED | {
        "alice": alice,
        "bob": bob,
        "dora": dora,
        "app": app,
        "unscoped": unscoped,
        "charlie": charlie,
    }


def anyone(status: int) -> dict[str, int]:
    return dict.fromkeys(CALLERS, status)


TABLE = {
    ("POST", "api/v1/clients"): row(403, 403, 201, bob=403, charlie=201),
    ("GET", "api/v1/clients"): row(200, 200, 200, bob=200, charlie=200),
    ("GET", "api/v1/clients/{client}"): row(200, 200, 200),
    ("PATCH", "api/v1/clients/{client}"): row(200, 403, 200),
    ("POST", "api/v1/clients/{client}/sessions"): row(403, 403, 201, bob=403),
    ("GET", "api/v1/clients/{client}/sessions"): row(200, 200, 200),
    ("POST", "api/v1/clients/{client}/notes"): row(201, 403, 403, charlie=403),
    ("GET", "api/v1/clients/{client}/notes"): row(200, 403, 403, charlie=403),
    ("PATCH", "api/v1/notes/{note}"): row(200, 403, 403, charlie=403),
    ("DELETE", "api/v1/notes/{note}"): row(204, 403, 403, charlie=403),
    ("GET", "api/v1/clients/{client}/timeline"): row(200, 200, 200),
    ("GET", "api/v1/clients/{client}/mood"): row(200, 200, 200),
    ("GET", "api/v1/clients/{client}/dynamics"): row(200, 200, 200),
    ("GET", "api/v1/clients/{client}/clusters"): row(200, 200, 200),
    ("GET", "api/v1/clients/{client}/export"): row(200, 403, 200),
    ("GET", "api/v1/sessions/{session}/export"): row(200, 403, 200),
    ("GET", "api/v1/sessions/{session}/context"): row(200, 200, 200),
    ("GET", "api/v1/clients/{client}/similar"): row(200, 403, 200),
    ("GET", "api/v1/cohorts"): row(200, 200, 200, bob=200, charlie=200),
    ("GET", "api/v1/cohorts/{cohort}"): row(200, 200, 200),
    ("GET", "api/v1/cohorts/{cohort}/clusters"): row(200, 200, 200),
    ("GET", "api/v1/sessions/{session}"): row(200, 200, 200),
    ("POST", "api/v1/sessions/{session}/end"): row(200, 403, 200),
    ("POST", "api/v1/sessions/{session}/utterances"): row(201, 403, 201),
    ("GET", "api/v1/sessions/{session}/utterances"): row(200, 200, 200),
    ("GET", "api/v1/sessions/{session}/timeline"): row(200, 200, 200),
    ("POST", "api/v1/utterances"): row(403, 403, 201, bob=403, charlie=201),
    ("POST", "api/v1/sessions/{session}/recording"): row(202, 403, 202),
    ("GET", "api/v1/jobs/{job}"): row(200, 403, 200),
    ("DELETE", "api/v1/jobs/{job}"): row(200, 403, 200),
    ("GET", "api/v1/utterances/{utterance}"): row(200, 403, 200),
    ("PATCH", "api/v1/utterances/{utterance}"): row(200, 403, 200),
    ("DELETE", "api/v1/utterances/{utterance}"): row(204, 403, 204),
    ("POST", "api/v1/utterances/{utterance}/correction"): row(201, 403, 403, charlie=403),
    ("GET", "api/v1/utterances/{utterance}/audio"): row(200, 403, 200),
    ("GET", "api/v1/utterances/{utterance}/peaks"): row(200, 403, 200),
    ("GET", "api/v1/utterances/{utterance}/embedding"): row(200, 403, 200),
    ("GET", "api/v1/utterances/{utterance}/frames"): row(200, 403, 200),
    ("GET", "api/v1/alerts"): row(200, 200, 200, bob=200, charlie=200),
    ("GET", "api/v1/alerts/{alert}"): row(200, 200, 200),
    ("POST", "api/v1/alerts/{alert}/acknowledge"): row(200, 200, 403, charlie=403),
    ("POST", "api/v1/alerts/{alert}/resolve"): row(200, 200, 403, charlie=403),
    ("DELETE", "api/v1/alerts/{alert}/resolve"): row(200, 200, 403, charlie=403),
    ("POST", "api/v1/alerts/{alert}/snooze"): row(200, 200, 403, charlie=403),
    ("DELETE", "api/v1/alerts/{alert}/snooze"): row(200, 200, 403, charlie=403),
    ("POST", "api/v1/alerts/{alert}/verdict"): row(200, 200, 403, charlie=403),
    ("DELETE", "api/v1/alerts/{alert}/verdict"): row(200, 200, 403, charlie=403),
    ("GET", "api/v1/rules/{rule}/standing"): row(200, 200, 200, bob=200, charlie=200),
    ("GET", "api/v1/rules"): row(200, 200, 200, bob=200, charlie=200),
    ("POST", "api/v1/rules"): row(403, 201, 403, bob=403, charlie=403),
    ("GET", "api/v1/rules/{rule}"): row(200, 200, 200, bob=200, charlie=200),
    ("PATCH", "api/v1/rules/{rule}"): row(403, 200, 403, bob=403, charlie=403),
    ("GET", "api/v1/rules/{rule}/backtest"): row(200, 200, 200, bob=200, charlie=200),
    ("POST", "api/v1/rules/{rule}/backtest"): row(200, 200, 200, bob=200, charlie=200),
    ("GET", "api/v1/webhooks"): row(403, 200, 200, bob=403, charlie=200),
    ("POST", "api/v1/webhooks"): row(403, 201, 201, bob=403, charlie=201),
    ("GET", "api/v1/webhooks/{webhook}"): row(403, 200, 200, bob=403),
    ("PATCH", "api/v1/webhooks/{webhook}"): row(403, 200, 200, bob=403),
    ("DELETE", "api/v1/webhooks/{webhook}"): row(403, 204, 204, bob=403),
    ("POST", "api/v1/webhooks/{webhook}/rotate"): row(403, 200, 200, bob=403),
    ("POST", "api/v1/webhooks/{webhook}/test"): row(403, 200, 200, bob=403),
    ("POST", "api/v1/webhooks/{webhook}/replay"): row(403, 200, 200, bob=403),
    ("GET", "api/v1/deliveries"): row(403, 200, 200, bob=403, charlie=200),
    ("GET", "api/v1/deliveries/{delivery}"): row(403, 200, 200, bob=403),
    ("POST", "api/v1/deliveries/{delivery}/replay"): row(403, 200, 200, bob=403),
    ("POST", "predict_emotion"): row(200, 200, 200, bob=200, charlie=200),
    ("GET", "api/v1/schema"): anyone(200),
    ("GET", "api/v1/docs"): anyone(200),
    ("GET", "api/v1/docs.js"): anyone(200),
    ("GET", "api/v1/asyncapi"): anyone(200),
    ("GET", "problems/{slug}"): anyone(200),
    ("GET", "api/"): anyone(404),
    ("GET", "livez"): anyone(200),
    ("GET", "readyz"): anyone(200),
}

BODIES = {
    "api/v1/alerts/{alert}/snooze": {"until_event": "next_session"},
    "api/v1/alerts/{alert}/verdict": {"verdict": "useful"},
    "api/v1/clients": {"external_id": "new"},
    "api/v1/clients/{client}": {"name": "Anna"},
    "api/v1/clients/{client}/sessions": {},
    "api/v1/clients/{client}/notes": {"text": "seen"},
    "api/v1/notes/{note}": {"text": "seen again"},
    "api/v1/sessions/{session}/utterances": {"text": "hello"},
    "api/v1/utterances": {"client": "c", "session": "s", "text": "hello"},
    "api/v1/utterances/{utterance}": {"text": "hi"},
    "api/v1/utterances/{utterance}/correction": {"emotion": "sad"},
}

BODIES["api/v1/rules"] = {"kind": "silence", "reason": "Tried."}
BODIES["api/v1/rules/{rule}"] = {"threshold": 4, "reason": "Fewer."}
BODIES["api/v1/rules/{rule}/backtest"] = {"threshold": 4}
BODIES["api/v1/webhooks"] = {"name": "Desk", "url": "https://203.0.112.7/"}
BODIES["api/v1/webhooks/{webhook}"] = {"name": "Night desk"}


QUERIES = {"api/v1/clients/{client}/similar": "?to={utterance}"}


def path_of(route: str, ids: dict[str, str]) -> str:
    return "/" + (route + QUERIES.get(route, "")).format(**ids)


def _plant(house) -> dict[str, str]:
    """An utterance with every part, and an alert on it."""
    utterance = factories.utterance(house.session, text="words", embedding=np.ones(8, np.float32))
    FrameLogits.objects.create(
        utterance=utterance, logits=np.zeros((2, len(LABELS))), rate_hz=2.0, first_frame_s=0.5
    )
    history.keep_audio(
        utterance, b"RIFFsound", media_type="audio/wav", peaks=b"\x00\x01", days=30, now=timezone.now()
    )
    alert = _alert(house, utterance)
    webhook = channel("https://127.0.0.1:9/", app=house.helpline)
    notice = Notification.objects.create(
        alert=alert, channel=webhook, kind="fired", created_at=alert.created_at,
        queued_at=alert.created_at, due_at=alert.created_at, dead_at=alert.created_at,
    )  # fmt: skip
    return {
        "webhook": webhook.public_id,
        "delivery": notice.public_id,
        "client": house.ann.public_id,
        "cohort": factories.cohort("Evening group", house.ann).public_id,
        "session": house.session.public_id,
        "utterance": utterance.public_id,
        "alert": alert.public_id,
        "rule": alert.rule.public_id,
        "job": _job(house).public_id,
        "note": write_note(client=house.ann, text="calm", by=house.alice, now=timezone.now()).public_id,
        "slug": "not-found",
    }


def _job(house) -> Recording:
    file = NewFile(chunks=[sounds.wav(sounds.spoken(1.0))], name="a.wav")
    return accept_recording(
        client=house.ann,
        admit=lambda: house.session,
        file=file,
        by=factories.TESTS,
        now=timezone.now(),
    )[0]


def _alert(house, utterance) -> Alert:
    now = timezone.now()
    rule = Rule.objects.create(kind=Kind.VOLATILITY, created_at=now, enabled_at=now)
    version = RuleVersion.objects.create(
        rule=rule,
        number=1,
        measure="volatility_z",
        threshold=3,
        recovery_threshold=2,
        for_count=3,
        reason="planted",
        saved_by="dora",
        saved_at=now,
    )
    return Alert.objects.create(
        rule=rule,
        version=version,
        client=house.ann,
        session=house.session,
        recognizer=utterance.recognizer,
        severity="warning",
        pending_at=now,
        fired_at=now,
        fired_utterance=utterance,
        peak=4.0,
        baseline={},
        created_at=now,
    )


def _caller(name: str, house) -> Api:
    if name in {"alice", "bob", "dora"}:
        return Api(user=getattr(house, name))
    if name == "app":
        return Api(house.token)
    if name == "charlie":
        return Api(house.charlies_token)
    if name == "unscoped":
        return Api(factories.key(house.helpline, ())[1])
    if name == "anonymous":
        return Api()
    return Api(_dead_key(name, house))


def _dead_key(name: str, house) -> str:
    key, token = factories.key(house.helpline, EVERY_SCOPE)
    if name == "revoked":
        accounts.revoke_key(key, by=factories.TESTS, now=timezone.now())
    else:
        key.expires_at = timezone.now()
        key.save()
    return token


@pytest.mark.parametrize(
    ("method", "route", "caller", "status"),
    [(*place, caller, expected[caller]) for place, expected in TABLE.items() for caller in CALLERS],
)
def test_every_caller_gets_exactly_what_they_may(method, route, caller, status, house):
    ids = _plant(house)
    api = _caller(caller, house)
    path = path_of(route, ids)
    if route in {"predict_emotion", "api/v1/sessions/{session}/recording"}:
        sound = SimpleUploadedFile("a.wav", sounds.wav(sounds.spoken(1.0)))
        answer = api.form(path, {"audio": sound})
    elif method in {"POST", "PATCH"}:
        answer = getattr(api, method.lower())(path, BODIES.get(route))
    else:
        answer = getattr(api, method.lower())(path)
    assert answer.status_code == status, getattr(answer, "content", b"")[:300]


def _routes() -> set[tuple[str, str]]:
    return set(itertools.chain.from_iterable(_methods(*found) for found in _walk(get_resolver(), "")))


def _walk(resolver, prefix: str):
    for pattern in resolver.url_patterns:
        path = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _walk(pattern, path)
        elif isinstance(pattern, URLPattern) and pattern.callback.__module__.startswith("emotrack.api"):
            yield path, pattern.callback


def _methods(path: str, callback):
    named = re.sub(r"\(\?P<(\w+)>[^)]*\)", r"{\1}", path.replace("^", "").replace("$", ""))
    named = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", named)
    view = getattr(callback, "cls", None)
    methods = ["get"] if view is None else [m for m in view.http_method_names if hasattr(view, m)]
    return {(method.upper(), named) for method in methods if method not in {"head", "options"}}


def test_every_route_has_its_row():
    assert _routes() == set(TABLE)


def _is_outgoing(route):
    return route.startswith(("api/v1/webhooks", "api/v1/deliveries"))


@pytest.mark.parametrize("scope", list(Scope))
def test_each_scope_opens_its_own_methods_and_no_others(scope, house):
    ids = _plant(house)
    api = Api(factories.key(house.helpline, (scope,))[1])
    opened = {
        (method, route)
        for (method, route), expected in TABLE.items()
        if method == "GET" and expected["anonymous"] == 401 and expected["app"] == 200
        if api.get(path_of(route, ids)).status_code == 200
    }
    wanted = {
        "read": lambda route: (
            not route.endswith(("/embedding", "/export"))
            and not _is_outgoing(route)
            and "/rules" not in route
        ),
        "export": lambda route: route.endswith(("/embedding", "/export")),
        "rules": lambda route: "/rules" in route or _is_outgoing(route),
    }.get(scope, lambda route: False)
    assert opened == {
        (method, route)
        for (method, route), expected in TABLE.items()
        if method == "GET" and expected["anonymous"] == 401 and expected["app"] == 200 and wanted(route)
    }


def test_a_person_without_the_pages_token_changes_nothing(house):
    ids = _plant(house)
    http = HttpClient(enforce_csrf_checks=True)
    http.force_login(house.alice)
    path = f"/api/v1/alerts/{ids['alert']}/acknowledge"
    answer = http.post(path)
    assert (answer.status_code, answer.json()["type"]) == (403, "/problems/csrf-failed")
    secret = "s" * 32
    http.cookies["csrftoken"] = secret
    shown = http.post(path, {}, content_type="application/json", headers={"X-CSRFToken": secret})
    assert shown.status_code == 200


@pytest.mark.parametrize(
    ("extra", "status"),
    [
        ({"REMOTE_ADDR": "127.0.0.1"}, 200),
        ({"REMOTE_ADDR": "::1"}, 200),
        ({"REMOTE_ADDR": "::ffff:127.0.0.1"}, 200),
        ({"REMOTE_ADDR": "192.0.2.7"}, 401),
        ({"REMOTE_ADDR": "127.0.0.1", "HTTP_X_FORWARDED_FOR": "192.0.2.7"}, 401),
        ({"REMOTE_ADDR": ""}, 401),
    ],
)
def test_a_demo_key_works_from_this_machine_only(house, extra, status):
    _key, token = factories.key(house.helpline, EVERY_SCOPE, loopback_only=True)
    assert (
        Api(token)
        .http.get("/api/v1/clients", headers={"Authorization": f"Bearer {token}"}, **extra)
        .status_code
        == status
    )


@pytest.mark.parametrize(
    "header",
    [
        "Bearer",
        "Bearer emo_x_y",
        "Basic emo",
        "Bearer emo_a_b_c",
        "Bearer \N{LATIN SMALL LETTER E WITH ACUTE}",
    ],
)
def test_a_header_that_is_no_key_is_refused(house, header):
    answer = Api().http.get("/api/v1/clients", headers={"Authorization": header})
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_key_in_the_query_is_never_looked_at(house):
    answer = Api().http.get(f"/api/v1/clients?key={house.token}&token={house.token}")
    assert answer.status_code == 401


@pytest.mark.parametrize(
    "identity", ["٠" * 20, "..", "a" * 20 + "%00", "A" * 20, "a" * 19, "../../etc", "0" * 20]
)
def test_ids_that_are_none_lead_nowhere(api, identity):
    answer = api.get(f"sessions/{identity}")
    assert answer.status_code == 404
    assert answer.headers["Content-Type"] == "application/problem+json"
