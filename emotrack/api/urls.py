"""Addresses of the REST door."""

from django.urls import include, path, re_path

from emotrack.api import (
    alerts,
    clients,
    cohorts,
    deliveries,
    dynamics,
    errors,
    export,
    health,
    notes,
    patterns,
    playback,
    predict,
    recordings,
    rule_standing,
    rules,
    schema,
    sessions,
    timeline,
    utterances,
    webhooks,
)
from emotrack.identifiers import PATTERN

app_name = "api"


def _of(resource: str, rest: str, view: type, name: str):
    """``<resource>s/<id><rest>``, where the id is a public id and anything else is a 404."""
    return re_path(rf"^{resource}s/(?P<{resource}>{PATTERN}){rest}$", view.as_view(), name=name)


resources = [
    path("clients", clients.Clients.as_view(), name="clients"),
    _of("client", "", clients.OneClient, "client"),
    _of("client", "/sessions", clients.ClientSessions, "client-sessions"),
    _of("client", "/notes", clients.ClientNotes, "client-notes"),
    _of("note", "", notes.OneNote, "note"),
    _of("client", "/timeline", timeline.ClientTimeline, "client-timeline"),
    _of("client", "/mood", dynamics.ClientMood, "client-mood"),
    _of("client", "/dynamics", dynamics.ClientDynamics, "client-dynamics"),
    _of("client", "/clusters", patterns.ClientClusters, "client-clusters"),
    _of("client", "/export", export.ClientExport, "client-export"),
    _of("client", "/similar", patterns.ClientSimilar, "client-similar"),
    path("cohorts", cohorts.Cohorts.as_view(), name="cohorts"),
    _of("cohort", "", cohorts.OneCohort, "cohort"),
    _of("cohort", "/clusters", cohorts.CohortClusters, "cohort-clusters"),
    _of("session", "", sessions.OneSession, "session"),
    _of("session", "/end", sessions.SessionEnd, "session-end"),
    _of("session", "/export", export.SessionExport, "session-export"),
    _of("session", "/context", export.SessionContext, "session-context"),
    _of("session", "/utterances", utterances.SessionUtterances, "session-utterances"),
    _of("session", "/recording", recordings.SessionRecording, "session-recording"),
    _of("job", "", recordings.OneJob, "job"),
    _of("session", "/timeline", timeline.SessionTimeline, "session-timeline"),
    path("utterances", utterances.Shortcut.as_view(), name="utterances"),
    _of("utterance", "", utterances.OneUtterance, "utterance"),
    _of("utterance", "/correction", utterances.UtteranceCorrection, "utterance-correction"),
    _of("utterance", "/audio", playback.UtteranceAudio, "utterance-audio"),
    _of("utterance", "/peaks", playback.UtterancePeaks, "utterance-peaks"),
    _of("utterance", "/embedding", playback.UtteranceEmbedding, "utterance-embedding"),
    _of("utterance", "/frames", playback.UtteranceFrames, "utterance-frames"),
    path("alerts", alerts.Alerts.as_view(), name="alerts"),
    _of("alert", "", alerts.OneAlert, "alert"),
    _of("alert", "/acknowledge", alerts.AlertAcknowledgment, "alert-acknowledge"),
    _of("alert", "/resolve", alerts.AlertResolution, "alert-resolve"),
    _of("alert", "/snooze", alerts.AlertSnooze, "alert-snooze"),
    _of("alert", "/verdict", alerts.AlertVerdict, "alert-verdict"),
    _of("rule", "/standing", rule_standing.RuleStandingDoor, "rule-standing"),
    path("rules", rules.Rules.as_view(), name="rules"),
    _of("rule", "", rules.OneRule, "rule"),
    _of("rule", "/backtest", rules.RuleBacktest, "rule-backtest"),
    path("webhooks", webhooks.Webhooks.as_view(), name="webhooks"),
    _of("webhook", "", webhooks.OneWebhook, "webhook"),
    _of("webhook", "/rotate", webhooks.WebhookRotation, "webhook-rotate"),
    _of("webhook", "/test", webhooks.WebhookTest, "webhook-test"),
    _of("webhook", "/replay", webhooks.WebhookReplay, "webhook-replay"),
    path("deliveries", deliveries.Deliveries.as_view(), name="deliveries"),
    re_path(rf"^deliveries/(?P<delivery>{PATTERN})$", deliveries.OneDelivery.as_view(), name="delivery"),
    re_path(
        rf"^deliveries/(?P<delivery>{PATTERN})/replay$",
        deliveries.DeliveryReplay.as_view(),
        name="delivery-replay",
    ),
    path("schema", schema.Schema.as_view(), name="schema"),
    path("docs", schema.docs, name="docs"),
    path("docs.js", schema.docs_script, name="docs-script"),
    path("asyncapi", schema.asyncapi, name="asyncapi"),
]

urlpatterns = [
    path("api/v1/", include(resources)),
    path("predict_emotion", predict.PredictEmotion.as_view(), name="predict-emotion"),
    path("problems/<slug:slug>", errors.explain, name="problem"),
    re_path(r"^api/", errors.nothing_here, name="nothing-here"),
    path("livez", health.livez, name="livez"),
    path("readyz", health.readyz, name="readyz"),
]
