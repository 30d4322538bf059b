"""Coming in, going out, and one's own settings."""

from __future__ import annotations

import zoneinfo

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import views as auth_views
from django.contrib.auth.decorators import login_required
from django.contrib.auth.forms import AuthenticationForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse_lazy
from django.utils.translation import get_language, gettext_lazy, override
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from emotrack.accounts.models import User
from emotrack.alerts.delivery.queries import mail_of
from emotrack.alerts.delivery.transports.mail import is_set_up

LANGUAGES = [("en", "English"), ("zh-hans", "简体中文")]
"""Each in its own words, so that whoever reads only one finds it."""


class SignInForm(AuthenticationForm):
    error_messages = {
        "invalid_login": gettext_lazy("That name and password do not belong together."),
        "inactive": gettext_lazy("This account is closed."),
    }

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].label = gettext_lazy("User name")


class SignIn(auth_views.LoginView):
    template_name = "web/sign_in.html"
    authentication_form = SignInForm
    redirect_authenticated_user = True

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        """Someone who signs in for the first time, or chose a language on this page, keeps it."""
        user = form.get_user()
        chosen = settings.LANGUAGE_COOKIE_NAME in self.request.COOKIES
        if (chosen or user.last_login is None) and user.language != get_language():
            user.language = get_language()
            user.save(update_fields=["language"])
        return super().form_valid(form)


_QUIET = ("quiet_from", "quiet_until")


class PreferencesForm(forms.ModelForm):
    language = forms.ChoiceField(label=gettext_lazy("Language"), choices=LANGUAGES)

    class Meta:
        model = User
        fields = ["language", "theme", "time_zone", "quiet_from", "quiet_until"]
        labels = {
            "theme": gettext_lazy("Colors"),
            "time_zone": gettext_lazy("Time zone"),
            "quiet_from": gettext_lazy("Quiet from"),
            "quiet_until": gettext_lazy("until"),
        }
        help_texts = {"quiet_from": ""}
        widgets = {name: forms.TimeInput({"type": "time"}, format="%H:%M") for name in _QUIET}

    def clean_time_zone(self) -> str:
        name = self.cleaned_data["time_zone"].strip()
        if name and name not in zoneinfo.available_timezones():
            raise forms.ValidationError(_("There is no such zone; write one like Europe/Berlin."))
        return name

    def clean(self) -> dict[str, object]:
        start, end = (self.cleaned_data.get(name) for name in _QUIET)
        if (start is None) != (end is None):
            self.add_error(
                "quiet_until" if end is None else "quiet_from", _("Give both times, or leave both empty.")
            )
        elif start is not None and start == end:
            self.add_error("quiet_until", _("That would be the whole day; choose another time."))
        return self.cleaned_data


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def preferences(request: HttpRequest) -> HttpResponse:
    form = PreferencesForm(request.POST or None, instance=request.user)
    if request.method == "POST" and form.is_valid():
        form.save()
        with override(request.user.language):
            messages.success(request, _("Saved."))
        return _remember_language(redirect("web:preferences"), request.user.language)
    context = {
        "form": form,
        "zones": sorted(zoneinfo.available_timezones()),
        "active": "you",
        "mail": mail_of(request.user),
        "mail_set_up": is_set_up(),
    }
    return render(request, "web/preferences.html", context, status=422 if form.errors else 200)


def _remember_language(response: HttpResponse, language: str) -> HttpResponse:
    """So that the sign-in page speaks it too."""
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        language,
        max_age=settings.LANGUAGE_COOKIE_AGE,
        secure=settings.LANGUAGE_COOKIE_SECURE,
        httponly=settings.LANGUAGE_COOKIE_HTTPONLY,
        samesite=settings.LANGUAGE_COOKIE_SAMESITE,
    )
    return response


class ChangePassword(auth_views.PasswordChangeView):
    template_name = "web/password.html"
    success_url = reverse_lazy("web:preferences")

    def form_valid(self, form: forms.Form) -> HttpResponse:
        messages.success(self.request, _("Your password was changed."))
        return super().form_valid(form)
