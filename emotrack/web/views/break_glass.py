"""An admin who has to see content opens one client for an hour, with a reason, and the counselor is told."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from emotrack.history import break_glass as actions
from emotrack.history.actions import Refused
from emotrack.history.models import Client
from emotrack.web.administration import admins_only


@require_POST
@admins_only
def break_glass(request: HttpRequest, public_id: str) -> HttpResponse:
    """``to``: ``open`` with a ``reason``, or ``close``."""
    client = get_object_or_404(Client.objects.visible_to(request.user), public_id=public_id)
    now = timezone.now()
    if request.POST.get("to") == "close":
        actions.close_glass(client=client, admin=request.user, now=now)
        messages.success(request, _("Closed again."))
    else:
        try:
            actions.break_glass(
                client=client, admin=request.user, reason=request.POST.get("reason", ""), now=now
            )
        except Refused:
            least, most = actions.REASON_LENGTH
            said = _("Say in %(least)d to %(most)d characters why you have to see it.")
            messages.error(request, said % {"least": least, "most": most})
        else:
            messages.success(request, _("Open for 60 minutes. The client’s counselors are told."))
    return redirect("web:client", public_id)
