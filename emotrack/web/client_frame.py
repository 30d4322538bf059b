"""What all pages of one client share: whose they are, what their reader may see, the links between them."""

from __future__ import annotations

from datetime import datetime

from django.http import Http404, HttpRequest
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _

from emotrack.accounts.models import User
from emotrack.history.listening import waits
from emotrack.history.models import Client, Recognizer, Session
from emotrack.mood import queries as mood
from emotrack.web.looked_at import unseen_alerts


def visible_client(request: HttpRequest, public_id: str) -> Client:
    """The client, or 404 where the reader may not know of them."""
    return get_object_or_404(Client.objects.visible_to(request.user), public_id=public_id)


def frame(request: HttpRequest, client: Client, here: str, *, now: datetime) -> dict:
    """What the head of a client's page needs. here: name of the page among the client's pages."""
    may_read = client.content_visible_to(request.user)
    tabs = (
        ("client", _("Overview")),
        ("compare", _("Compare")),
        ("consents", _("Consents")),
        ("access_log", _("Who looked")),
    )
    return {
        "active": "caseload",
        "client": client,
        "name": (client.name or "") if may_read else "",
        "may_read": may_read,
        "listen_first_to": newest_waiting(client, request.user),
        "unseen": unseen_alerts(request.user, now=now).filter(client=client).count(),
        "tabs": [(f"web:{name}", title, name == here) for name, title in tabs],
    }


def newest_waiting(client: Client, viewer: User) -> str:
    """Public id of the client's newest session where its readings wait for the viewer's own impression."""
    newest = Session.objects.filter(client=client).order_by("-started_at", "-id").first()
    return newest.public_id if newest is not None and waits(newest, viewer) else ""


def series_of(client: Client, wanted: str) -> tuple[Recognizer | None, list[Recognizer]]:
    """The series to show, the latest unless another is asked for, and the others that there are.

    Raises ``Http404`` for one that the client does not have.
    """
    all_series = list(Recognizer.objects.filter(sessionmood__client=client).distinct().order_by("-pk"))
    if not all_series:
        return None, []
    latest = mood.latest_recognizer(client)
    if wanted:
        chosen = next((r for r in all_series if str(r.pk) == wanted), None)
        if chosen is None:
            raise Http404
    else:
        chosen = latest
    return chosen, [r for r in all_series if r != chosen]
