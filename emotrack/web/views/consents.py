"""What a client agreed to: read it, write down an agreement, end one after saying what that means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST, require_safe

from emotrack.alerts.models import Alert
from emotrack.history.actions import Refused
from emotrack.history.models import Client, Status, Utterance
from emotrack.privacy.actions import give_consent, take_back_withdrawal, withdraw_consent
from emotrack.privacy.models import Consent, Purpose
from emotrack.web.administration import offer_undo, take_undo, undo_offered
from emotrack.web.client_frame import frame, visible_client
from emotrack.web.looked_at import note_look

ALLOWS: dict[str, Promise] = {
    Purpose.VOICE_EMOTION: gettext_lazy("EmoTrack may read from recordings how the voice may sound."),
    Purpose.TEXT: gettext_lazy("EmoTrack may keep the words of what was said and readings of them."),
    Purpose.ALERTS: gettext_lazy("EmoTrack may tell the counselor when a mood leaves its usual."),
    Purpose.RESEARCH: gettext_lazy("The readings may be used for research."),
}


class ConsentForm(forms.Form):
    purpose = forms.ChoiceField(choices=Purpose.choices, widget=forms.HiddenInput)
    version = forms.CharField(
        max_length=64,
        label=gettext_lazy("Version of the text that was agreed to"),
        error_messages={"required": gettext_lazy("Write which text the client agreed to.")},
        widget=forms.TextInput({"autocomplete": "off"}),
    )


@dataclass(frozen=True, slots=True)
class PurposeLine:
    """One purpose. standing: the consent in force, or ``None``. past: those that ended, newest first."""

    purpose: str
    title: str
    allows: str
    standing: Consent | None
    past: Sequence[Consent]
    form: ConsentForm


@login_required
@require_safe
def consents(request: HttpRequest, public_id: str) -> HttpResponse:
    client = visible_client(request, public_id)
    note_look(request.user, "consents.read", client, now=timezone.now(), subject=client.public_id)
    return _page(request, client, ending=request.GET.get("end", ""))


@login_required
@require_POST
def give(request: HttpRequest, public_id: str) -> HttpResponse:
    client = visible_client(request, public_id)
    form = ConsentForm(request.POST, auto_id=f"id_{request.POST.get('purpose', '')}_%s")
    if not form.is_valid():
        return _page(request, client, refused=form, status=422)
    purpose = Purpose(form.cleaned_data["purpose"])
    give_consent(
        client=client,
        purpose=purpose,
        version=form.cleaned_data["version"],
        by=request.user,
        now=timezone.now(),
    )
    messages.success(request, _("On record: %(purpose)s.") % {"purpose": purpose.label})
    return redirect("web:consents", public_id=public_id)


@login_required
@require_POST
def withdraw(request: HttpRequest, public_id: str) -> HttpResponse:
    """Without ``sure`` it only says what would happen."""
    client = visible_client(request, public_id)
    purpose = request.POST.get("purpose", "")
    if purpose not in Purpose.values or not request.POST.get("sure"):
        return _page(request, client, ending=purpose, status=422)
    now = timezone.now()
    ended = withdraw_consent(client=client, purpose=purpose, by=request.user.actor, now=now)
    if ended is not None:
        said = _("Withdrawn: %(purpose)s.") % {"purpose": Purpose(purpose).label}
        offer_undo(request, "consent", said, now=now, consent=ended.pk, client=public_id)
    return redirect("web:consents", public_id=public_id)


@login_required
@require_POST
def undo_withdrawal(request: HttpRequest, public_id: str) -> HttpResponse:
    """Take back a withdrawal that was a slip of one's own, just now."""
    client, now = visible_client(request, public_id), timezone.now()
    offer = take_undo(request, "consent", now=now)
    if offer is None or offer["client"] != public_id:
        messages.error(request, _("It is too late to take this back. To agree again is a new consent."))
        return redirect("web:consents", public_id=public_id)
    consent = Consent.objects.get(pk=offer["consent"], client=client)
    try:
        waiting = take_back_withdrawal(consent, by=request.user.actor, now=now)
    except Refused:
        messages.error(request, _("The client has agreed anew since: that consent stands."))
        return redirect("web:consents", public_id=public_id)
    said = _("Stands again: %(purpose)s.") % {"purpose": Purpose(consent.purpose).label}
    if waiting:
        turns = ngettext("%(n)d turn waits again to be read.", "%(n)d turns wait again to be read.", waiting)
        said += " " + turns % {"n": waiting}
    messages.success(request, said)
    return redirect("web:consents", public_id=public_id)


def _page(
    request: HttpRequest,
    client: Client,
    *,
    ending: str = "",
    refused: ConsentForm | None = None,
    status: int = 200,
) -> HttpResponse:
    lines = _lines(client, refused)
    asked = next((line for line in lines if line.purpose == ending and line.standing), None)
    now = timezone.now()
    undo = undo_offered(request, "consent", now=now)
    context = frame(request, client, "consents", now=now) | {
        "undo": undo if undo and undo["client"] == client.public_id else None,
        "undo_at": reverse("web:consent_undo", args=[client.public_id]),
        "lines": lines,
        "ending": asked,
        "what_ends": what_ends(client, ending) if asked else [],
    }
    return render(request, "web/consents.html", context, status=status)


def _lines(client: Client, refused: ConsentForm | None) -> list[PurposeLine]:
    rows = list(
        Consent.objects.filter(client=client)
        .select_related("app", "recorded_by")
        .order_by("-recorded_at", "-id")
    )
    wrong = refused.data.get("purpose") if refused else None
    return [
        PurposeLine(
            purpose,
            purpose.label,
            str(ALLOWS[purpose]),
            next((row for row in rows if row.purpose == purpose and row.withdrawn_at is None), None),
            [row for row in rows if row.purpose == purpose and row.withdrawn_at],
            refused
            if wrong == purpose
            else ConsentForm(initial={"purpose": purpose}, auto_id=f"id_{purpose}_%s"),
        )
        for purpose in Purpose
    ]


def what_ends(client: Client, purpose: str) -> list[str]:
    """What follows at once when the client takes this consent back, in sentences."""
    said = []
    if purpose in (Purpose.VOICE_EMOTION, Purpose.TEXT):
        said.append(_what_is_refused(purpose))
    if purpose == Purpose.VOICE_EMOTION and purpose in settings.CONSENT_REQUIRED:
        waiting = Utterance.objects.filter(client=client, status=Status.QUEUED).count()
        said.append(
            ngettext(
                "%(n)d turn that still waits is not read.",
                "%(n)d turns that still wait are not read.",
                waiting,
            )
            % {"n": waiting}
        )
    if purpose == Purpose.ALERTS:
        going_on = Alert.objects.filter(client=client).open().count()
        said.append(_("No alert tells of this client any more."))
        said.append(
            ngettext("%(n)d alert that goes on ends.", "%(n)d alerts that go on end.", going_on)
            % {"n": going_on}
        )
    if purpose == Purpose.RESEARCH:
        said.append(_("It is written down; nothing that EmoTrack does by itself rests on it."))
    said.append(_("What was read before stays; to have it erased is another step."))
    return said


def _what_is_refused(purpose: str) -> str:
    if purpose not in settings.CONSENT_REQUIRED:
        return _("This installation does not ask for it, so apps may go on posting: tell your admin.")
    if purpose == Purpose.VOICE_EMOTION:
        return _("New recordings are refused, and apps that post them are told why.")
    return _("New words are refused, and apps that post them are told why.")
