"""Shows each person the pages in their own zone and language."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils import timezone, translation

FOR_PROGRAMS = ("/api/", "/predict_emotion", "/problems/")
"""Below these every text is English, whoever asks: programs compare them, and logs are read by many."""


class PersonMiddleware:
    """Activates the signed-in user's time zone and language for the length of one request.

    Others get what their browser asks for, or what they chose on the sign-in page.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        user = request.user
        zone, language = None, translation.get_language()
        if user.is_authenticated:
            zone, language = user.zone, user.language
        if request.path.startswith(FOR_PROGRAMS):
            language = "en"
        with timezone.override(zone), translation.override(language):
            response = self.get_response(request)
            response.headers.setdefault("Content-Language", language)
            return response
