"""How long each kind of data is kept, and what a change would delete."""

from __future__ import annotations

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods, require_POST

from emotrack.history import retention
from emotrack.history.actions import Refused
from emotrack.history.models import RetentionPolicy
from emotrack.history.retention import Going, Terms
from emotrack.privacy.models import Purpose
from emotrack.web.administration import admins_only

OFFERED_DAYS = (7, 30, 90, 180, 365, 730)


class KeptForm(forms.Form):
    audio_days = forms.TypedChoiceField(label=gettext_lazy("Sound"), coerce=int)
    words_days = forms.TypedChoiceField(label=gettext_lazy("Words"), coerce=int)
    reason = forms.CharField(label=gettext_lazy("Reason for the change"), max_length=500)

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        stands = retention.in_force()
        self.fields["audio_days"].choices = _choices(stands.audio_days, retention.AFTER_ANALYSIS)
        self.fields["words_days"].choices = _choices(stands.words_days)

    def terms(self) -> Terms | None:
        """What the form says, or ``None`` with the errors marked."""
        if "audio_days" not in self.cleaned_data or "words_days" not in self.cleaned_data:
            return None
        try:
            return retention.checked(Terms(self.cleaned_data["audio_days"], self.cleaned_data["words_days"]))
        except Refused as refusal:
            self.add_error(refusal.pointer.strip("/"), refusal.detail)
            return None


def _choices(stands: int, *also: int) -> list[tuple[int, str]]:
    days = sorted({*OFFERED_DAYS, *also, stands} - {retention.KEEP})
    return [*((n, days_in_words(n)) for n in days), (retention.KEEP, days_in_words(retention.KEEP))]


def days_in_words(days: int) -> str:
    if days == retention.KEEP:
        return _("kept until the client is erased")
    if days == retention.AFTER_ANALYSIS:
        return _("deleted once it is read")
    return ngettext("%(n)d day", "%(n)d days", days) % {"n": days}


@admins_only
@require_http_methods(["GET", "HEAD", "POST"])
def kept_data(request: HttpRequest) -> HttpResponse:
    """POST saves new terms, which go for what is kept already too."""
    now, stands = timezone.now(), retention.in_force()
    form = KeptForm(initial={"audio_days": stands.audio_days, "words_days": stands.words_days})
    if request.method == "POST":
        form = KeptForm(request.POST)
        form.is_valid()
        terms = form.terms()
        if terms is not None and not form.errors:
            retention.save_policy(terms, reason=form.cleaned_data["reason"], by=request.user.actor, now=now)
            messages.success(request, _("Saved. What is past its time goes within the hour."))
            return redirect("web:kept_data")
    context = {
        "active": "kept_data",
        "form": form,
        "going": _in_words(stands, now),
        "history": [
            (past, days_in_words(past.audio_days), days_in_words(past.words_days))
            for past in RetentionPolicy.objects.all()[:20]
        ],
        "default": days_in_words(settings.AUDIO_KEPT_DAYS),
        "required": [Purpose(purpose).label for purpose in sorted(settings.CONSENT_REQUIRED)],
    }
    return render(request, "web/kept_data.html", context, status=422 if form.errors else 200)


@require_POST
@admins_only
def preview(request: HttpRequest) -> HttpResponse:
    """What the terms in the form would delete, nothing saved."""
    form = KeptForm(request.POST)
    form.is_valid()
    terms = form.terms()
    errors = [error for field in ("audio_days", "words_days") for error in form.errors.get(field, [])]
    going = _in_words(terms, timezone.now()) if terms is not None else []
    return render(request, "web/_going.html", {"going": going, "wrong": errors})


def _in_words(terms: Terms, now: object) -> list[str]:
    sound, words = retention.would_go(terms, now=now)
    return [_sound_in_words(sound), _words_in_words(words)]


def _sound_in_words(going: Going) -> str:
    if not going.count:
        return _("No recording would be deleted within the hour.")
    said = ngettext(
        "%(n)d recording of %(people)s would be deleted within the hour.",
        "%(n)d recordings of %(people)s would be deleted within the hour.",
        going.count,
    )
    return said % {"n": going.count, "people": _people(going.people)}


def _words_in_words(going: Going) -> str:
    if not going.count:
        return _("No words would be deleted within the hour.")
    said = ngettext(
        "The words of %(n)d turn of %(people)s would be deleted within the hour.",
        "The words of %(n)d turns of %(people)s would be deleted within the hour.",
        going.count,
    )
    return said % {"n": going.count, "people": _people(going.people)}


def _people(n: int) -> str:
    return ngettext("%(n)d person", "%(n)d people", n) % {"n": n}
