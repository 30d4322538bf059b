"""Long tables of a client's page, written in one go: the template language is slow for 500 rows."""

from __future__ import annotations

from collections.abc import Sequence

from django import template
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from emotrack.mood.queries import SessionPoint
from emotrack.web.client_bins import Bin
from emotrack.web.templatetags.emo import one_signed, percent, plain, signed

register = template.Library()

_ANY = "0" * 20


def _link_to_session() -> tuple[str, str]:
    """What stands before and after the id in a session's address."""
    before, after = reverse("web:session", args=[_ANY]).split(_ANY)
    return before, after


def _linked(title: str, session: str, ends: tuple[str, str]) -> str | SafeString:
    if not session:
        return title
    return format_html('<a class="link" href="{}{}{}">{}</a>', ends[0], session, ends[1], title)


@register.simple_tag
def mood_rows(bins: Sequence[Bin]) -> SafeString:
    """Rows of the table beside the curve; figures that cannot be said are said to be missing."""
    ends, little = _link_to_session(), _("too little to say")
    return format_html_join(
        "\n",
        '<tr><td class="nw">{}</td>{}<td class="num">{}</td><td class="num">{}</td></tr>',
        (
            (
                _linked(found.title, found.id, ends),
                _figures(found, little),
                percent(found.coverage),
                one_signed(found.peak_z),
            )
            for found in bins
        ),
    )


def _figures(found: Bin, little: str) -> SafeString:
    if found.mean is None:
        return format_html('<td class="num mu" colspan="3">{}</td>', little)
    return format_html(
        '<td class="num">{}</td><td class="num">{}</td><td class="num">{}</td>',
        signed(found.mean),
        "–" if found.half_width is None else f"± {plain(found.half_width)}",
        signed(found.level) if found.id else found.sessions,
    )


@register.simple_tag
def volatility_rows(rows: Sequence[tuple[SessionPoint, str, bool]]) -> SafeString:
    """Session, day and whether it lies beyond the line."""
    ends = _link_to_session()
    return format_html_join(
        "\n",
        '<tr><td class="nw">{}</td><td class="num">{}{}</td></tr>',
        (
            (_linked(day, point.session, ends), one_signed(point.peak_z), " ▲" if beyond else "")
            for point, day, beyond in rows
        ),
    )
