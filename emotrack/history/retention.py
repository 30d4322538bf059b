"""How long sound and words are kept, what a change of that would take, and the taking."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Count, F, OuterRef, QuerySet, Subquery

from emotrack.audit.actions import record
from emotrack.audit.models import Actor
from emotrack.history.actions import Refused
from emotrack.history.models import Audio, RetentionPolicy, Status, Utterance

KEEP, AFTER_ANALYSIS, LONGEST = -1, 0, 3650


@dataclass(frozen=True, slots=True)
class Terms:
    """Days from arrival on: ``KEEP`` (-1) is for good, ``AFTER_ANALYSIS`` (0, sound only) at once."""

    audio_days: int
    words_days: int


@dataclass(frozen=True, slots=True)
class Going:
    """So many recordings, or turns with words, of so many people."""

    count: int
    people: int


def in_force() -> Terms:
    """The terms that an admin saved last, else those of the settings."""
    saved = RetentionPolicy.objects.values_list("audio_days", "words_days").first()
    return Terms(*saved) if saved else Terms(settings.AUDIO_KEPT_DAYS, KEEP)


def checked(terms: Terms) -> Terms:
    """Raises ``Refused`` for days outside -1 to 3650, and for words that would go with the analysis."""
    if not KEEP <= terms.audio_days <= LONGEST:
        raise Refused("out-of-range", f"From {KEEP} to {LONGEST} days.", "/audio_days")
    if not (terms.words_days == KEEP or 1 <= terms.words_days <= LONGEST):
        raise Refused("out-of-range", f"{KEEP}, or 1 to {LONGEST} days.", "/words_days")
    return terms


def would_go(terms: Terms, *, now: datetime) -> tuple[Going, Going]:
    """What the next hour would delete under these terms: recordings, and turns with words."""
    sound = Audio.objects.filter(deleted_at__isnull=True).exclude(utterance__status=Status.QUEUED)
    sound = _older(sound, "utterance__received_at", terms.audio_days, now)
    return (
        _counted(sound, "utterance__client"),
        _counted(_words_past(terms.words_days, now), "client"),
    )


def _older(rows: QuerySet, field: str, days: int, now: datetime) -> QuerySet:
    return rows.none() if days == KEEP else rows.filter(**{f"{field}__lte": now - timedelta(days=days)})


def _counted(rows: QuerySet, client: str) -> Going:
    found = rows.aggregate(n=Count("pk"), people=Count(client, distinct=True))
    return Going(found["n"], found["people"])


def _words_past(days: int, now: datetime) -> QuerySet[Utterance]:
    spoken = Utterance.objects.filter(text__isnull=False).exclude(status=Status.QUEUED)
    return _older(spoken, "received_at", days, now)


@transaction.atomic
def save_policy(terms: Terms, *, reason: str, by: Actor, now: datetime) -> RetentionPolicy:
    """From now on, and for what is kept already. Raises ``Refused``."""
    checked(terms)
    if not reason.strip():
        raise Refused("reason-required", "Say why.", "/reason")
    saved = RetentionPolicy.objects.create(
        audio_days=terms.audio_days,
        words_days=terms.words_days,
        reason=reason.strip(),
        saved_at=now,
        saved_by=by.name,
    )
    Audio.objects.filter(deleted_at__isnull=True).update(delete_at=_end_of_sound(terms.audio_days))
    record("retention.changed", by=by, now=now, audio_days=terms.audio_days, words_days=terms.words_days)
    return saved


def _end_of_sound(days: int) -> Subquery | None:
    if days == KEEP:
        return None
    arrived = Utterance.objects.filter(pk=OuterRef("utterance_id"))
    return Subquery(arrived.values(end=F("received_at") + timedelta(days=days)))


def forget_expired_words(*, now: datetime) -> int:
    """Delete what was said, where its time is over; the reading stays."""
    gone = _words_past(in_force().words_days, now).update(text=None)
    if gone:
        record("words.expired", by=Actor.system("retention"), now=now, count=gone)
    return gone
