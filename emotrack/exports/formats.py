"""Every format by name: its suffix, its media type, and how it is written."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from django.db.models import QuerySet

from emotrack.exports import captions, tables, tiers
from emotrack.exports.annotations import web_annotations
from emotrack.exports.archive import zipped
from emotrack.exports.arrays import npz
from emotrack.exports.emotionml import emotionml
from emotrack.exports.fhir import fhir_bundle
from emotrack.exports.rows import About, Sitting, sittings, unpinned_notes
from emotrack.history.models import Client, Session


@dataclass(frozen=True, slots=True)
class Format:
    """whole: writes all sessions into one file; single: one session a file, several are zipped.

    notes: whether it has a place for a counselor's notes.
    """

    slug: str
    suffix: str
    media_type: str
    whole: Callable[[About, Iterable[Sitting]], Iterator[bytes]] | None = None
    single: Callable[[About, Sitting], bytes] | None = None
    notes: bool = False


_ALL = (
    Format("csv", "csv", "text/csv; charset=utf-8", whole=tables.csv_bytes),
    Format("json", "json", "application/json", whole=tables.json_bytes, notes=True),
    Format("npz", "npz", "application/zip"),
    Format("webvtt", "vtt", "text/vtt; charset=utf-8", single=captions.webvtt),
    Format("elan", "eaf", "application/xml", single=tiers.eaf, notes=True),
    Format("textgrid", "TextGrid", "text/plain; charset=utf-8", single=tiers.textgrid, notes=True),
    Format("audacity", "txt", "text/plain; charset=utf-8", single=captions.audacity),
    Format("rttm", "rttm", "text/plain; charset=utf-8", single=captions.rttm),
    Format("emotionml", "emotionml", "application/emotionml+xml", whole=emotionml),
    Format("annotation", "jsonld", "application/ld+json", whole=web_annotations, notes=True),
    Format("fhir", "fhir.json", "application/fhir+json", whole=fhir_bundle),
)
FORMATS: dict[str, Format] = {found.slug: found for found in _ALL}


@dataclass(frozen=True, slots=True)
class Export:
    """A file about to be sent. parts may be read once."""

    name: str
    media_type: str
    parts: Iterator[bytes]


def session_export(session: Session, wanted: Format, about: About) -> Export:
    """One session as a file. The caller has checked who asks, and notes it in the audit log."""
    rows = Session.objects.filter(pk=session.pk)
    stem = f"emotrack-{about.code}-{session.started_at:%Y%m%d-%H%M}"
    name, parts = f"{stem}.{wanted.suffix}", _written(session.client, rows, wanted, about)
    return Export(name, wanted.media_type, parts)


def client_export(client: Client, wanted: Format, about: About) -> Export:
    """All sessions of a client; formats of one session a file come as a zip of them."""
    rows = Session.objects.filter(client=client)
    if about.notes:
        about = replace(about, unpinned=unpinned_notes(client))
    stem = f"emotrack-{about.code}-{about.made_at:%Y%m%d}"
    if wanted.single is None:
        return Export(f"{stem}.{wanted.suffix}", wanted.media_type, _written(client, rows, wanted, about))
    files = (
        (f"{found.started_at:%Y%m%d-%H%M}-{found.id}.{wanted.suffix}", [wanted.single(about, found)])
        for found in sittings(client, rows, notes=about.notes)
    )
    return Export(f"{stem}-{wanted.slug}.zip", "application/zip", zipped(files, about.made_at))


def _written(client: Client, rows: QuerySet[Session], wanted: Format, about: About) -> Iterator[bytes]:
    if wanted.slug == "npz":
        return npz(about, client, rows)
    found = sittings(client, rows, notes=about.notes)
    if wanted.whole is not None:
        return wanted.whole(about, found)
    return (wanted.single(about, sitting) for sitting in found)
