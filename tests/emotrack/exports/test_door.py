"""The door of the exports: who, which format, what goes on record."""

import json
import urllib.request

import pytest
from django.test import Client as Browser

from emotrack.audit.models import AuditEvent
from emotrack.exports.context import context_of
from emotrack.exports.formats import FORMATS
from tests.emotrack import factories
from tests.emotrack.api.conftest import Api
from tests.emotrack.api.live_site import site as site


@pytest.fixture
def alice(story) -> Api:
    return Api(user=story.alice)


def body(answer) -> bytes:
    return b"".join(answer.streaming_content)


@pytest.mark.parametrize("slug", FORMATS)
def test_each_format_is_sent_as_a_download_under_its_own_type(alice, story, slug):
    answer = alice.get(f"sessions/{story.session.public_id}/export?format={slug}")
    assert answer.status_code == 200 and answer["Content-Type"] == FORMATS[slug].media_type
    assert answer["Content-Disposition"].startswith(f'attachment; filename="emotrack-{story.ann.code}-')
    assert answer["Content-Disposition"].endswith(f'.{FORMATS[slug].suffix}"')
    assert answer["Cache-Control"] == "private, no-store"
    assert body(answer)


def test_an_export_is_on_record_with_its_format(alice, story):
    alice.get(f"clients/{story.ann.public_id}/export?format=csv")
    (event,) = AuditEvent.objects.filter(action="client.exported")
    assert (event.actor, event.client) == ("alice", story.ann.public_id)
    assert event.detail == {"format": "csv", "notes": False}


def test_an_unknown_format_is_refused_with_its_place(alice, story):
    answer = alice.get(f"sessions/{story.session.public_id}/export?format=parquet")
    assert answer.status_code == 422 and answer.json()["errors"][0]["parameter"] == "format"
    assert not AuditEvent.objects.filter(action__endswith=".exported").exists()


def test_notes_are_for_people_and_for_formats_that_have_a_place(alice, story):
    session = f"sessions/{story.session.public_id}/export"
    assert b"Private thought" in body(alice.get(f"{session}?include=notes"))
    assert b"Private thought" not in body(alice.get(session))
    refused = alice.get(f"{session}?format=csv&include=notes")
    assert refused.status_code == 422 and refused.json()["errors"][0]["parameter"] == "include"
    helpline = factories.app("Helpline")
    factories.ClientLink.objects.create(
        app=helpline, client=story.ann, external_id="a", created_at=factories.NOW
    )
    app = Api(factories.key(helpline, tuple(factories.Scope))[1])
    assert app.get(f"{session}?include=notes").json()["type"] == "/problems/people-only"
    assert b"Private thought" not in body(app.get(session))


def test_an_admin_alone_and_a_stranger_get_no_file(story):
    assert Api(user=factories.admin()).get(f"clients/{story.ann.public_id}/export").status_code == 403
    assert (
        Api(user=factories.counselor("bob")).get(f"clients/{story.ann.public_id}/export").status_code == 404
    )


@pytest.mark.django_db(transaction=True)
def test_the_served_site_streams_it_whole(site, story):
    browser = Browser()
    browser.force_login(story.alice)
    request = urllib.request.Request(
        f"http://127.0.0.1:{site}/api/v1/clients/{story.ann.public_id}/export",
        headers={"Cookie": f"sessionid={browser.cookies['sessionid'].value}"},
    )
    with urllib.request.urlopen(request, timeout=20) as answer:
        assert "Content-Length" not in answer.headers
        assert len(json.load(answer)["sessions"]) == 2


# --- One line for a language model ------------------------------------------------------------------


def test_the_context_is_about_the_clients_latest_reading(alice, story):
    answer = alice.get(f"sessions/{story.later.public_id}/context").json()
    assert answer["context"] == "([emotion angry=0.50])"
    assert answer["utterance"] == story.turns[5].public_id


def test_an_abstention_claims_no_label(story):
    assert context_of(story.session)["context"] == "([emotion unclear: low_quality])"


def test_there_is_no_context_before_anything_was_read(story):
    assert context_of(factories.session(story.ann)) == {
        "context": "", "utterance": None, "occurred_at": None, "reading": None,
    }  # fmt: skip
