"""Numbers on the page of a rule: places in drawings, which know no decimal comma, and rates."""

from __future__ import annotations

from django import template
from django.utils.translation import gettext as _

from emotrack.web.terms import number

register = template.Library()

RARE = 0.05
"""Below this many a week, a rate is told by the year."""


@register.filter
def px(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


@register.filter
def number_words(value: float) -> str:
    return number(round(value, 3))


@register.filter
def rate_words(per_week: float) -> str:
    """How often, in a unit in which it can be pictured."""
    if per_week >= RARE:
        return _("about %(n)s a week") % {"n": f"{per_week:.1f}"}
    if per_week * 52 >= RARE:
        return _("about %(n)s a year") % {"n": f"{per_week * 52:.1f}"}
    return _("hardly ever")
