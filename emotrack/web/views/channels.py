"""Where notices go: webhooks made, changed, tried out and taken away, and each person's own mail."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import urlsplit

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from emotrack.accounts.models import App
from emotrack.alerts.delivery import channels as actions
from emotrack.alerts.delivery.queries import deliveries, webhooks
from emotrack.alerts.delivery.transports.mail import is_set_up
from emotrack.alerts.models import ChannelKind, Format, NotificationChannel, SystemAlert
from emotrack.alerts.service.trial import trial_state
from emotrack.history.actions import Conflict, Refused
from emotrack.web.administration import admins_only, offer_undo, take_undo, undo_offered
from emotrack.web.templatetags.deliveries import why
from emotrack.web.troubles import sentence

LATEST = 8
"""Notices shown on the page of a webhook; the log has all."""


class WebhookForm(forms.Form):
    name = forms.CharField(label=gettext_lazy("Name"), max_length=100)
    url = forms.CharField(
        label=gettext_lazy("Address"),
        max_length=1000,
        widget=forms.TextInput(attrs={"inputmode": "url", "autocomplete": "off", "spellcheck": "false"}),
        help_text=gettext_lazy("It is told ids and links, never a name or what was said."),
    )
    format = forms.ChoiceField(
        label=gettext_lazy("Format"),
        choices=Format.choices,
        help_text=gettext_lazy("Alertmanager’s is what on-call tools take as it is."),
    )


class NewWebhookForm(WebhookForm):
    app = forms.ModelChoiceField(
        label=gettext_lazy("Tells of"),
        queryset=App.objects.order_by("name"),
        required=False,
        empty_label=gettext_lazy("All clients, and troubles of the service"),
        help_text=gettext_lazy("Or only of the clients linked to an app."),
    )


def _refuse(form: forms.Form, refusal: Refused) -> None:
    form.add_error("url", _(refusal.detail))


# --- The list -----------------------------------------------------------------------------------


@admins_only
@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_variables("secret")
def channels(request: HttpRequest) -> HttpResponse:
    """All webhooks, and whether trials and mail work. POST adds a webhook and shows its secret, once."""
    form = NewWebhookForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made, secret = actions.create_channel(
                **form.cleaned_data, by=request.user.actor, now=timezone.now()
            )
        except Refused as refusal:
            _refuse(form, refusal)
        else:
            return _shown_once(request, made, secret)
    now = timezone.now()
    mail = NotificationChannel.objects.filter(kind=ChannelKind.EMAIL).on()
    context = {
        "active": "channels",
        "form": form,
        "lines": [(channel, urlsplit(channel.url).hostname) for channel in webhooks(request.user)],
        "trial": trial_state(now),
        "mail_set_up": is_set_up(),
        "mailed": mail.filter(user__is_active=True).count(),
        "undo": undo_offered(request, "channel", now=now),
    }
    return render(request, "web/channels.html", context, status=422 if form.errors else 200)


def _shown_once(request: HttpRequest, channel: NotificationChannel, secret: str) -> HttpResponse:
    found = get_object_or_404(webhooks(request.user), pk=channel.pk)
    context = _context(request, found) | {"secret": secret, "both": found.secret_before_until}
    return render(request, "web/channel.html", context)


# --- One webhook --------------------------------------------------------------------------------


@admins_only
@require_http_methods(["GET", "HEAD", "POST"])
def channel(request: HttpRequest, public_id: str) -> HttpResponse:
    """A webhook and its latest notices. POST changes name, address and format."""
    found = get_object_or_404(webhooks(request.user), public_id=public_id)
    form = WebhookForm(request.POST or None, initial=_values(found))
    if request.method == "POST" and form.is_valid():
        try:
            actions.change_channel(found, by=request.user.actor, now=timezone.now(), **form.cleaned_data)
        except Refused as refusal:
            _refuse(form, refusal)
        else:
            messages.success(request, _("Saved."))
            return redirect("web:channel", public_id)
    status = 422 if form.errors else 200
    return render(request, "web/channel.html", _context(request, found, form), status=status)


def _values(channel: NotificationChannel) -> dict[str, str]:
    return {"name": channel.name, "url": channel.url, "format": channel.format}


def _context(request: HttpRequest, channel: NotificationChannel, form: WebhookForm | None = None) -> dict:
    return {
        "active": "channels",
        "channel": channel,
        "form": form or WebhookForm(initial=_values(channel)),
        "latest": deliveries(request.user, channel=channel.public_id)[:LATEST],
    }


@require_POST
@admins_only
def test(request: HttpRequest, public_id: str) -> HttpResponse:
    """Send a test now and show how it went."""
    found = get_object_or_404(webhooks(request.user), public_id=public_id)
    tried = actions.send_test(found, by=request.user.actor, now=timezone.now())
    return render(request, "web/channel.html", _context(request, found) | {"tried": tried})


@require_POST
@admins_only
@sensitive_variables("secret")
def rotate(request: HttpRequest, public_id: str) -> HttpResponse:
    """A new secret on this answer, once; for a day both sign."""
    found = get_object_or_404(webhooks(request.user), public_id=public_id)
    secret = actions.rotate_secret(found, by=request.user.actor, now=timezone.now())
    return _shown_once(request, found, secret)


@require_POST
@admins_only
def switch(request: HttpRequest, public_id: str) -> HttpResponse:
    """``to``: ``on``, ``off``, ``replay`` (all dead letters) or ``remove`` (with undo)."""
    found = get_object_or_404(webhooks(request.user), public_id=public_id)
    by, now = request.user.actor, timezone.now()
    match request.POST.get("to"):
        case "on":
            actions.enable_channel(found, by=by, now=now)
        case "off":
            actions.switch_off(found, by=by, now=now)
        case "replay":
            _replay(request, found, now)
        case "remove":
            actions.remove_channel(found, by=by, now=now)
            said = _("“%(name)s” is removed.") % {"name": found.name}
            offer_undo(request, "channel", said, now=now, channel=public_id)
            return redirect("web:channels")
        case _unknown:
            raise Http404
    return redirect("web:channel", public_id)


def _replay(request: HttpRequest, channel: NotificationChannel, now: datetime) -> None:
    try:
        n = actions.replay_dead(channel, by=request.user.actor, now=now)
    except Conflict as conflict:
        messages.error(request, _(conflict.detail))
        return
    said = ngettext("%(n)d notice is sent once more.", "%(n)d notices are sent once more.", n)
    messages.success(request, said % {"n": n})


@require_POST
@admins_only
def undo(request: HttpRequest) -> HttpResponse:
    """Bring back the webhook that was just removed."""
    now = timezone.now()
    offer = take_undo(request, "channel", now=now)
    if offer is None:
        messages.error(request, _("It is too late to undo that."))
        return redirect("web:channels")
    removed = get_object_or_404(NotificationChannel, public_id=offer["channel"])
    actions.restore_channel(removed, by=request.user.actor, now=now)
    messages.success(request, _("Undone."))
    return redirect("web:channel", removed.public_id)


# --- The service --------------------------------------------------------------------------------


@admins_only
@require_safe
def system(request: HttpRequest) -> HttpResponse:
    """What ails the service now, and what did."""
    raised = list(SystemAlert.objects.visible_to(request.user).raised()[:100])
    lines = [(trouble, sentence(trouble)) for trouble in raised]
    context = {
        "active": "system",
        "now_open": [line for line in lines if line[0].until is None],
        "over": [line for line in lines if line[0].until is not None],
        "trial": trial_state(timezone.now()),
    }
    return render(request, "web/system.html", context)


# --- One's own mail -----------------------------------------------------------------------------


@require_POST
@login_required
def own_mail(request: HttpRequest) -> HttpResponse:
    """Whether the person is mailed that there is news, and where; ``to=test`` sends one now."""
    user, now = request.user, timezone.now()
    if request.POST.get("to") == "test":
        mine = get_object_or_404(NotificationChannel.objects.on(), user=user)
        tried = actions.send_test(mine, by=user.actor, now=now)
        if tried.error:
            messages.error(request, _("The test mail did not go out: %(why)s") % {"why": why(tried.error)})
        else:
            messages.success(request, _("A test mail is on its way to %(to)s.") % {"to": user.email})
        return redirect("web:preferences")
    try:
        actions.set_mail(
            user,
            on="on" in request.POST,
            address=request.POST.get("address", ""),
            by=user.actor,
            now=now,
        )
    except Refused as refusal:
        messages.error(request, _(refusal.detail))
    else:
        messages.success(request, _("Saved."))
    return redirect("web:preferences")
