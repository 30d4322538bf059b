"""The menu of everything that a session or client can be taken away as."""

from __future__ import annotations

from dataclasses import dataclass

from django import template
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from emotrack.exports.formats import FORMATS

register = template.Library()

GROUPS: tuple[tuple[Promise, tuple[tuple[str, str, Promise], ...]], ...] = (
    (
        gettext_lazy("Tables and data"),
        (
            ("csv", "CSV", gettext_lazy("one line per turn, for a spreadsheet")),
            ("json", "JSON", gettext_lazy("everything, for programs")),
            ("npz", "NumPy .npz", gettext_lazy("embeddings and raw scores")),
        ),
    ),
    (
        gettext_lazy("Beside the sound"),
        (
            ("webvtt", "WebVTT", gettext_lazy("captions for a player")),
            ("elan", "ELAN .eaf", gettext_lazy("tiers for annotation")),
            ("textgrid", "Praat TextGrid", gettext_lazy("tiers for phonetics")),
            ("audacity", "Audacity", gettext_lazy("a label track")),
            ("rttm", "RTTM", gettext_lazy("who spoke when")),
        ),
    ),
    (
        gettext_lazy("Standards"),
        (
            ("emotionml", "EmotionML", gettext_lazy("W3C, readings with their shares")),
            ("annotation", "Web Annotation", gettext_lazy("W3C, as JSON-LD")),
            ("fhir", "FHIR R4", gettext_lazy("observations for a health record")),
        ),
    ),
)


@dataclass(frozen=True, slots=True)
class Entry:
    """name: what the format calls itself. with_notes: address with notes, empty without a place for them."""

    name: str
    what: str
    address: str
    with_notes: str


@register.inclusion_tag("web/_export_menu.html", takes_context=True)
def export_menu(
    context: template.Context, kind: str, public_id: str, may_read: bool, waits: str = ""
) -> dict:
    """kind: ``session`` or ``client``. Files are only for who may read the words in them.

    waits: public id of the session whose readings wait for the reader's own impression, else empty.
    """
    address = reverse(f"api:{kind}-export", kwargs={kind: public_id})
    query = context["request"].GET.urlencode() if kind == "client" else ""
    report = reverse(f"web:{kind}_report", args=[public_id]) + (f"?{query}" if query else "")
    groups = [(title, [_entry(address, *each) for each in entries]) for title, entries in GROUPS]
    if waits:
        return {"report": report if kind == "client" else "", "groups": [], "waits": waits}
    return {"report": report, "groups": groups if may_read else []}


def _entry(address: str, slug: str, name: str, what: Promise) -> Entry:
    plain = f"{address}?format={slug}"
    return Entry(name, str(what), plain, f"{plain}&include=notes" if FORMATS[slug].notes else "")
