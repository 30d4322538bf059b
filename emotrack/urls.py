"""Where each address leads: the three doors."""

from django.urls import include, path

urlpatterns = [
    path("", include("emotrack.api.urls")),
    path("", include("emotrack.web.urls")),
]

handler400 = "emotrack.api.errors.bad_request"
handler403 = "emotrack.api.errors.permission_denied"
handler404 = "emotrack.api.errors.page_not_found"
handler500 = "emotrack.api.errors.server_error"
