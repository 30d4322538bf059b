"""Dates written by the hundred are what Django writes one by one."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.utils.formats import date_format
from django.utils.translation import override

from emotrack.web.dates import written

FORMS = ("j M Y, H:i", "j M Y", "F Y", "j M")
MOMENTS = [datetime(2026, month, 3 + month, month, 5 * month % 60, tzinfo=UTC) for month in range(1, 13)]


@pytest.mark.parametrize("language", ["en", "zh-hans"])
@pytest.mark.parametrize("form", FORMS)
def test_they_are_what_django_writes(form, language):
    with override(language):
        assert [written(at, form) for at in MOMENTS] == [date_format(at, form) for at in MOMENTS]


def test_a_letter_that_is_not_known_is_refused_rather_than_printed():
    with pytest.raises(ValueError, match="'D'"):
        written(MOMENTS[0], "D j M")
