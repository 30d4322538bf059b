"""Numbers, icons, emotion chips and bars as the pages show them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from analysis.values import LABELS
from emotrack.web import timeline, words
from emotrack.web.charts import STACK_ORDER

register = template.Library()

MIX_WIDTH = 100.0


@register.filter
def signed(value: float | None) -> str:
    """Two decimals with a sign, a dash for nothing."""
    return "–" if value is None else timeline.signed(value)


@register.filter
def one_signed(value: float | None) -> str:
    """One decimal, for figures in own spreads."""
    return "–" if value is None else f"{value:+.1f}".replace("-", "−")


@register.filter
def plain(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


@register.filter
def percent(share: float | None) -> str:
    return words.percent(share)


@register.filter
def emotion(label: str) -> str:
    return str(words.EMOTIONS.get(label, ""))


@register.filter
def translated(sentence: str) -> str:
    """A sentence of ours that stands in the data, like a recognizer's published accuracy."""
    return _(sentence) if sentence else ""


@register.filter
def seconds_span(spans: Sequence[tuple[float, float]]) -> str:
    """Stretches of seconds in words, like ``3.1–5.4 s and 6.4–7.2 s``."""
    said = [f"{start:.1f}–{stop:.1f} s" for start, stop in spans]
    if len(said) < 2:
        return "".join(said)
    return _("%(first)s and %(last)s") % {"first": ", ".join(said[:-1]), "last": said[-1]}


@register.filter
def clock_of(at: datetime, start: datetime) -> str:
    return timeline.clock((at - start).total_seconds())


@register.filter
def clock_at(seconds: float) -> str:
    return timeline.clock(seconds)


@register.simple_tag
def icon(name: str) -> SafeString:
    return format_html(
        '<svg class="i" viewBox="0 0 16 16" aria-hidden="true"><use href="#i-{}"/></svg>', name
    )


@register.simple_tag
def chip(label: str) -> SafeString:
    """The letters of an emotion on its color; the name is for those who do not see it."""
    return format_html('<span class="em em-{}" aria-hidden="true">{}</span>', label, words.CODES[label])


@register.simple_tag
def mix(shares: Sequence[float] | None) -> SafeString:
    """Nine shares as one bar, in the order of every stack."""
    if not shares:
        return SafeString("")
    at, bars = 0.0, []
    for label in STACK_ORDER:
        width = float(shares[LABELS.index(label)]) * MIX_WIDTH
        bars.append((label, f"{at:.2f}", f"{max(width - 0.8, 0.2):.2f}"))
        at += width
    rects = format_html_join("", '<rect class="f-{}" x="{}" y="0.5" width="{}" height="13"/>', bars)
    return format_html(
        '<svg class="mix" viewBox="0 0 100 14" preserveAspectRatio="none" role="img" '
        'aria-label="{}">{}</svg>',
        words.in_a_line(shares, 5),
        rects,
    )


@register.simple_tag
def share_bar(label: str, share: float) -> SafeString:
    return format_html(
        '<svg class="share" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">'
        '<rect class="track" width="100" height="8" rx="1"/>'
        '<rect class="f-{}" width="{}" height="8" rx="1"/></svg>',
        label,
        f"{100 * share:.1f}",
    )


@register.simple_tag
def coverage_bar(share: float | None) -> SafeString:
    return format_html(
        '<svg class="covbar" viewBox="0 0 44 4" aria-hidden="true">'
        '<rect class="track" width="44" height="4" rx="2"/>'
        '<rect class="{}" width="{}" height="4" rx="2"/></svg>',
        "few" if (share or 0) < 0.6 else "got",
        f"{44 * (share or 0):.1f}",
    )
