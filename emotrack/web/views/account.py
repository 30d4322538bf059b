"""Coming in, going out, and one's own settings."""

from __future__ import annotations

import zoneinfo

from django import forms
from django.contrib import messages
from django.contrib.auth import views as auth_views
from django.contrib.auth.decorators import login_required
from django.contrib.auth.forms import AuthenticationForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from emotrack.accounts.models import User


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


class PreferencesForm(forms.ModelForm):
    class Meta:
        model = User
        fields = ["theme", "time_zone"]
        labels = {"theme": gettext_lazy("Colors"), "time_zone": gettext_lazy("Time zone")}

    def clean_time_zone(self) -> str:
        name = self.cleaned_data["time_zone"].strip()
        if name and name not in zoneinfo.available_timezones():
            raise forms.ValidationError(_("There is no such zone; write one like Europe/Berlin."))
        return name


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def preferences(request: HttpRequest) -> HttpResponse:
    form = PreferencesForm(request.POST or None, instance=request.user)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, _("Saved."))
        return redirect("web:preferences")
    context = {"form": form, "zones": sorted(zoneinfo.available_timezones()), "active": "you"}
    return render(request, "web/preferences.html", context, status=422 if form.errors else 200)


class ChangePassword(auth_views.PasswordChangeView):
    template_name = "web/password.html"
    success_url = reverse_lazy("web:preferences")

    def form_valid(self, form: forms.Form) -> HttpResponse:
        messages.success(self.request, _("Your password was changed."))
        return super().form_valid(form)
