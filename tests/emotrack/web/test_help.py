"""Every "?" on the pages opens a section of docs/measures.md."""

import re
from pathlib import Path

import pytest
from django.template.loader import render_to_string

from emotrack.web.help import TITLES, help_on, parsed

ROOT = Path(__file__).resolve().parents[3]
TEMPLATES = ROOT / "templates" / "web"
ASKED = re.compile(r"{% measure_help ([^ ]+)")


def asked_topics():
    found = [topic for path in TEMPLATES.glob("*.html") for topic in ASKED.findall(path.read_text())]
    return sorted({topic.strip('"') for topic in found if topic.startswith('"')})


@pytest.mark.parametrize("topic", sorted(TITLES))
def test_every_topic_has_a_sentence_and_says_what_it_needs_or_where_it_misleads(topic):
    found = help_on(topic)
    assert found.sentence.endswith(".")
    assert found.minimum or found.limits or topic in ("reading", "usual")


def test_the_pages_ask_only_for_topics_that_there_are():
    assert asked_topics()
    assert set(asked_topics()) <= set(TITLES)


def test_a_section_is_told_apart_into_sentence_minimum_and_limits():
    section = (
        "Calm\n\n**In a sentence:** how calm\nit is.\n\n* Formula: `x = 1`.\n"
        "* Minimum: `m ≥ .5` or\n  more. Limits: *never* at sea.\n\nAfter it.\n"
    )
    found = parsed(section)
    assert (found.title, found.sentence) == ("Calm", "How calm it is.")
    assert (found.minimum, found.limits) == ("M ≥ .5 or more.", "Never at sea.")


def test_a_section_without_a_minimum_says_none():
    assert parsed("Calm\n\n**In a sentence:** how calm it is.\n").minimum == ""


def test_an_unknown_topic_is_an_error():
    with pytest.raises(KeyError):
        help_on("phrenology")


def test_the_button_opens_its_own_text():
    said = render_to_string("web/_help.html", {"help": help_on("home-base"), "id": "help-home-base"})
    opened = re.search(r'class="help"[^>]*popovertarget="([^"]+)"', said)[1]
    assert f'id="{opened}" popover' in said
    assert help_on("home-base").sentence in said


def test_the_image_brings_the_notes_along():
    assert "COPY docs/measures.md" in (ROOT / "docker" / "Dockerfile").read_text()
    assert "!docs/measures.md" in (ROOT / "docker" / "Dockerfile.dockerignore").read_text()
