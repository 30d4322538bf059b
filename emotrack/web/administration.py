"""What the pages of administration share: who may open them, whom they name, and what can be undone."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.utils.cache import add_never_cache_headers
from django.utils.translation import gettext as _

from emotrack.accounts.models import User
from emotrack.history.models import Client

UNDO_WITHIN = timedelta(minutes=10)
_UNDO = "undo"


def admins_only(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Sign-in first, then 403 for whoever is no admin. Nothing of it is kept by a browser or a proxy."""

    @login_required
    @wraps(view)
    def guarded(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        if not request.user.is_admin:
            raise PermissionDenied(_("Only admins see this page."))
        response = view(request, *args, **kwargs)
        add_never_cache_headers(response)
        return response

    return guarded


def names_of(clients: Iterable[Client], viewer: User) -> dict[int, str]:
    """The names of those whose content the viewer may read, by primary key."""
    clients = list(clients)
    readable = Client.objects.filter(pk__in=[client.pk for client in clients]).content_visible_to(viewer)
    open_to_them = set(readable.values_list("pk", flat=True))
    return {client.pk: client.name or "" for client in clients if client.pk in open_to_them}


def offer_undo(request: HttpRequest, kind: str, said: str, *, now: datetime, **facts: Any) -> None:
    """Remember in the person's session how to take back what they just did: ids, never content."""
    until = (now + UNDO_WITHIN).timestamp()
    request.session[_UNDO] = {"kind": kind, "said": said, "until": until, **facts}


def undo_offered(request: HttpRequest, kind: str, *, now: datetime) -> dict[str, Any] | None:
    """What can still be taken back of this kind, or ``None``."""
    offer = request.session.get(_UNDO)
    return offer if offer and offer["kind"] == kind and offer["until"] > now.timestamp() else None


def take_undo(request: HttpRequest, kind: str, *, now: datetime) -> dict[str, Any] | None:
    """The same, once."""
    offer = undo_offered(request, kind, now=now)
    if offer is not None:
        del request.session[_UNDO]
    return offer
