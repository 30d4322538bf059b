"""The client's page: the time shown, its resolution, what it is held against, changeability and notes."""

from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from emotrack.audit.models import AuditEvent
from emotrack.history import remarks
from emotrack.history.remark_models import Note
from emotrack.mood.models import SessionMood
from tests.emotrack import factories
from tests.emotrack.web.conftest import say
from tests.emotrack.web.test_charts import accepted, traces


def history(client, means, *, every=timedelta(days=7), **fields):
    """One session for each mean, the last a day ago."""
    for i, mean in enumerate(means):
        at = timezone.now() - timedelta(days=1) - every * (len(means) - 1 - i)
        SessionMood.objects.create(
            client=client, session=factories.session(client, at), recognizer=factories.recognizer(),
            started_at=at, utterances=20, mean_valence=mean, sd_valence=0.1, mean_scores=[1 / 9] * 9,
            **({"valid": 18} | fields),
        )  # fmt: skip


@pytest.fixture
def chen(house):
    """Sixty weeks: level, then lower for the last four."""
    client = factories.client("Chen", assigned_to=house.alice)
    history(client, [0.1 + 0.05 * (-1) ** i for i in range(56)] + [-0.3, -0.35, -0.3, -0.4])
    return client


def page(browser, client, query=""):
    return browser.get(f"/clients/{client.public_id}{query}")


# --- Time shown ---------------------------------------------------------------------------------


def test_without_a_wish_the_last_year_is_shown(alice, chen):
    shown = page(alice, chen).context
    assert shown["period"].name == "1y" and shown["shown"] == 52


@pytest.mark.parametrize(("name", "sessions"), [("30d", 5), ("90d", 13), ("all", 60)])
def test_a_stretch_shows_its_sessions_alone(name, sessions, alice, chen):
    shown = page(alice, chen, f"?range={name}").context
    assert shown["shown"] == sessions == len(shown["bins"])
    assert shown["turns"] == 20 * sessions


def test_the_standing_rests_on_all_there_is_whatever_is_shown(alice, chen):
    short, long = (page(alice, chen, f"?range={name}").context for name in ("30d", "all"))
    assert short["sentence"] == long["sentence"] == "Lower than usual, steadily for 3 weeks."
    assert short["standing"] == long["standing"]


def test_a_client_whose_last_year_is_empty_is_shown_whole(alice, house):
    old = factories.client("Old", assigned_to=house.alice)
    session = factories.session(old, timezone.now() - timedelta(days=800))
    say(session, 6)
    shown = page(alice, old).context
    assert shown["period"].name == "all" and shown["shown"] == 1


def test_a_time_without_sessions_says_so_and_leads_on(alice, chen):
    answer = page(alice, chen, "?range=days&first=2001-01-01&last=2001-02-01")
    shown = answer.content.decode()
    assert answer.status_code == 200
    assert "No session in this time" in shown and "range=all" in shown
    assert "Lower than usual" in shown


def test_days_are_the_readers_own(alice, house):
    house.alice.time_zone = "Pacific/Auckland"
    house.alice.save()
    mine = factories.client("Zone", assigned_to=house.alice)
    session = factories.session(mine, datetime.fromisoformat("2026-03-01T11:30:00+00:00"))
    say(session, 6)
    assert page(alice, mine, "?range=days&first=2026-03-02&last=2026-03-02").context["shown"] == 1
    assert page(alice, mine, "?range=days&first=2026-03-01&last=2026-03-01").context["shown"] == 0


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("?range=days", "Choose a day."),
        ("?range=days&first=2026-02-01&last=2026-01-01", "This day lies before the first."),
        ("?range=days&first=soon&last=2026-01-01", "A day like 2026-03-31."),
        ("?range=forever", "forever"),
    ],
)
def test_an_address_that_makes_no_sense_is_told_and_still_shows_the_client(query, said, alice, chen):
    answer = page(alice, chen, query)
    assert answer.status_code == 422 and said in answer.content.decode()
    assert answer.context["shown"] == 52


# --- Resolution ---------------------------------------------------------------------------------


def test_months_gather_their_sessions(alice, chen):
    shown = page(alice, chen, "?range=all&by=month").context
    assert 13 <= len(shown["bins"]) <= 15 and sum(b.sessions for b in shown["bins"]) == 60
    accepted(shown["figure"])


def test_a_week_with_two_sessions_weighs_them_by_their_readings(alice, house):
    two = factories.client("Two", assigned_to=house.alice)
    monday = (timezone.localtime() - timedelta(days=timezone.localtime().weekday() + 7)).replace(hour=9)
    for day, mean, valid in ((0, 0.4, 20), (1, -0.2, 20)):
        at = monday + timedelta(days=day)
        SessionMood.objects.create(
            client=two, session=factories.session(two, at), recognizer=factories.recognizer(), started_at=at,
            utterances=valid, valid=valid, mean_valence=mean, sd_valence=0.1, mean_scores=[1 / 9] * 9,
        )  # fmt: skip
    (week,) = page(alice, two, "?by=week").context["bins"]
    assert week.mean == pytest.approx(0.1) and week.sessions == 2
    assert week.half_width == pytest.approx(1.96 * 0.1 / 20**0.5 / 2**0.5)


def test_a_month_that_was_hardly_read_has_no_mean(alice, house):
    quiet = factories.client("Quiet", assigned_to=house.alice)
    history(quiet, [0.3, 0.3], every=timedelta(hours=1), valid=4)
    (month,) = page(alice, quiet, "?by=month").context["bins"]
    assert month.mean is None and month.coverage == pytest.approx(0.2)
    assert "too little to say" in page(alice, quiet, "?by=month").content.decode()


def test_a_month_without_sessions_breaks_the_line(alice, house):
    away = factories.client("Away", assigned_to=house.alice)
    history(away, [0.1] * 3, every=timedelta(days=100))
    levels = traces(page(alice, away, "?range=all&by=month").context["figure"], "level")
    assert levels == []


# --- Held against ------------------------------------------------------------------------------


def test_the_period_before_is_drawn_and_said(alice, chen):
    shown = page(alice, chen, "?range=90d&against=before").context
    assert shown["compared"].startswith("Lower than in the period before.")
    (ghost,) = traces(shown["figure"], "the period before")
    assert len(ghost["x"]) == 13 and max(ghost["x"]) <= timezone.now().isoformat()
    accepted(shown["figure"])


def test_all_there_is_has_no_period_before(alice, chen):
    shown = page(alice, chen, "?range=all&against=before").context
    assert "There is no period before" in shown["compared"]
    assert not traces(shown["figure"], "the period before")


def test_too_few_sessions_before_are_not_compared(alice, chen):
    shown = page(alice, chen, "?range=1y&against=before").context
    assert "Insufficient data" in shown["compared"] or "than in the period before" in shown["compared"]
    short = page(alice, chen, "?range=30d&against=before").context
    assert "each needs 5" in short["compared"]


# --- Changeability -----------------------------------------------------------------------------


def test_each_session_shows_how_changeable_it_was_against_the_own_usual(alice, house):
    ann = factories.client("Restless", assigned_to=house.alice)
    history(ann, [0.1] * 12, peak_volatility_z=0.5)
    SessionMood.objects.filter(client=ann, session=ann.sessions.latest("started_at")).update(
        peak_volatility_z=4.2
    )
    card = page(alice, ann).context["volatility"]
    accepted(card.figure)
    assert len(traces(card.figure, "beyond the line")[0]["x"]) == 1
    assert "+4.2 own spreads" in card.words and "beyond the line at which the rule alerts" in card.words
    assert [beyond for _point, _day, beyond in card.rows] == [True] + [False] * 11


def test_without_a_usual_there_is_no_changeability_and_a_reason(alice, chen):
    card = page(alice, chen).context["volatility"]
    assert card.figure is None and "50 earlier readings" in card.words


# --- Notes -------------------------------------------------------------------------------------


@pytest.fixture
def notes(house):
    return f"/clients/{house.ann.public_id}/notes"


def written(house, text="New manager since this week."):
    return remarks.write_note(client=house.ann, text=text, by=house.alice, now=timezone.now())


def test_a_note_is_written_and_listed(alice, house, notes):
    answer = alice.post(notes, {"text": "  Sleeps better.\n"})
    assert answer.url.endswith(f"/clients/{house.ann.public_id}#notes")
    assert Note.objects.get().text == "Sleeps better."
    assert "Sleeps better." in page(alice, house.ann).content.decode()


@pytest.mark.parametrize("text", ["", "   ", "x" * 30_000])
def test_what_cannot_be_kept_is_told(text, alice, house, notes, settings):
    settings.TEXT_MAX_CHARACTERS = 20_000
    shown = alice.post(notes, {"text": text}, follow=True).content.decode()
    assert not Note.objects.exists()
    assert "A note needs words." in shown or "At most 20000 characters" in shown


def test_a_note_is_changed_and_says_so(alice, house, notes):
    note = written(house)
    alice.post(f"{notes}/{note.public_id}", {"do": "rewrite", "text": "New team."})
    assert Note.objects.get().text == "New team."
    assert "changed " in page(alice, house.ann).content.decode()


def test_a_deleted_note_can_be_brought_back_at_once(alice, house, notes):
    note = written(house)
    shown = alice.post(f"{notes}/{note.public_id}", {"do": "delete"}, follow=True).content.decode()
    assert "New manager" not in shown and "Undo" in shown
    shown = alice.post(f"{notes}/{note.public_id}", {"do": "restore"}, follow=True).content.decode()
    assert "New manager" in shown and "Note brought back." in shown


def test_after_ten_minutes_it_is_too_late_and_the_page_says_so(alice, house, notes):
    note = written(house)
    remarks.delete_note(note, by=house.alice, now=timezone.now() - timedelta(minutes=11))
    assert "Undo" not in page(alice, house.ann).content.decode()
    shown = alice.post(f"{notes}/{note.public_id}", {"do": "restore"}, follow=True).content.decode()
    assert "too late" in shown and not Note.objects.exists()


def test_a_deleted_note_is_not_rewritten(alice, house, notes):
    note = written(house)
    remarks.delete_note(note, by=house.alice, now=timezone.now())
    shown = alice.post(f"{notes}/{note.public_id}", {"do": "rewrite", "text": "x"}, follow=True)
    assert "bring it back first" in shown.content.decode()
    assert Note.with_deleted.get().text == "New manager since this week."


def test_a_colleague_reads_a_note_and_cannot_change_it(bob, house, notes):
    from emotrack.history.actions import assign

    assign(client=house.ann, counselor=house.bob, by=factories.TESTS, now=timezone.now())
    note = written(house)
    shown = page(bob, house.ann).content.decode()
    assert "New manager" in shown and "Change or delete" not in shown
    shown = bob.post(f"{notes}/{note.public_id}", {"do": "rewrite", "text": "x"}, follow=True)
    assert "Only who wrote a note may change it." in shown.content.decode()
    assert Note.objects.get().text == "New manager since this week."


def test_notes_are_hidden_from_an_admin_alone(dora, house):
    written(house)
    shown = page(dora, house.ann).content.decode()
    assert "New manager" not in shown and "A note on this client" not in shown


def test_another_clients_note_is_not_found_here(alice, house, notes):
    other = factories.client("Chen", assigned_to=house.alice)
    note = remarks.write_note(client=other, text="Other.", by=house.alice, now=timezone.now())
    assert alice.post(f"{notes}/{note.public_id}", {"do": "delete"}).status_code == 404
    assert Note.objects.filter(pk=note.pk).exists()


def test_what_to_do_with_a_note_must_be_known(alice, house, notes):
    note = written(house)
    assert alice.post(f"{notes}/{note.public_id}", {"do": "frame"}).status_code == 404


def test_the_log_holds_no_words_of_a_note(alice, house, notes):
    alice.post(notes, {"text": "Sleeps better."})
    event = AuditEvent.objects.get(action="note.written")
    assert "Sleeps" not in str(event.detail)


# --- Cost --------------------------------------------------------------------------------------


def test_the_page_asks_the_database_no_more_for_a_long_history(
    alice, house, chen, django_assert_max_num_queries
):
    for i in range(12):
        remarks.write_note(client=chen, text=f"Note {i}", by=house.alice, now=timezone.now())
    with django_assert_max_num_queries(46):
        page(alice, chen, "?range=all&against=before&by=week")
