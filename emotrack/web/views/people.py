"""Who may come in, in which role, and how they are let in and shown out."""

from __future__ import annotations

from datetime import datetime, timedelta

from axes.models import AccessAttempt
from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import views as auth_views
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse, reverse_lazy
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from emotrack.accounts import actions
from emotrack.accounts.actions import Invitation, LastAdmin
from emotrack.accounts.models import Role, User
from emotrack.history.models import Assignment
from emotrack.web.administration import admins_only


class InviteForm(forms.Form):
    username = forms.CharField(
        label=gettext_lazy("User name"),
        max_length=150,
        validators=[UnicodeUsernameValidator()],
        help_text=gettext_lazy("Letters, digits and @ . + - _"),
    )
    email = forms.EmailField(label=gettext_lazy("E-mail"), required=False)
    roles = forms.MultipleChoiceField(
        label=gettext_lazy("Roles"),
        choices=Role.choices,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": gettext_lazy("Choose a role; without one they see nothing.")},
    )

    def clean_username(self) -> str:
        name = self.cleaned_data["username"]
        if User.objects.filter(username__iexact=name).exists():
            raise forms.ValidationError(_("There is a user of that name already."))
        return name


class RolesForm(forms.Form):
    roles = forms.MultipleChoiceField(
        label=gettext_lazy("Roles"),
        choices=Role.choices,
        widget=forms.CheckboxSelectMultiple,
        required=False,
        help_text=gettext_lazy("Without a role they can sign in and see nothing."),
    )


def locked_out(now: datetime) -> QuerySet[AccessAttempt]:
    """Failed sign-ins that still keep somebody out."""
    since = now - timedelta(hours=settings.AXES_COOLOFF_TIME)
    return AccessAttempt.objects.filter(
        failures_since_start__gte=settings.AXES_FAILURE_LIMIT, attempt_time__gte=since
    )


@admins_only
@require_safe
def people(request: HttpRequest) -> HttpResponse:
    return render(request, "web/people.html", _list_context(InviteForm()))


@require_POST
@admins_only
@sensitive_variables("invitation")
def invite(request: HttpRequest) -> HttpResponse:
    form = InviteForm(request.POST)
    if not form.is_valid():
        return render(request, "web/people.html", _list_context(form), status=422)
    invited, invitation = actions.invite(**form.cleaned_data, by=request.user.actor, now=timezone.now())
    context = _list_context(InviteForm()) | {
        "link": _link(request, invitation),
        "invited": invited,
        "days": _link_days(),
    }
    return render(request, "web/people.html", context)


def _list_context(form: InviteForm) -> dict:
    locked = set(locked_out(timezone.now()).values_list("username", flat=True))
    users = (
        User.objects.prefetch_related("role_grants")
        .annotate(clients=Count("assignments"))
        .order_by("-is_active", "username")
    )
    return {
        "active": "people",
        "lines": [{"person": user, "locked": user.username in locked} for user in users],
        "form": form,
    }


def _link(request: HttpRequest, invitation: Invitation) -> str:
    place = reverse("web:welcome", kwargs={"uidb64": invitation.uid, "token": invitation.token})
    return request.build_absolute_uri(place)


def _link_days() -> int:
    return settings.PASSWORD_RESET_TIMEOUT // 86_400


@admins_only
@require_http_methods(["GET", "HEAD", "POST"])
def person(request: HttpRequest, username: str) -> HttpResponse:
    """One person. POST changes the roles."""
    found = get_object_or_404(User, username=username)
    form = RolesForm(initial={"roles": sorted(found.roles)})
    if request.method == "POST":
        form = RolesForm(request.POST)
        if form.is_valid():
            try:
                actions.change_roles(
                    found, roles=form.cleaned_data["roles"], by=request.user.actor, now=timezone.now()
                )
            except LastAdmin:
                form.add_error("roles", _("Somebody must be admin: give that role to someone else first."))
            else:
                messages.success(request, _("Saved."))
                return redirect("web:person", username)
    return render(
        request, "web/person.html", _person_context(found, form), status=422 if form.errors else 200
    )


def _person_context(found: User, form: RolesForm | None = None) -> dict:
    assignments = Assignment.objects.filter(counselor=found).select_related("client").order_by("client__code")
    return {
        "active": "people",
        "person": found,
        "form": form or RolesForm(initial={"roles": sorted(found.roles)}),
        "locked": locked_out(timezone.now()).filter(username=found.username).exists(),
        "assignments": assignments,
    }


@require_POST
@admins_only
@sensitive_variables("invitation")
def invitation(request: HttpRequest, username: str) -> HttpResponse:
    """A new link to choose a password, shown on the answer and nowhere else."""
    found = get_object_or_404(User, username=username, is_active=True)
    link = actions.invitation_for(found, by=request.user.actor, now=timezone.now())
    context = _person_context(found) | {"link": _link(request, link), "days": _link_days()}
    return render(request, "web/person.html", context)


@require_POST
@admins_only
def access(request: HttpRequest, username: str) -> HttpResponse:
    """``to``: ``close``, ``open`` or ``lift`` (a lock-out)."""
    found, by, now = get_object_or_404(User, username=username), request.user.actor, timezone.now()
    match request.POST.get("to"):
        case "close":
            try:
                actions.close_account(found, by=by, now=now)
            except LastAdmin:
                messages.error(request, _("The last admin cannot be closed."))
            else:
                messages.success(
                    request,
                    _("%(name)s is signed out everywhere and cannot come in.") % {"name": found.username},
                )
        case "open":
            actions.open_account(found, by=by, now=now)
            messages.success(request, _("%(name)s may come in again.") % {"name": found.username})
        case "lift":
            actions.lift_lockout(found, by=by, now=now)
            messages.success(request, _("%(name)s may try again at once.") % {"name": found.username})
    return redirect("web:person", username)


class Welcome(auth_views.PasswordResetConfirmView):
    """Where the link of an invitation leads: choose a password, then sign in."""

    template_name = "web/welcome.html"
    success_url = reverse_lazy("web:sign_in")

    def get_user(self, uidb64: str) -> User | None:
        user = super().get_user(uidb64)
        return user if user is not None and user.is_active else None

    def form_valid(self, form: forms.Form) -> HttpResponse:
        messages.success(self.request, _("Your password is set. Sign in with it now."))
        return super().form_valid(form)
