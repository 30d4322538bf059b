"""Groups of clients that a rule may watch and a summary may tell of."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.db import transaction
from django.db.models import Count, ProtectedError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods, require_POST

from emotrack.history import cohorts as actions
from emotrack.history.actions import Refused
from emotrack.history.cohort_models import DESCRIPTION_LENGTH, NAME_LENGTH
from emotrack.history.models import Client, Cohort
from emotrack.web.administration import admins_only, names_of, offer_undo, take_undo, undo_offered


class CohortForm(forms.Form):
    name = forms.CharField(label=gettext_lazy("Name"), max_length=NAME_LENGTH)
    description = forms.CharField(
        label=gettext_lazy("What they have in common"), max_length=DESCRIPTION_LENGTH, required=False
    )


@admins_only
@require_http_methods(["GET", "HEAD", "POST"])
def cohorts(request: HttpRequest) -> HttpResponse:
    """All cohorts. POST makes one."""
    form, now = CohortForm(request.POST if request.method == "POST" else None), timezone.now()
    if request.method == "POST" and form.is_valid():
        try:
            made = actions.make_cohort(**form.cleaned_data, by=request.user.actor, now=now)
        except Refused as refusal:
            _say(form, refusal)
        else:
            return redirect("web:cohort", made.public_id)
    context = {
        "active": "cohorts",
        "cohorts": Cohort.objects.annotate(size=Count("memberships")),
        "form": form,
        "undo": undo_offered(request, "cohort", now=now),
        "undo_at": reverse("web:cohorts_undo"),
    }
    return render(request, "web/cohorts.html", context, status=422 if form.errors else 200)


def _say(form: CohortForm, refusal: Refused) -> None:
    if refusal.slug == "cohort-name-taken":
        form.add_error("name", _("Another cohort has this name."))
    else:
        form.add_error(None, refusal.detail)


@admins_only
@require_http_methods(["GET", "HEAD", "POST"])
def cohort(request: HttpRequest, public_id: str) -> HttpResponse:
    """One cohort and who is in it. POST: ``to`` is ``rename``, ``add``, ``remove`` or ``delete``."""
    found, now = get_object_or_404(Cohort, public_id=public_id), timezone.now()
    form = CohortForm(initial={"name": found.name, "description": found.description})
    if request.method == "POST":
        to = request.POST.get("to")
        if to == "delete":
            return _delete(request, found)
        if to in ("add", "remove"):
            _change_members(request, found, to)
            return redirect("web:cohort", public_id)
        form = CohortForm(request.POST)
        if form.is_valid():
            try:
                actions.rename_cohort(found, **form.cleaned_data, by=request.user.actor, now=now)
            except Refused as refusal:
                _say(form, refusal)
            else:
                messages.success(request, _("Saved."))
                return redirect("web:cohort", public_id)
    members = list(Client.objects.filter(cohorts=found).order_by("code"))
    others = Client.objects.filter(erased_at__isnull=True).exclude(cohorts=found).order_by("code")
    names = names_of([*members, *others], request.user)
    context = {
        "active": "cohorts",
        "cohort": found,
        "form": form,
        "members": [(client, names.get(client.pk, "")) for client in members],
        "others": [(client, names.get(client.pk, "")) for client in others],
    }
    return render(request, "web/cohort.html", context, status=422 if form.errors else 200)


@transaction.atomic
def _change_members(request: HttpRequest, cohort: Cohort, to: str) -> None:
    by, now = request.user.actor, timezone.now()
    for client in Client.objects.filter(public_id__in=request.POST.getlist("client"), erased_at__isnull=True):
        change = actions.put_in_cohort if to == "add" else actions.take_out_of_cohort
        change(cohort=cohort, client=client, by=by, now=now)


def _delete(request: HttpRequest, cohort: Cohort) -> HttpResponse:
    now = timezone.now()
    facts = {
        "name": cohort.name,
        "description": cohort.description,
        "clients": list(cohort.clients.values_list("public_id", flat=True)),
    }
    try:
        actions.delete_cohort(cohort, by=request.user.actor, now=now)
    except ProtectedError as kept:
        n = len(kept.protected_objects)
        said = ngettext(
            "%(n)d alert rule watches this cohort: give it another scope first.",
            "%(n)d alert rules watch this cohort: give them another scope first.",
            n,
        )
        messages.error(request, said % {"n": n})
        return redirect("web:cohort", cohort.public_id)
    offer_undo(request, "cohort", _("“%(name)s” is deleted.") % {"name": facts["name"]}, now=now, **facts)
    return redirect("web:cohorts")


@require_POST
@admins_only
@transaction.atomic
def undo(request: HttpRequest) -> HttpResponse:
    """Make the deleted cohort anew, with the clients who were in it."""
    now, by = timezone.now(), request.user.actor
    offer = take_undo(request, "cohort", now=now)
    if offer is None:
        messages.error(request, _("It is too late to undo that."))
        return redirect("web:cohorts")
    try:
        made = actions.make_cohort(name=offer["name"], description=offer["description"], by=by, now=now)
    except Refused:
        messages.error(request, _("Another cohort has this name by now."))
        return redirect("web:cohorts")
    for client in Client.objects.filter(public_id__in=offer["clients"], erased_at__isnull=True):
        actions.put_in_cohort(cohort=made, client=client, by=by, now=now)
    messages.success(request, _("Undone."))
    return redirect("web:cohort", made.public_id)
