"""Who may see which rows of a client."""

from __future__ import annotations

from typing import Self

from django.apps import apps
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from emotrack.accounts.models import App, User
from emotrack.identifiers import new_public_id


def public_id_field() -> models.CharField:
    return models.CharField(max_length=20, unique=True, default=new_public_id, editable=False)


class VisibleQuerySet(models.QuerySet):
    """Rows that belong to a client; ``client_path`` says how to get there."""

    client_path = "client__"

    def visible_to(self, viewer: User | App) -> Self:
        """Rows of the clients that a counselor is assigned to, an app is linked to, or any for an admin.

        What an admin may see *of* them is less: see ``may_see_content``.
        """
        if isinstance(viewer, App):
            return self.filter(**{f"{self.client_path}links__app": viewer}).distinct()
        if viewer.is_active and viewer.is_admin:
            return self
        if viewer.is_active and viewer.is_counselor:
            return self.filter(**{f"{self.client_path}assignments__counselor": viewer}).distinct()
        return self.none()

    def content_visible_to(self, viewer: User | App) -> Self:
        """Rows whose names, words and audio the viewer may see.

        The admin role alone does not open them: an admin breaks the glass, for one client and one hour.
        """
        if isinstance(viewer, App):
            return self.visible_to(viewer)
        opened = Q(pk__in=())
        if viewer.is_active and viewer.is_counselor:
            opened |= Q(**{f"{self.client_path}assignments__counselor": viewer})
        if viewer.is_active and viewer.is_admin:
            glass = apps.get_model("history", "BreakGlass").objects.filter(admin=viewer, until__gt=Now())
            opened |= Q(**{f"{self.client_path}pk__in": glass.values("client")})
        return self.filter(opened).distinct()
