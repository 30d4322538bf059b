"""What a voice assistant says and does with a reading, in the wording of this practice."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from analysis.response import DEFAULT_POLICY, FALLBACK_ACTIONS, LANGUAGES, STRATEGY_FIELDS, PolicyError
from analysis.values import LABELS
from emotrack.mood.actions import save_response_policy
from emotrack.mood.models import ResponsePolicy
from emotrack.mood.queries import response_policy

LANGUAGE_NAMES = {"en": "English", "zh-hans": "简体中文"}
READING_NAMES = {
    "no_speech": gettext_lazy("No speech"),
    "low_quality": gettext_lazy("Poor sound"),
    "unknown": gettext_lazy("No label fits"),
    "ambiguous": gettext_lazy("Mixed"),
}
STRATEGY_NAMES = {
    "strategy": gettext_lazy("Word for programs"),
    "tone": gettext_lazy("Tone"),
    "do": gettext_lazy("Do"),
    "avoid": gettext_lazy("Avoid"),
}


@dataclass(frozen=True, slots=True)
class Field:
    """One text of the form. name: place within the language, like ``strategies/sad/tone``."""

    name: str
    label: str
    value: str
    error: str = ""
    changed: bool = False


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def replies(request: HttpRequest) -> HttpResponse:
    if not request.user.is_admin:
        raise PermissionDenied(_("Only admins word the replies."))
    language = request.GET.get("language", LANGUAGES[0])
    if language not in LANGUAGES:
        language = LANGUAGES[0]
    policy, problems = response_policy(), {}
    if request.method == "POST":
        policy = _posted(request.POST, policy, language)
        try:
            save_response_policy(policy, by=request.user.actor, now=timezone.now())
        except PolicyError as error:
            problems = dict(error.problems)
        else:
            messages.success(request, _("Saved."))
            return redirect(f"{reverse('web:replies')}?language={language}")
    context = {
        "languages": [(slug, LANGUAGE_NAMES[slug], slug == language) for slug in LANGUAGES],
        "active": "replies",
        "language": language,
        "fallbacks": _fallbacks(policy, language, problems),
        "strategies": _strategies(policy, language, problems),
        "newest": ResponsePolicy.objects.first(),
        "refused": bool(problems),
    }
    return render(request, "web/replies.html", context, status=422 if problems else 200)


def _posted(data: Mapping[str, str], saved: Mapping, language: str) -> dict:
    """The saved overrides with this language's replaced by what differs from the shipped wording."""
    policy = deepcopy(dict(saved))
    shipped = DEFAULT_POLICY[language]
    fallbacks = {k: data.get(f"fallbacks/{k}", "").strip() for k in FALLBACK_ACTIONS}
    strategies = {
        label: {f: data.get(f"strategies/{label}/{f}", "").strip() for f in STRATEGY_FIELDS}
        for label in LABELS
    }
    policy[language] = {
        "fallbacks": {k: v for k, v in fallbacks.items() if v != shipped["fallbacks"].get(k)},
        "strategies": {k: v for k, v in strategies.items() if v != shipped["strategies"].get(k)},
    }
    return policy


def _fallbacks(policy: Mapping, language: str, problems: Mapping[str, str]) -> list[tuple[Field, str]]:
    own = policy.get(language, {}).get("fallbacks", {})
    shipped = DEFAULT_POLICY[language]["fallbacks"]
    return [
        (
            Field(
                name=f"fallbacks/{reading}",
                label=str(READING_NAMES[reading]),
                value=own.get(reading, shipped[reading]),
                error=problems.get(f"/{language}/fallbacks/{reading}", ""),
                changed=reading in own,
            ),
            action,
        )
        for reading, action in FALLBACK_ACTIONS.items()
    ]


def _strategies(policy: Mapping, language: str, problems: Mapping[str, str]) -> list[tuple[str, list[Field]]]:
    own = policy.get(language, {}).get("strategies", {})
    shipped = DEFAULT_POLICY[language]["strategies"]
    return [
        (
            label,
            [
                Field(
                    name=f"strategies/{label}/{part}",
                    label=str(STRATEGY_NAMES[part]),
                    value=own.get(label, shipped[label])[part],
                    error=problems.get(f"/{language}/strategies/{label}/{part}", ""),
                    changed=label in own,
                )
                for part in STRATEGY_FIELDS
            ],
        )
        for label in LABELS
    ]
