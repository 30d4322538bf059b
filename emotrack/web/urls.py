"""Addresses of the pages."""

from collections.abc import Callable

from django.contrib.auth import views as auth_views
from django.urls import URLPattern, path, re_path

from emotrack.identifiers import PATTERN
from emotrack.web.views import account, alerts, caseload, client, replies, rules, session

app_name = "web"


def of(resource: str, rest: str, view: Callable, name: str) -> URLPattern:
    """``<resource>/<id><rest>``; what cannot be an id is a 404 before any look-up."""
    return re_path(rf"^{resource}/(?P<public_id>{PATTERN}){rest}$", view, name=name)


urlpatterns = [
    path("", caseload.caseload, name="caseload"),
    path("sign-in", account.SignIn.as_view(), name="sign_in"),
    path("sign-out", auth_views.LogoutView.as_view(), name="sign_out"),
    path("you", account.preferences, name="preferences"),
    path("you/password", account.ChangePassword.as_view(), name="password"),
    of("clients", "", client.client, "client"),
    of("sessions", "", session.session, "session"),
    of("sessions", r"/timeline\.json", session.timeline, "timeline"),
    of("sessions", rf"/turns/(?P<turn_id>{PATTERN})", session.turn, "turn"),
    path("alerts", alerts.alerts, name="alerts"),
    path("alerts/unseen.json", alerts.unseen, name="unseen_alerts"),
    of("alerts", "", alerts.alert, "alert"),
    of("alerts", "/acknowledge", alerts.acknowledge, "acknowledge"),
    path("rules", rules.rules, name="rules"),
    of("rules", "", rules.rule, "rule"),
    of("rules", "/switch", rules.switch, "rule_switch"),
    of("rules", "/preview", rules.preview, "rule_preview"),
    path("replies", replies.replies, name="replies"),
]
