"""The description of this API, made from the views themselves, and its offline pages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.templatetags.static import static
from django.urls import reverse
from django.utils.html import format_html
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.views import SpectacularAPIView
from rest_framework.permissions import AllowAny

from emotrack.api.shapes import ProblemAnswer

ASYNCAPI = Path(__file__).resolve().parents[2] / "docs" / "asyncapi.yaml"


class KeyScheme(OpenApiAuthenticationExtension):
    target_class = "emotrack.api.authentication.KeyAuthentication"
    name = "key"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        return {"type": "http", "scheme": "bearer", "description": "`emo_<prefix>_<secret>` of an app."}


class SiteSessionScheme(OpenApiAuthenticationExtension):
    target_class = "emotrack.api.authentication.SiteSessionAuthentication"
    name = "site_session"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        return {
            "type": "apiKey",
            "in": "cookie",
            "name": "sessionid",
            "description": "A signed-in person; changes also need the X-CSRFToken header.",
        }


class DoorSchema(AutoSchema):
    """Every operation may answer with a problem."""

    def _get_response_bodies(self, direction: str = "response") -> dict[str, Any]:
        bodies = super()._get_response_bodies(direction)
        problem = self._get_response_for_code(
            ProblemAnswer, "default", ["application/problem+json"], direction
        )
        problem["description"] = "What went wrong (RFC 9457)."
        return bodies | {"default": problem}


class Schema(SpectacularAPIView):
    """OpenAPI 3.1 as YAML or JSON (`?format=json`)."""

    authentication_classes = []
    permission_classes = [AllowAny]


def docs(request: HttpRequest) -> HttpResponse:
    """The interactive page, from our own files and without an inline script or style."""
    folder = "drf_spectacular_sidecar/swagger-ui-dist"
    page = format_html(
        _PAGE,
        icon=static(f"{folder}/favicon-32x32.png"),
        style=static(f"{folder}/swagger-ui.css"),
        library=static(f"{folder}/swagger-ui-bundle.js"),
        script=reverse("api:docs-script"),
    )
    return HttpResponse(page)


def docs_script(request: HttpRequest) -> HttpResponse:
    return HttpResponse(_SCRIPT, content_type="text/javascript; charset=utf-8")


_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>EmoTrack API</title>
<link rel="icon" href="{icon}">
<link rel="stylesheet" href="{style}">
</head>
<body>
<main id="api"></main>
<script src="{library}"></script>
<script src="{script}"></script>
</body>
</html>
"""

_SCRIPT = """"use strict";
function withToken(request) {
  const token = document.cookie.match(/(?:^|; )csrftoken=([^;]+)/);
  if (token && request.method !== "GET") request.headers["X-CSRFToken"] = token[1];
  return request;
}
SwaggerUIBundle({
  url: "schema?format=json",
  dom_id: "#api",
  presets: [SwaggerUIBundle.presets.apis],
  layout: "BaseLayout",
  validatorUrl: null,
  requestInterceptor: withToken,
});
"""


def asyncapi(request: HttpRequest) -> HttpResponse:
    """The description of the WebSockets."""
    return HttpResponse(ASYNCAPI.read_bytes(), content_type="application/yaml")
