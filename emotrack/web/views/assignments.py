"""Which counselor sees which client: looked at and changed for many at once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import Max, Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST

from emotrack.accounts.models import Role, User
from emotrack.history.actions import assign, unassign
from emotrack.history.models import Assignment, Client, Cohort
from emotrack.web.administration import admins_only, names_of, offer_undo, take_undo, undo_offered

PAGE = 100
NOBODY = "-"


@dataclass(frozen=True, slots=True)
class Line:
    client: Client
    name: str


@admins_only
@require_http_methods(["GET", "HEAD", "POST"])
def assignments(request: HttpRequest) -> HttpResponse:
    """POST: ``to`` is ``assign`` or ``unassign``, for one ``counselor`` and many ``client`` ids."""
    if request.method == "POST":
        return _change(request)
    now = timezone.now()
    chosen = {name: request.GET.get(name, "") for name in ("code", "counselor", "cohort")}
    page = Paginator(_found(chosen), PAGE).get_page(request.GET.get("page"))
    names = names_of(page, request.user)
    context = {
        "active": "assignments",
        "page": page,
        "lines": [Line(client, names.get(client.pk, "")) for client in page],
        "chosen": chosen,
        "query": urlencode({name: value for name, value in chosen.items() if value}),
        "nobody": NOBODY,
        "counselors": counselors(),
        "cohorts": Cohort.objects.all(),
        "undo": undo_offered(request, "assignments", now=now),
        "undo_at": reverse("web:assignments_undo"),
    }
    return render(request, "web/assignments.html", context)


def counselors() -> QuerySet[User]:
    return User.objects.filter(is_active=True, role_grants__role=Role.COUNSELOR).order_by("username")


def _found(chosen: dict[str, str]) -> QuerySet[Client]:
    found = Client.objects.filter(erased_at__isnull=True)
    if chosen["code"]:
        found = found.filter(code__icontains=chosen["code"].strip())
    if chosen["counselor"] == NOBODY:
        found = found.filter(assignments__isnull=True)
    elif chosen["counselor"]:
        found = found.filter(assignments__counselor__username=chosen["counselor"])
    if chosen["cohort"]:
        found = found.filter(cohorts__public_id=chosen["cohort"])
    seen_by = Assignment.objects.select_related("counselor").order_by("counselor__username")
    return (
        found.annotate(contact=Max("sessions__last_activity_at"))
        .prefetch_related(Prefetch("assignments", seen_by))
        .order_by("code")
    )


def _change(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    back = redirect(f"{reverse('web:assignments')}?{request.POST.get('query', '')}")
    counselor = counselors().filter(username=request.POST.get("counselor", "")).first()
    clients = request.POST.getlist("client")
    to = request.POST.get("to")
    if counselor is None or not clients or to not in ("assign", "unassign"):
        messages.error(request, _("Choose at least one client, and a counselor. Nothing was changed."))
        return back
    changed = _carry_out(to, counselor, clients, by=request.user, now=now)
    if changed:
        offer_undo(
            request, "assignments", _said(to, counselor, len(changed)), now=now,
            to="unassign" if to == "assign" else "assign", counselor=counselor.username, clients=changed,
        )  # fmt: skip
    else:
        messages.info(request, _("That was so already."))
    return back


@transaction.atomic
def _carry_out(to: str, counselor: User, public_ids: list[str], *, by: User, now: datetime) -> list[str]:
    """The public ids of the clients for whom it changed something."""
    changed = []
    for client in Client.objects.filter(public_id__in=public_ids, erased_at__isnull=True):
        there = Assignment.objects.filter(client=client, counselor=counselor).exists()
        if to == "assign" and not there:
            assign(client=client, counselor=counselor, by=by.actor, now=now)
            changed.append(client.public_id)
        elif to == "unassign" and unassign(client=client, counselor=counselor, by=by.actor, now=now):
            changed.append(client.public_id)
    return changed


def _said(to: str, counselor: User, n: int) -> str:
    if to == "assign":
        said = ngettext("%(name)s now sees %(n)d client.", "%(name)s now sees %(n)d more clients.", n)
    else:
        said = ngettext("%(name)s no longer sees %(n)d client.", "%(name)s no longer sees %(n)d clients.", n)
    return said % {"name": counselor.username, "n": n}


@require_POST
@admins_only
def undo(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    offer = take_undo(request, "assignments", now=now)
    counselor = counselors().filter(username=offer["counselor"]).first() if offer else None
    if counselor is None:
        messages.error(request, _("It is too late to undo that."))
    else:
        _carry_out(offer["to"], counselor, offer["clients"], by=request.user, now=now)
        messages.success(request, _("Undone."))
    return redirect("web:assignments")
