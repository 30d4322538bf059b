"""Why a notice was not taken, in the reader's language."""

from __future__ import annotations

import re

from django import template
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

register = template.Library()

_WITH_DETAIL = (
    (r"The receiver answered (?P<code>\d+)\.", gettext_noop("The receiver answered %(code)s.")),
    (
        r"The receiver answered (?P<code>\d+); redirects are not followed\.",
        gettext_noop("The receiver answered %(code)s; redirects are not followed."),
    ),
    (
        r"The certificate does not hold: (?P<why>.*)\.",
        gettext_noop("The certificate does not hold: %(why)s."),
    ),
    (r"No answer: (?P<why>\w+)\.", gettext_noop("No answer: %(why)s.")),
    (r"The mail server answered (?P<code>\d+)\.", gettext_noop("The mail server answered %(code)s.")),
    (
        r"The mail server refused the address \((?P<code>\d+)\)\.",
        gettext_noop("The mail server refused the address (%(code)s)."),
    ),
    (
        r"No answer from the mail server: (?P<why>\w+)\.",
        gettext_noop("No answer from the mail server: %(why)s."),
    ),
)


@register.filter
def why(error: str) -> str:
    """The stored sentence, translated; one that is not known stays as it is."""
    for pattern, said in _WITH_DETAIL:
        if found := re.fullmatch(pattern, error):
            return _(said) % found.groupdict()
    return _(error) if error else ""
