"""Ask whether a client agreed, and write down what they agree to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from emotrack.accounts.models import App, User
from emotrack.alerts.actions import end_open
from emotrack.alerts.models import EndReason
from emotrack.audit.actions import record
from emotrack.audit.models import Actor
from emotrack.history.actions import Refused, add_client
from emotrack.history.locks import hold
from emotrack.history.models import Client, Status, Utterance
from emotrack.privacy.models import Consent, Purpose

SLIP = timedelta(minutes=10)
"""A withdrawal may be taken back for so long; afterwards to agree again is a new consent."""

WITHDRAWN_WHILE_WAITING = "consent-withdrawn"
"""Why an utterance was not read."""


class ConsentRequired(Refused):
    """The installation's policy asks for a consent that this client has not given."""

    status = 403

    def __init__(self, purposes: Iterable[str]) -> None:
        missing = ", ".join(sorted(purposes))
        super().__init__("consent-required", f"No consent on record for: {missing}.")


@dataclass(frozen=True, slots=True)
class ConsentClaim:
    """What an app says that the client agreed to, under the terms recorded with the app."""

    purposes: tuple[str, ...]
    version: str
    given_at: datetime


def claim_by_terms(app: App, *, now: datetime) -> ConsentClaim | None:
    """What the app's own terms obtain for every client, or ``None`` where it has none."""
    if not app.consent_purposes:
        return None
    return ConsentClaim(tuple(app.consent_purposes), app.consent_version, now)


@transaction.atomic
def assert_consent(*, client: Client, claim: ConsentClaim, app: App, by: Actor, now: datetime) -> None:
    """Record an app's assertion. Raises ``Refused`` for a purpose outside the app's recorded terms."""
    if outside := sorted(set(claim.purposes) - set(app.consent_purposes)):
        raise Refused(
            "consent-outside-terms",
            f"The terms recorded for this app do not cover: {', '.join(outside)}.",
            "/consent/purposes",
        )
    for purpose in claim.purposes:
        _give(client, purpose, claim.version, claim.given_at, by=by, now=now, app=app)


@transaction.atomic
def give_consent(*, client: Client, purpose: Purpose, version: str, by: User, now: datetime) -> None:
    _give(client, purpose, version, now, by=by.actor, now=now, user=by)


@transaction.atomic
def admit_client(*, name: str, purposes: Iterable[Purpose], version: str, by: User, now: datetime) -> Client:
    """Add a client together with what they agreed to, or neither. version: of the text, for all purposes."""
    client = add_client(name=name, by=by, now=now)
    for purpose in purposes:
        give_consent(client=client, purpose=purpose, version=version, by=by, now=now)
    return client


def _give(
    client: Client,
    purpose: str,
    version: str,
    given_at: datetime,
    *,
    by: Actor,
    now: datetime,
    app: App | None = None,
    user: User | None = None,
) -> None:
    _consent, new = Consent.objects.get_or_create(
        client=client,
        purpose=purpose,
        withdrawn_at=None,
        defaults={
            "version": version,
            "given_at": given_at,
            "recorded_at": now,
            "app": app,
            "recorded_by": user,
        },
    )
    if new:
        record(
            "consent.given",
            by=by,
            now=now,
            subject=client.public_id,
            client=client.public_id,
            purpose=purpose,
            version=version,
        )


@transaction.atomic
def withdraw_consent(*, client: Client, purpose: str, by: Actor, now: datetime) -> Consent | None:
    """End a consent; the one that ended, if any. Readings from the voice stop at once, queued ones too."""
    hold(client.pk)
    standing = Consent.objects.filter(client=client, purpose=purpose, withdrawn_at__isnull=True).first()
    if standing is None:
        return None
    standing.withdrawn_at = now
    standing.save(update_fields=["withdrawn_at"])
    if purpose == Purpose.VOICE_EMOTION and purpose in settings.CONSENT_REQUIRED:
        Utterance.objects.filter(client=client, status="queued").update(
            status="failed", failure=WITHDRAWN_WHILE_WAITING, leased_until=None
        )
    if purpose == Purpose.ALERTS:
        end_open(client, EndReason.CONSENT_WITHDRAWN, now=now)
    record(
        "consent.withdrawn",
        by=by,
        now=now,
        subject=client.public_id,
        client=client.public_id,
        purpose=purpose,
    )
    return standing


@transaction.atomic
def take_back_withdrawal(consent: Consent, *, by: Actor, now: datetime) -> int:
    """Let a consent stand again whose withdrawal was a slip: how many turns wait again to be read.

    Alerts that ended with it stay ended. Raises ``Refused`` where the client has agreed anew since, where it
    was never withdrawn, and ten minutes after it was.
    """
    hold(consent.client_id)
    consent.refresh_from_db()
    if consent.withdrawn_at is None or now - consent.withdrawn_at > SLIP:
        raise Refused("consent-not-withdrawn", "Only a withdrawal of the last ten minutes can be taken back.")
    anew = Consent.objects.filter(client=consent.client, purpose=consent.purpose, withdrawn_at__isnull=True)
    if anew.exists():
        raise Refused("consent-given-anew", "The client has agreed anew since.")
    ended, consent.withdrawn_at = consent.withdrawn_at, None
    consent.save(update_fields=["withdrawn_at"])
    waiting = 0
    if consent.purpose == Purpose.VOICE_EMOTION:
        stopped = Utterance.objects.filter(client=consent.client, status=Status.FAILED)
        waiting = stopped.filter(
            failure=WITHDRAWN_WHILE_WAITING, received_at__gte=consent.recorded_at
        ).update(status=Status.QUEUED, failure="")
    record(
        "consent.restored",
        by=by,
        now=now,
        subject=consent.client.public_id,
        client=consent.client.public_id,
        purpose=consent.purpose,
        withdrawn_at=ended.isoformat(),
    )
    return waiting


def require_consent(client: Client, purposes: Iterable[str]) -> None:
    """Raises ``ConsentRequired`` when the policy asks for one of ``purposes`` and it does not stand."""
    needed = settings.CONSENT_REQUIRED & set(purposes)
    standing = Consent.objects.filter(client=client, purpose__in=needed, withdrawn_at__isnull=True)
    if missing := needed - set(standing.values_list("purpose", flat=True)):
        raise ConsentRequired(missing)


def may_read_words(client: Client) -> bool:
    """Whether what was said may be read from its words: consent stands where asked for, never withdrawn."""
    try:
        require_consent(client, {Purpose.TEXT})
    except ConsentRequired:
        return False
    return not was_withdrawn(client, Purpose.TEXT)


def was_withdrawn(client: Client, purpose: str) -> bool:
    """Whether the client once agreed and does not now; silence is not a withdrawal."""
    rows = Consent.objects.filter(client=client, purpose=purpose)
    return rows.exists() and not rows.filter(withdrawn_at__isnull=True).exists()
