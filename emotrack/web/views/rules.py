"""Alert rules: what stands, what a change would have done, and who changed what for which reason."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from emotrack.accounts.models import User
from emotrack.alerts import actions
from emotrack.alerts.models import Alert, Kind, Rule, RuleVersion, Scope
from emotrack.alerts.rules.kinds import KINDS
from emotrack.alerts.rules.queries import rules_visible_to, with_versions
from emotrack.alerts.rules.terms import FIELDS, InvalidTerms, checked
from emotrack.history.models import Client
from emotrack.web.administration import names_of, offer_undo, take_undo, undo_offered
from emotrack.web.rule_chart import WIDTH
from emotrack.web.rule_form import NewRuleForm, RuleForm
from emotrack.web.rule_preview import DAYS, preview
from emotrack.web.rule_standing import standing_of, standings
from emotrack.web.terms import changes_in_words, in_words, measure_name, scope_words

_ANY_REASON = "preview"


@login_required
@require_safe
def rules(request: HttpRequest) -> HttpResponse:
    now, found = timezone.now(), list(with_versions(rules_visible_to(request.user)))
    said = standings(found, viewer=request.user, now=now)
    fired = _fired_counts(request.user, now)
    lines = [
        {
            "rule": rule,
            "version": _newest(rule),
            "terms": in_words(_newest(rule)),
            "scope": scope_words(rule),
            "fired": fired.get(rule.pk, 0),
            "standing": said[rule.pk],
        }
        for rule in found
    ]
    context = {
        "lines": lines,
        "days": DAYS,
        "active": "rules",
        "undo": undo_offered(request, "rules", now=now),
        "undo_at": reverse("web:rules_undo"),
    }
    return render(request, "web/rules.html", context)


def _newest(rule: Rule) -> RuleVersion:
    version = list(rule.versions.all())[-1]
    version.rule = rule
    return version


def _fired_counts(user: User, now: datetime) -> dict[int, int]:
    seen = Alert.objects.visible_to(user).values("pk")
    lately = Alert.objects.standing().filter(pk__in=seen, fired_at__gte=now - timedelta(days=DAYS))
    return dict(lately.order_by().values("rule").annotate(n=Count("pk")).values_list("rule", "n"))


def _rule_for(user: User, public_id: str) -> Rule:
    return get_object_or_404(with_versions(rules_visible_to(user)), public_id=public_id)


def _require_admin(user: User) -> None:
    if not user.is_admin:
        raise PermissionDenied(_("Only admins change rules."))


def _stored(version: RuleVersion) -> dict[str, object]:
    return {name: getattr(version, name) for name in FIELDS}


# --- One rule -----------------------------------------------------------------------------------


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def rule(request: HttpRequest, public_id: str) -> HttpResponse:
    found = _rule_for(request.user, public_id)
    if request.method == "POST":
        _require_admin(request.user)
    newest, now = _newest(found), timezone.now()
    form = RuleForm(found.kind, _stored(newest), request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid() and _saved(request, found, newest, form):
        return redirect("web:rule", public_id=public_id)
    draft = _suggested(request, newest, form)
    context = {
        "active": "rules",
        "rule": found,
        "version": newest,
        "is_draft": draft is not newest,
        "next_version": newest.number + 1,
        "scope": scope_words(found),
        "terms": in_words(newest),
        "history": _history(found),
        "form": form,
        "standing": standing_of(found, viewer=request.user, now=now),
        "preview": preview(request.user, found, draft, now=now, saved=newest),
        "preview_at": reverse("web:rule_preview", args=[public_id]),
        "draft": draft,
        "days": DAYS,
        "undo": undo_offered(request, "rules", now=now),
        "undo_at": reverse("web:rules_undo"),
    }
    return render(request, "web/rule.html", context, status=422 if form.errors else 200)


def _history(rule: Rule) -> list[dict[str, object]]:
    """Versions, newest first, each with what it changed."""
    versions = list(rule.versions.all())
    for version in versions:
        version.rule = rule
    told = []
    for before, version in zip([None, *versions], versions, strict=False):
        changed = changes_in_words(before, version) if before else in_words(version)
        told.append({"version": version, "changed": changed, "first": before is None})
    return told[::-1]


def _suggested(request: HttpRequest, newest: RuleVersion, form: RuleForm) -> RuleVersion:
    """The newest terms, or a draft with the threshold that the address asks to be shown."""
    asked = request.GET.get("threshold", "")
    if request.method == "POST" or not asked:
        return newest
    try:
        terms = _stored(newest) | {"threshold": float(asked)}
        draft = RuleVersion(rule=newest.rule, **checked(newest.rule.kind, terms, _ANY_REASON))
    except (ValueError, InvalidTerms):
        messages.info(request, _("That threshold cannot be previewed with the other terms."))
        return newest
    form.initial["threshold"] = draft.threshold
    return draft


def _saved(request: HttpRequest, rule: Rule, newest: RuleVersion, form: RuleForm) -> bool:
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
    if version.number == newest.number:
        messages.info(request, _("Nothing was changed."))
    else:
        messages.success(request, _("Saved as version %(n)d.") % {"n": version.number})
    return True


@login_required
@require_POST
def switch(request: HttpRequest, public_id: str) -> HttpResponse:
    """On or off, as the button says; off can be taken back."""
    found, now = _rule_for(request.user, public_id), timezone.now()
    _require_admin(request.user)
    if request.POST.get("to") == "on":
        actions.enable_rule(found, by=request.user.actor, now=now)
    else:
        actions.disable_rule(found, by=request.user.actor, now=now)
        said = _("“%(rule)s” is off; its open alerts have ended.") % {"rule": found.title}
        offer_undo(request, "rules", said, now=now, rule=found.public_id)
    return redirect("web:rule", public_id=public_id)


@login_required
@require_POST
def undo(request: HttpRequest) -> HttpResponse:
    """Switch on again what was switched off just now."""
    _require_admin(request.user)
    now = timezone.now()
    offer = take_undo(request, "rules", now=now)
    if offer is None:
        messages.info(request, _("There is nothing left to undo."))
        return redirect("web:rules")
    found = _rule_for(request.user, offer["rule"])
    actions.enable_rule(found, by=request.user.actor, now=now)
    return redirect("web:rule", public_id=found.public_id)


@login_required
@require_POST
def rule_preview(request: HttpRequest, public_id: str) -> HttpResponse:
    """How often the terms in the form would have fired, found by the code that fires."""
    found = _rule_for(request.user, public_id)
    _require_admin(request.user)
    newest = _newest(found)
    return _previewed(request, found, RuleForm(found.kind, _stored(newest), request.POST), newest)


def _previewed(request: HttpRequest, rule: Rule, form: RuleForm, saved: RuleVersion | None) -> HttpResponse:
    result = draft = None
    if form.is_valid():
        before = _stored(saved) if saved else {}
        try:
            terms = checked(rule.kind, before | form.terms(), form.cleaned_data["reason"] or _ANY_REASON)
        except InvalidTerms as problem:
            form.refuse(problem)
        else:
            draft = RuleVersion(rule=rule, **terms)
            if saved is not None and terms == _stored(saved):
                draft = saved
            result = preview(
                request.user,
                rule,
                draft,
                now=timezone.now(),
                saved=saved,
                closely=request.POST.get("closely", ""),
                width=_width(request),
            )
    context = {"rule": rule, "preview": result, "days": DAYS, "form": form, "draft": draft}
    return render(request, "web/_preview.html", context | {"version": saved})


def _width(request: HttpRequest) -> int:
    asked = request.POST.get("w", "")
    return int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 5 else WIDTH


# --- A new one ----------------------------------------------------------------------------------


@login_required
@require_safe
def kinds(request: HttpRequest) -> HttpResponse:
    """What a new rule may look for."""
    _require_admin(request.user)
    listed = [(kind.value, kind.label, measure_name(KINDS[kind].measures[0])) for kind in Kind]
    return render(request, "web/rule_kinds.html", {"kinds": listed, "active": "rules"})


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest, kind: str) -> HttpResponse:
    """The editor for a rule that is not saved yet; ``from`` names one whose terms it begins with."""
    _require_admin(request.user)
    terms = _first_terms(request, kind)
    form = _new_form(request, kind, terms)
    if request.method == "POST" and form.is_valid():
        try:
            made = actions.create_rule(
                kind=kind,
                name=form.cleaned_data["name"],
                reason=form.cleaned_data["reason"],
                by=request.user.actor,
                now=timezone.now(),
                **form.scope(),
                **form.terms(),
            )
        except InvalidTerms as problem:
            form.refuse(problem)
        else:
            messages.success(request, _("The rule is on. It judges each client’s next session."))
            return redirect("web:rule", public_id=made.public_id)
    unsaved = Rule(kind=kind)
    draft = RuleVersion(rule=unsaved, **checked(kind, terms, _ANY_REASON))
    context = {
        "active": "rules",
        "rule": unsaved,
        "form": form,
        "draft": draft,
        "preview": preview(request.user, unsaved, draft, now=timezone.now(), saved=None),
        "preview_at": reverse("web:rule_new_preview", args=[kind]),
        "days": DAYS,
    }
    return render(request, "web/rule.html", context, status=422 if form.errors else 200)


@login_required
@require_POST
def new_preview(request: HttpRequest, kind: str) -> HttpResponse:
    _require_admin(request.user)
    form = _new_form(request, kind, _first_terms(request, kind))
    unsaved = Rule(kind=kind)
    if form.is_valid():
        scope = form.scope()
        unsaved.client, unsaved.cohort = scope.get("client"), scope.get("cohort")
        unsaved.scope = next((Scope(name) for name in scope), Scope.EVERYONE)
    return _previewed(request, unsaved, form, None)


def _first_terms(request: HttpRequest, kind: str) -> dict[str, object]:
    if kind not in KINDS:
        raise Http404
    copied = request.GET.get("from")
    if not copied:
        return dict(KINDS[kind].defaults)
    found = _rule_for(request.user, copied)
    if found.kind != kind:
        raise Http404
    return _stored(_newest(found))


def _new_form(request: HttpRequest, kind: str, terms: dict[str, object]) -> NewRuleForm:
    visible = Client.objects.visible_to(request.user).values("pk")
    clients = list(Client.objects.filter(Q(pk__in=visible), erased_at__isnull=True))
    names = names_of(clients, request.user)
    people = sorted(((one.public_id, names.get(one.pk) or one.code) for one in clients), key=lambda p: p[1])
    return NewRuleForm(kind, terms, people, request.POST if request.method == "POST" else None)
