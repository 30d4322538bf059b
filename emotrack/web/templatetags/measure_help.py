"""The "?" beside a figure."""

from __future__ import annotations

from django import template

from emotrack.web.help import help_on

register = template.Library()


@register.inclusion_tag("web/_help.html")
def measure_help(topic: str, place: str = "") -> dict:
    """A button that opens what the notes say of a measure. place: tells two of one topic on a page apart."""
    return {"help": help_on(topic), "id": f"help-{topic}{place}"}
