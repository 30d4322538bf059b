"""Addresses of the pages."""

from django.contrib.auth import views as auth_views
from django.urls import path

from emotrack.web.views import account, alerts, caseload, client, replies, rules, session

app_name = "web"
urlpatterns = [
    path("", caseload.caseload, name="caseload"),
    path("sign-in", account.SignIn.as_view(), name="sign_in"),
    path("sign-out", auth_views.LogoutView.as_view(), name="sign_out"),
    path("you", account.preferences, name="preferences"),
    path("you/password", account.ChangePassword.as_view(), name="password"),
    path("clients/<str:public_id>", client.client, name="client"),
    path("sessions/<str:public_id>", session.session, name="session"),
    path("sessions/<str:public_id>/timeline.json", session.timeline, name="timeline"),
    path("sessions/<str:public_id>/turns/<str:turn_id>", session.turn, name="turn"),
    path("alerts", alerts.alerts, name="alerts"),
    path("alerts/unseen.json", alerts.unseen, name="unseen_alerts"),
    path("alerts/<str:public_id>", alerts.alert, name="alert"),
    path("alerts/<str:public_id>/acknowledge", alerts.acknowledge, name="acknowledge"),
    path("rules", rules.rules, name="rules"),
    path("rules/<str:public_id>", rules.rule, name="rule"),
    path("rules/<str:public_id>/switch", rules.switch, name="rule_switch"),
    path("rules/<str:public_id>/preview", rules.preview, name="rule_preview"),
    path("replies", replies.replies, name="replies"),
]
