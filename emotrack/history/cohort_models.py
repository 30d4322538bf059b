"""Groups of clients, made by an admin: a rule may watch one, and a summary may tell of one."""

from __future__ import annotations

from typing import Self

from django.db import models
from django.db.models.functions import Lower

from emotrack.accounts.models import App, User
from emotrack.identifiers import new_public_id

NAME_LENGTH = 100
DESCRIPTION_LENGTH = 1000


class CohortQuerySet(models.QuerySet):
    def visible_to(self, viewer: User | App) -> Self:
        """All for an admin; for everyone else those with a client whom they may see."""
        if isinstance(viewer, App):
            return self.filter(clients__links__app=viewer).distinct()
        if viewer.is_active and viewer.is_admin:
            return self
        if viewer.is_active and viewer.is_counselor:
            return self.filter(clients__assignments__counselor=viewer).distinct()
        return self.none()


class Cohort(models.Model):
    """Some clients under one name. Who they are is told only to those who see them anyway."""

    public_id = models.CharField(max_length=20, unique=True, default=new_public_id, editable=False)
    name = models.CharField(max_length=NAME_LENGTH)
    description = models.CharField(max_length=DESCRIPTION_LENGTH, blank=True)
    created_at = models.DateTimeField()
    clients = models.ManyToManyField("history.Client", through="CohortMembership", related_name="cohorts")

    objects = CohortQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(Lower("name"), name="a_cohort_has_its_own_name")]

    def __str__(self) -> str:
        return self.name


class CohortMembership(models.Model):
    """This client is in this cohort."""

    cohort = models.ForeignKey(Cohort, on_delete=models.CASCADE, related_name="memberships")
    client = models.ForeignKey("history.Client", on_delete=models.CASCADE, related_name="cohort_memberships")
    added_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["cohort", "client"], name="a_client_is_in_a_cohort_once")
        ]
