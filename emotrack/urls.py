"""Where each address leads: the three doors."""

from django.urls import include, path

urlpatterns = [
    path("", include("emotrack.api.urls")),
    path("", include("emotrack.web.urls")),
]
