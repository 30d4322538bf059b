"""Who asks: an app by its key, or a person by the site's session; and whether they may use this method."""

from __future__ import annotations

import copy
import ipaddress
from typing import Any

from django.http import HttpRequest, QueryDict
from django.utils import timezone
from django.utils.datastructures import MultiValueDict
from rest_framework import exceptions
from rest_framework.authentication import BaseAuthentication, CSRFCheck
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from emotrack.accounts.actions import key_for
from emotrack.accounts.models import ApiKey, App, User
from emotrack.api.errors import Problem

_SAFE = {"GET", "HEAD", "OPTIONS"}


class KeyAuthentication(BaseAuthentication):
    """``Authorization: Bearer emo_…``; the viewer is the app. A key in a query is never looked at."""

    def authenticate(self, request: Request) -> tuple[App, ApiKey] | None:
        kind, _space, token = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
        if not kind:
            return None
        key = key_for(token.strip(), now=timezone.now()) if kind.lower() == "bearer" else None
        if key is None or (key.loopback_only and not is_loopback(request._request)):
            raise exceptions.AuthenticationFailed
        return key.app, key

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="EmoTrack"'


class SiteSessionAuthentication(BaseAuthentication):
    """A person who signed in on the site; what changes something must carry the page's CSRF token."""

    def authenticate(self, request: Request) -> tuple[User, None] | None:
        user = getattr(request._request, "user", None)
        if user is None or not user.is_authenticated or not user.is_active:
            return None
        if request.method not in _SAFE:
            _require_csrf_token(request._request)
        return user, None


def _require_csrf_token(request: HttpRequest) -> None:
    """The token is taken from its header alone, so that the body stays unread for the strict parsers."""
    bare = copy.copy(request)
    bare._post, bare._files = QueryDict(), MultiValueDict()
    check = CSRFCheck(lambda _request: None)
    check.process_request(bare)
    if check.process_view(bare, None, (), {}):
        raise Problem("csrf-failed", "Send the page's token as X-CSRFToken.", status=403)


def is_loopback(request: HttpRequest) -> bool:
    """Whether the caller sits on this machine; a proxy's word about that is not taken."""
    if request.META.get("HTTP_X_FORWARDED_FOR") or request.META.get("HTTP_FORWARDED"):
        return False
    try:
        address = ipaddress.ip_address(request.META.get("REMOTE_ADDR", ""))
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback


class HasScope(BasePermission):
    """Apps need the scope that the view names for the method; people need the view to be meant for them."""

    def has_permission(self, request: Request, view: Any) -> bool:
        if request.user is None:
            return False
        method = "GET" if request.method == "HEAD" else request.method
        if not hasattr(view, method.lower()):
            return True
        if isinstance(request.user, App):
            _require_scope(request.auth, view.scopes.get(method))
        elif method not in view.people:
            raise Problem("apps-only", status=403)
        return True


def _require_scope(key: ApiKey, scope: str | None) -> None:
    if scope is None:
        raise Problem("people-only", status=403)
    if scope not in key.scopes:
        raise Problem("missing-scope", f"This needs the scope {scope}.", status=403)
