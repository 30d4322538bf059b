"""Apps that post utterances, and the keys by which they come in."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from django import forms
from django.contrib import messages
from django.db.models import Count, Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST

from emotrack.accounts import actions
from emotrack.accounts.actions import KEY_OVERLAP, KeyNotInForce
from emotrack.accounts.models import ApiKey, App, Role, Scope, User
from emotrack.history.models import ClientLink, Status, Utterance
from emotrack.privacy.models import Purpose
from emotrack.web.administration import admins_only

COUNTED = timedelta(days=30)
LASTING = {"90": gettext_lazy("90 days"), "365": gettext_lazy("1 year"), "": gettext_lazy("No end")}
SCOPE_WORDS = {
    Scope.INGEST: gettext_lazy("ingest: post clients, sessions and utterances"),
    Scope.READ: gettext_lazy("read: readings, moods and alerts of its clients"),
    Scope.EXPORT: gettext_lazy("export: whole histories and embeddings"),
    Scope.RULES: gettext_lazy("rules: alert rules and webhooks"),
    Scope.ADMIN: gettext_lazy("admin: everything an app may do"),
}


class AppForm(forms.Form):
    name = forms.CharField(label=gettext_lazy("Name"), max_length=100)
    counselors = forms.ModelMultipleChoiceField(
        label=gettext_lazy("Who sees the clients that it adds from now on"),
        queryset=User.objects.none(),
        to_field_name="username",
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    consent_purposes = forms.MultipleChoiceField(
        label=gettext_lazy("What its own terms obtain consent for"),
        choices=Purpose.choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    consent_version = forms.CharField(
        label=gettext_lazy("Version of those terms"),
        max_length=64,
        required=False,
        help_text=gettext_lazy("It is written down with every consent that the app asserts."),
    )

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        counselors = User.objects.filter(is_active=True, role_grants__role=Role.COUNSELOR)
        self.fields["counselors"].queryset = counselors.order_by("username")

    def clean(self) -> dict:
        cleaned = super().clean()
        if cleaned.get("consent_purposes") and not cleaned.get("consent_version"):
            self.add_error("consent_version", _("Say under which version of its terms the app obtains it."))
        return cleaned


class KeyForm(forms.Form):
    scopes = forms.MultipleChoiceField(
        label=gettext_lazy("What it may do"),
        choices=list(SCOPE_WORDS.items()),
        widget=forms.CheckboxSelectMultiple,
        initial=[Scope.INGEST, Scope.READ],
        error_messages={"required": gettext_lazy("Choose at least one.")},
    )
    days = forms.ChoiceField(
        label=gettext_lazy("Ends after"), choices=list(LASTING.items()), initial="365", required=False
    )


@admins_only
@require_http_methods(["GET", "HEAD", "POST"])
def apps(request: HttpRequest) -> HttpResponse:
    """All apps with their keys. POST adds an app."""
    form = AppForm(request.POST if request.method == "POST" else None)
    now = timezone.now()
    if request.method == "POST" and form.is_valid():
        made = actions.create_app(**form.cleaned_data, by=request.user.actor, now=now)
        messages.success(request, _("%(name)s is added. It needs a key to come in.") % {"name": made.name})
        return redirect("web:app", made.public_id)
    found = list(App.objects.order_by("name", "pk"))
    posted = _posted_since(now - COUNTED, found)
    keys: dict[int, list] = {}
    for key in ApiKey.objects.select_related("replaced_by").order_by("-created_at", "-pk"):
        keys.setdefault(key.app_id, []).append((key, state_of(key, now)))
    lines = [(app, keys.get(app.pk, []), posted.get(app.pk)) for app in found]
    context = {"active": "apps", "lines": lines, "form": form, "days": COUNTED.days}
    return render(request, "web/apps.html", context, status=422 if form.errors else 200)


def state_of(key: ApiKey, now: datetime) -> str:
    """``active``, ``old`` (goes on beside the one that replaced it), ``ended`` or ``revoked``."""
    if key.revoked_at is not None:
        return "revoked"
    if not key.is_valid_at(now):
        return "ended"
    return "old" if key.replaced_by_id else "active"


def _posted_since(since: datetime, apps: Iterable[App]) -> dict[int, dict[str, int]]:
    """How many utterances each app posted, and how many of them could not be read."""
    counted = (
        Utterance.objects.filter(session__app__in=apps, received_at__gte=since)
        .values("session__app")
        .annotate(posted=Count("pk"), failed=Count("pk", filter=Q(status=Status.FAILED)))
        .order_by()
    )
    return {row["session__app"]: row for row in counted}


@admins_only
@require_http_methods(["GET", "HEAD", "POST"])
def app(request: HttpRequest, public_id: str) -> HttpResponse:
    """One app. POST changes it."""
    found = get_object_or_404(App, public_id=public_id)
    form = AppForm(request.POST) if request.method == "POST" else _form_of(found)
    if request.method == "POST" and form.is_valid():
        actions.change_app(found, **form.cleaned_data, by=request.user.actor, now=timezone.now())
        messages.success(request, _("Saved."))
        return redirect("web:app", public_id)
    return render(request, "web/app.html", _context(found, form), status=422 if form.errors else 200)


def _form_of(app: App) -> AppForm:
    return AppForm(
        initial={
            "name": app.name,
            "counselors": list(app.default_counselors.values_list("username", flat=True)),
            "consent_purposes": app.consent_purposes,
            "consent_version": app.consent_version,
        }
    )


def _context(app: App, form: AppForm | None = None, key_form: KeyForm | None = None) -> dict:
    now = timezone.now()
    keys = app.keys.select_related("replaced_by").order_by("-created_at", "-pk")
    return {
        "active": "apps",
        "app": app,
        "form": form or _form_of(app),
        "key_form": key_form or KeyForm(),
        "keys": [(key, state_of(key, now)) for key in keys],
        "clients": ClientLink.objects.filter(app=app).count(),
        "posted": _posted_since(now - COUNTED, [app]).get(app.pk),
        "days": COUNTED.days,
    }


@require_POST
@admins_only
@sensitive_variables("token")
def new_key(request: HttpRequest, public_id: str) -> HttpResponse:
    """Makes a key and shows it on this answer, once."""
    found = get_object_or_404(App, public_id=public_id)
    form, now = KeyForm(request.POST), timezone.now()
    if not form.is_valid():
        return render(request, "web/app.html", _context(found, key_form=form), status=422)
    days = form.cleaned_data["days"]
    key, token = actions.create_key(
        app=found,
        scopes=form.cleaned_data["scopes"],
        expires_at=now + timedelta(days=int(days)) if days else None,
        by=request.user.actor,
        now=now,
    )
    return _shown_once(request, found, key, token)


@require_POST
@admins_only
@sensitive_variables("token")
def change_key(request: HttpRequest, public_id: str, prefix: str) -> HttpResponse:
    """``to``: ``rotate`` (a new key, the old one ends in a week) or ``revoke`` (refused from now on)."""
    key = get_object_or_404(ApiKey.objects.select_related("app"), app__public_id=public_id, prefix=prefix)
    by, now = request.user.actor, timezone.now()
    match request.POST.get("to"):
        case "rotate":
            try:
                new, token = actions.rotate_key(key, by=by, now=now)
            except KeyNotInForce:
                messages.error(request, _("This key is not in force any more: make a new one."))
                return redirect("web:app", public_id)
            return _shown_once(request, key.app, new, token, rotated=True)
        case "revoke":
            actions.revoke_key(key, by=by, now=now)
            messages.success(request, _("The key is revoked: its next call is refused."))
            return redirect("web:app", public_id)
    raise Http404


def _shown_once(
    request: HttpRequest, app: App, key: ApiKey, token: str, rotated: bool = False
) -> HttpResponse:
    context = _context(app) | {
        "made": key,
        "token": token,
        "overlap": KEY_OVERLAP.days if rotated else None,
        "address": request.build_absolute_uri("/").rstrip("/"),
    }
    return render(request, "web/app.html", context)
