"""Make cohorts, and say who is in them."""

from __future__ import annotations

from datetime import datetime

from django.db import IntegrityError, transaction

from emotrack.audit.actions import record
from emotrack.audit.models import Actor
from emotrack.history.actions import Conflict, Refused
from emotrack.history.cohort_models import DESCRIPTION_LENGTH, NAME_LENGTH
from emotrack.history.models import Client, Cohort, CohortMembership


@transaction.atomic
def make_cohort(*, name: str, by: Actor, now: datetime, description: str = "") -> Cohort:
    """Raises ``Conflict`` for a name that another cohort has (case set aside), ``Refused`` for no name."""
    cohort = _save(Cohort(created_at=now), name, description)
    record("cohort.made", by=by, now=now, subject=cohort.public_id)
    return cohort


@transaction.atomic
def rename_cohort(
    cohort: Cohort, *, name: str, by: Actor, now: datetime, description: str | None = None
) -> Cohort:
    """Give it another name, and another description unless that is ``None``. Raises as ``make_cohort``."""
    _save(cohort, name, cohort.description if description is None else description)
    record("cohort.renamed", by=by, now=now, subject=cohort.public_id)
    return cohort


def _save(cohort: Cohort, name: str, description: str) -> Cohort:
    name, description = name.strip(), description.strip()
    if not name:
        raise Refused("empty", "A cohort has a name.", "/name")
    for text, most, pointer in (
        (name, NAME_LENGTH, "/name"),
        (description, DESCRIPTION_LENGTH, "/description"),
    ):
        if len(text) > most:
            raise Refused("too-long", f"At most {most} characters.", pointer)
    before = cohort.name, cohort.description
    cohort.name, cohort.description = name, description
    try:
        with transaction.atomic():
            cohort.save()
    except IntegrityError as error:
        cohort.name, cohort.description = before
        raise Conflict("cohort-name-taken", "Another cohort has this name.", "/name") from error
    return cohort


@transaction.atomic
def delete_cohort(cohort: Cohort, *, by: Actor, now: datetime) -> None:
    """Forget the group; its clients stay."""
    members = cohort.memberships.count()
    public_id = cohort.public_id
    cohort.delete()
    record("cohort.deleted", by=by, now=now, subject=public_id, members=members)


@transaction.atomic
def put_in_cohort(*, cohort: Cohort, client: Client, by: Actor, now: datetime) -> CohortMembership:
    """A second time changes nothing. Raises ``Refused`` for a client who was erased."""
    if client.erased_at is not None:
        raise Refused("client-erased", "What is held about this client was erased.", "/client")
    membership, new = CohortMembership.objects.get_or_create(
        cohort=cohort, client=client, defaults={"added_at": now}
    )
    if new:
        record("cohort.joined", by=by, now=now, subject=cohort.public_id, client=client.public_id)
    return membership


@transaction.atomic
def take_out_of_cohort(*, cohort: Cohort, client: Client, by: Actor, now: datetime) -> bool:
    """Whether the client was in it."""
    gone, _rows = CohortMembership.objects.filter(cohort=cohort, client=client).delete()
    if gone:
        record("cohort.left", by=by, now=now, subject=cohort.public_id, client=client.public_id)
    return bool(gone)
