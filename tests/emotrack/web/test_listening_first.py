"""Who listens first is sent no reading before they have said what they heard: not in HTML, not in JSON."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from analysis.values import LABELS
from emotrack.accounts.models import User
from emotrack.alerts.models import Alert
from emotrack.history.actions import assign
from emotrack.history.models import Recognizer
from emotrack.identifiers import new_public_id
from emotrack.mood import actions as mood
from emotrack.mood import queries as mood_queries
from emotrack.web.timeline import signed
from tests.emotrack import factories
from tests.emotrack.web.conftest import signed_in
from tests.emotrack.web.test_access import alert_of
from tests.emotrack.web.test_own_words import heard, noted, place, shown


@pytest.fixture
def listener(house, alice):
    """Alice, listening first to a session with labels, a mixed turn, an alert and a colleague's word."""
    mixed = factories.utterance(
        house.session, timezone.now(), shares=factories.scores(sad=0.34, surprised=0.33), text="Hm."
    )
    mood.refresh(mixed)
    assert mixed.reading == "ambiguous"
    alert_of(house.session)
    house.turns.append(mixed)
    alice.post("/you/listen-first", {"to": "on", "next": place(house)})
    return alice


def everything(browser, house):
    """All that the server sends for the session: page, parts, both kinds of figure, every turn."""
    addresses = [
        place(house),
        f"{place(house)}/timeline.json",
        f"{place(house)}/timeline.json?span=60&only=figure",
    ]
    addresses += [f"{place(house)}/turns/{turn.public_id}" for turn in house.turns]
    return {address: browser.get(address).content.decode() for address in addresses}


def figure(browser, house):
    return shown(browser, house)["figure"]


def test_the_switch_is_remembered_and_leads_back(listener, house):
    assert User.objects.get(username="alice").listens_first
    answer = listener.post("/you/listen-first", {"to": "off", "next": place(house)})
    assert answer.url == place(house) and not User.objects.get(username="alice").listens_first


def test_the_switch_leads_to_no_other_house(listener):
    assert listener.post("/you/listen-first", {"to": "on", "next": "https://evil.example/"}).url == "/"
    assert listener.post("/you/listen-first", {"to": "on", "next": "//evil.example/"}).url == "/"


def without_what_stands_on_every_page(text):
    """The page less its legend, its list of labels to choose from and its words for scripts."""
    for part in (r'<div class="codes legend.*?</div>', r'<div class="heard".*', r"<script id=.*?</script>"):
        text = re.sub(part, "", text, flags=re.DOTALL)
    return text


def test_nothing_that_was_read_is_in_what_the_server_sends(listener, house):
    sent = everything(listener, house)
    assert Alert.objects.exists() and len(sent) == 10
    labels = "|".join(LABELS)
    telling = re.compile(
        rf"mixed|are close|class=.{{0,2}}mix|\$e-|changeable|alert:|em-({labels})|sound ({labels})"
        r"|\b\d+ %|level [−+]|[−+]\d\.\d\d|voice fits|too quiet",
        re.IGNORECASE,
    )
    for address, text in sent.items():
        found = telling.search(without_what_stands_on_every_page(text))
        assert found is None, (address, text[found.start() - 60 : found.end() + 60])


def test_the_same_search_finds_them_once_nothing_is_hidden(listener, house):
    listener.post("/you/listen-first", {"to": "off"})
    page = without_what_stands_on_every_page(listener.get(place(house)).content.decode())
    for telling in ('class="mix"', "are close", "em-neutral", "alert"):
        assert telling in page


def test_the_figure_holds_places_without_labels_curves_and_alerts(listener, house):
    drawn = figure(listener, house)
    assert [trace["name"] for trace in drawn["data"] if trace.get("name")] == ["turns", "hover"]
    assert drawn["data"][0]["x"] == []
    (places,) = [t for t in drawn["data"] if t.get("name") == "hover"]
    assert len(places["customdata"]) == 7 and len(set(places["y"])) == 1
    assert all("What do you hear?" in text for text in places["text"])
    assert not drawn["layout"]["shapes"] or {s["type"] for s in drawn["layout"]["shapes"]} == {"line"}
    assert [lane["title"] for lane in drawn["layout"]["meta"]["lanes"]] == ["Mood", "May sound"]


def test_a_turn_without_a_reading_looks_like_every_other(listener, house):
    turns = shown(listener, house)["turns"]
    assert turns.count('class="tr turn"') == 7 and 'class="tr gap"' not in turns


def test_a_turn_shows_its_reading_beside_what_was_heard_in_it(listener, house):
    heard(listener, house, "sad")
    turns = shown(listener, house)["turns"]
    assert turns.count("svg class") == 1 + turns.count('svg class="i"') and "You heard" in turns
    drawn = figure(listener, house)
    assert [t["name"] for t in drawn["data"] if t.get("type") == "bar"] == ["neutral"]
    assert [t["x"] for t in drawn["data"] if t.get("name") == "level"] == []
    detail = listener.get(f"{place(house)}/turns/{house.turns[0].public_id}").content.decode()
    assert "May sound neutral" in detail
    other = listener.get(f"{place(house)}/turns/{house.turns[1].public_id}").content.decode()
    assert "May sound" not in other and "appears beside what you say" in other


def test_taking_it_back_hides_the_turn_again(listener, house):
    heard(listener, house, "sad")
    heard(listener, house, "")
    assert "svg class" not in shown(listener, house)["turns"]


def test_an_own_impression_shows_all_of_it_side_by_side(listener, house):
    noted(listener, house, text="Tired, then lighter.", kind="impression")
    answer = shown(listener, house)
    assert "Your own impression" in answer["facts"] and "Tired, then lighter." in answer["facts"]
    assert answer["turns"].count('svg class="mix"') == 6 and "Tired" not in answer["session_notes"]
    assert [t for t in answer["figure"]["data"] if t.get("name") == "level"]
    assert "What do you hear?</h2>" not in listener.get(place(house)).content.decode()


def test_what_others_wrote_waits_too(listener, house):
    bob = signed_in(house.bob)
    assign(client=house.ann, counselor=house.bob, by=factories.TESTS, now=factories.NOW)
    heard(bob, house, "angry")
    noted(bob, house, text="She sounded furious.")
    sent = str(shown(listener, house))
    assert "bob" not in sent and "furious" not in sent and "note:" not in sent
    noted(listener, house, text="Calm, I think.", kind="impression")
    sent = str(shown(listener, house))
    assert "bob heard" in sent and "furious" in sent


def test_an_impression_of_one_session_opens_no_other(listener, house):
    noted(listener, house, text="Calm.", kind="impression")
    other = factories.session(house.ann)
    factories.utterance(other)
    assert "svg class" not in listener.get(f"/sessions/{other.public_id}/timeline.json").json()["turns"]


def test_a_colleague_who_does_not_listen_first_sees_everything(listener, house):
    assign(client=house.ann, counselor=house.bob, by=factories.TESTS, now=factories.NOW)
    assert shown(signed_in(house.bob), house)["turns"].count('svg class="mix"') == 6


def test_an_impression_needs_a_person_who_may_read(dora, house):
    assert noted(dora, house, id=new_public_id(), kind="impression").status_code == 404


# --- Elsewhere than on the session's own page -----------------------------------------------------------


def body(browser, address):
    """What a page says of the client: without the frame, menus of help and words for scripts."""
    text = browser.get(address).content.decode()
    return text[text.index("<main") : text.index("</main>")]


@pytest.fixture
def known(house, listener):
    """The same client with ten earlier sessions, so that there is a usual to stand against."""
    for week in range(10, 0, -1):
        at = timezone.now() - timedelta(weeks=week)
        session = factories.session(house.ann, started_at=at)
        shares = factories.scores(happy=0.5 + week / 50)
        moments = [at + timedelta(minutes=minute) for minute in range(3)]
        factories.brought_in(factories.utterance(session, moment, shares=shares) for moment in moments)
    return house


def mean_of(house):
    return signed(mood_queries.session_points(house.ann, Recognizer.objects.get())[-1].mean)


def test_the_clients_page_leaves_the_newest_session_out_and_says_so(listener, known):
    page, mean = body(listener, f"/clients/{known.ann.public_id}"), mean_of(known)
    assert "is left out of this page" in page and place(known) in page
    assert known.session.public_id not in page[page.index('id="mood-figure"') :][: page.index("twin")]
    assert f">{mean}<" not in page and "in the last session" not in page
    noted(listener, known, text="Calm.", kind="impression")
    page = body(listener, f"/clients/{known.ann.public_id}")
    assert f">{mean}<" in page and "is left out of this page" not in page


def test_the_caseload_says_that_it_waits_and_nothing_of_how_it_sounded(listener, known):
    line = body(listener, "/")
    assert "listen first" in line and 'class="mix"' not in line and mean_of(known) not in line
    noted(listener, known, text="Calm.", kind="impression")
    line = body(listener, "/")
    assert "listen first" not in line and 'class="mix"' in line


def test_an_alert_is_told_but_not_the_readings_behind_it(listener, house):
    address = f"/alerts/{Alert.objects.get().public_id}"
    page = body(listener, address)
    assert "Why it fired" in page and "appear when you have written" in page
    assert "why-figure" not in page and "The turns behind it" not in page and 'class="mix"' not in page
    noted(listener, house, text="Calm.", kind="impression")
    assert "The turns behind it" in body(listener, address)


def test_the_live_page_waits_as_well(listener, house):
    for address in (f"{place(house)}/live", f"{place(house)}/live/now"):
        page = listener.get(address).content.decode()
        assert "Readings wait until" in page and "May sound" not in page and 'class="mix"' not in page
    noted(listener, house, text="Calm.", kind="impression")
    assert "May sound" in listener.get(f"{place(house)}/live/now").content.decode()


@pytest.mark.parametrize("path", ["report", "report.pdf"])
def test_a_report_leads_to_where_the_impression_is_written(listener, house, path):
    for address in (f"{place(house)}/{path}", f"/clients/{house.ann.public_id}/{path}"):
        answer = listener.get(address)
        assert (answer.status_code, answer.url) == (302, place(house))
    assert "the report can be made once" in listener.get(place(house)).content.decode()


def test_a_report_is_made_once_it_is_written(listener, house):
    noted(listener, house, text="Calm.", kind="impression")
    assert listener.get(f"{place(house)}/report").status_code == 200


def test_files_are_refused_with_what_to_do_and_no_menu_offers_them(listener, house):
    for kind, thing in (("sessions", house.session), ("clients", house.ann)):
        answer = listener.get(f"/api/v1/{kind}/{thing.public_id}/export?format=json")
        assert answer.status_code == 409 and answer.json()["type"].endswith("listen-first")
        page = listener.get(f"/{kind}/{thing.public_id}").content.decode()
        assert "You listen first: files hold" in page and "export?format=" not in page
    noted(listener, house, text="Calm.", kind="impression")
    assert listener.get(f"/api/v1/sessions/{house.session.public_id}/export?format=json").status_code == 200
    assert "export?format=" in listener.get(place(house)).content.decode()


def test_two_sessions_are_compared_without_the_one_that_waits(listener, known):
    address = f"/clients/{known.ann.public_id}/compare"
    assert listener.get(f"{address}?b={known.session.public_id}").status_code == 404
    page = body(listener, address)
    assert "is left out of this page" in page and f'value="{known.session.public_id}"' not in page


def test_nothing_waits_for_who_may_not_read_the_words(dora, known):
    User.objects.filter(username="dora").update(listens_first=True)
    assert "is left out of this page" not in body(dora, f"/clients/{known.ann.public_id}")
