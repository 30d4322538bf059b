"""Alert rules: what stands, what a change would have done, and who changed what for which reason."""

from __future__ import annotations

from datetime import timedelta

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from emotrack.accounts.models import User
from emotrack.alerts import actions
from emotrack.alerts.backtest import Backtest, backtest
from emotrack.alerts.models import Alert, Rule, RuleVersion
from emotrack.alerts.terms import InvalidTerms, checked
from emotrack.history.models import Client
from emotrack.web.rule_form import RuleForm
from emotrack.web.terms import in_words

PREVIEW_DAYS = 90
_ANY_REASON = "preview"


@login_required
@require_safe
def rules(request: HttpRequest) -> HttpResponse:
    since = timezone.now() - timedelta(days=PREVIEW_DAYS)
    lines = []
    for rule in _rules_for(request.user):
        fired = Alert.objects.visible_to(request.user).standing().filter(rule=rule, fired_at__gte=since)
        version = rule.current
        lines.append({"rule": rule, "version": version, "terms": in_words(version), "fired": fired.count()})
    return render(request, "web/rules.html", {"lines": lines, "days": PREVIEW_DAYS, "active": "rules"})


def _rules_for(user: User) -> list[Rule]:
    """Everybody's rules, and those of one client where the client may be seen."""
    visible = Client.objects.visible_to(user).values("pk")
    return list(
        (Rule.objects.filter(client=None) | Rule.objects.filter(client__in=visible))
        .select_related("client")
        .order_by("pk")
    )


def _rule_for(user: User, public_id: str) -> Rule:
    visible = Rule.objects.filter(client=None) | Rule.objects.filter(
        client__in=Client.objects.visible_to(user).values("pk")
    )
    return get_object_or_404(visible, public_id=public_id)


def _require_admin(user: User) -> None:
    if not user.is_admin:
        raise PermissionDenied(_("Only admins change rules."))


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def rule(request: HttpRequest, public_id: str) -> HttpResponse:
    found = _rule_for(request.user, public_id)
    if request.method == "POST":
        _require_admin(request.user)
    form = RuleForm(found, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid() and _saved(request, found, form):
        return redirect("web:rule", public_id=public_id)
    versions = list(found.versions.order_by("-number"))
    context = {
        "active": "rules",
        "rule": found,
        "version": versions[0],
        "terms": in_words(versions[0]),
        "history": [(v, in_words(v)) for v in versions],
        "form": form,
        "preview": _preview(request.user, found, versions[0]),
        "days": PREVIEW_DAYS,
    }
    return render(request, "web/rule.html", context, status=422 if form.errors else 200)


def _saved(request: HttpRequest, rule: Rule, form: RuleForm) -> bool:
    before = rule.current.number
    try:
        version = actions.save_rule(
            rule,
            reason=form.cleaned_data["reason"],
            by=request.user.actor,
            now=timezone.now(),
            **form.terms(),
        )
    except InvalidTerms as problem:
        form.refuse(problem)
        return False
    if version.number == before:
        messages.info(request, _("Nothing was changed."))
    else:
        messages.success(request, _("Saved as version %(n)d.") % {"n": version.number})
    return True


@login_required
@require_POST
def switch(request: HttpRequest, public_id: str) -> HttpResponse:
    """On or off, as the button says."""
    found = _rule_for(request.user, public_id)
    _require_admin(request.user)
    change = actions.enable_rule if request.POST.get("to") == "on" else actions.disable_rule
    change(found, by=request.user.actor, now=timezone.now())
    return redirect("web:rule", public_id=public_id)


@login_required
@require_POST
def preview(request: HttpRequest, public_id: str) -> HttpResponse:
    """How often the terms in the form would have fired, found by the code that fires."""
    found = _rule_for(request.user, public_id)
    _require_admin(request.user)
    form = RuleForm(found, request.POST)
    result = None
    if form.is_valid():
        try:
            terms = checked(found.kind, form.terms(), form.cleaned_data["reason"] or _ANY_REASON)
            result = _preview(request.user, found, RuleVersion(rule=found, **terms))
        except InvalidTerms as problem:
            form.refuse(problem)
    context = {"rule": found, "preview": result, "days": PREVIEW_DAYS, "form": form}
    return render(request, "web/_preview.html", context)


def _preview(user: User, rule: Rule, version: RuleVersion) -> Backtest:
    now = timezone.now()
    clients = Client.objects.visible_to(user)
    if rule.client_id is not None:
        clients = clients.filter(pk=rule.client_id)
    return backtest(
        version,
        rule.kind,
        since=now - timedelta(days=PREVIEW_DAYS),
        until=now,
        clients=Client.objects.filter(pk__in=clients.values("pk")),
    )
