"""Addresses that are told of alerts: made, changed, tried out and taken away."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from emotrack.accounts.models import Scope
from emotrack.alerts.delivery import channels
from emotrack.alerts.delivery.queries import webhooks
from emotrack.alerts.models import Attempt, NotificationChannel
from emotrack.api import bodies, delivery_shapes, shapes
from emotrack.api.door import Door
from emotrack.api.errors import Problem
from emotrack.api.paging import Order, page

_CHANGES = frozenset({"GET", "POST", "PATCH", "DELETE"})


class AdminDoor(Door):
    """For apps, on what is their own, and for admins, on everything."""

    scopes = dict.fromkeys(_CHANGES, Scope.RULES)
    people = _CHANGES

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if self.app is None and not self.viewer.is_admin:
            raise Problem("forbidden", "Only admins and apps may do this.", status=403)


class Webhooks(AdminDoor):
    @extend_schema(
        operation_id="list_webhooks",
        parameters=[bodies.Paging],
        responses=shapes.listed(delivery_shapes.WebhookAnswer),
    )
    def get(self, request: Request) -> Response:
        """Your webhooks, oldest first; an admin sees everybody's."""
        asked = self.query(bodies.Paging)
        return Response(page(webhooks(self.viewer), Order("created_at"), asked).answer(webhook_answer))

    @extend_schema(
        operation_id="create_webhook",
        request=bodies.WebhookBody,
        responses={201: delivery_shapes.NewWebhookAnswer},
    )
    def post(self, request: Request) -> Response:
        """Add an address. The `secret` that signs is shown in this answer and never again.

        An app's webhook tells of the clients linked to the app, an admin's of all.
        """
        body = self.body(bodies.WebhookBody)
        made, secret = channels.create_channel(**body, app=self.app, by=self.actor, now=self.now)
        answer = webhook_answer(self.find(webhooks(self.viewer), made.public_id))
        return Response(answer | {"secret": secret}, status=201)


class OneWebhook(AdminDoor):
    @extend_schema(operation_id="get_webhook", responses=delivery_shapes.WebhookAnswer)
    def get(self, request: Request, webhook: str) -> Response:
        """A webhook, with how many notices wait for it or lie as dead letters."""
        self.query(bodies.Nothing)
        return Response(webhook_answer(self.find(webhooks(self.viewer), webhook)))

    @extend_schema(
        operation_id="change_webhook",
        request=bodies.WebhookChange,
        responses=delivery_shapes.WebhookAnswer,
    )
    def patch(self, request: Request, webhook: str) -> Response:
        """Another name, address or format; or switch it off (`on: false`) and on again."""
        found = self.find(NotificationChannel.objects.all(), webhook)
        body = self.body(bodies.WebhookChange)
        on = body.pop("on", None)
        channels.change_channel(found, by=self.actor, now=self.now, **body)
        if on is True:
            channels.enable_channel(found, by=self.actor, now=self.now)
        elif on is False:
            channels.switch_off(found, by=self.actor, now=self.now)
        return Response(webhook_answer(self.find(webhooks(self.viewer), webhook)))

    @extend_schema(operation_id="delete_webhook", responses={204: None})
    def delete(self, request: Request, webhook: str) -> Response:
        """Take it away; what waited for it becomes dead letters."""
        found = self.find(NotificationChannel.objects.all(), webhook)
        channels.remove_channel(found, by=self.actor, now=self.now)
        return Response(status=204)


class WebhookRotation(AdminDoor):
    @extend_schema(operation_id="rotate_webhook_secret", request=None, responses=delivery_shapes.SecretAnswer)
    def post(self, request: Request, webhook: str) -> Response:
        """A new secret, shown once. For 24 hours both sign, then the old one ends."""
        found = self.find(NotificationChannel.objects.all(), webhook)
        self.body(bodies.Nothing)
        secret = channels.rotate_secret(found, by=self.actor, now=self.now)
        until = self.now + channels.BOTH_SECRETS_SIGN
        return Response({"secret": secret, "both_sign_until": until})


class WebhookTest(AdminDoor):
    @extend_schema(operation_id="test_webhook", request=None, responses=delivery_shapes.TestAnswer)
    def post(self, request: Request, webhook: str) -> Response:
        """Send a signed test notice now, once, and say how it went."""
        found = self.find(NotificationChannel.objects.all(), webhook)
        self.body(bodies.Nothing)
        tried = channels.send_test(found, by=self.actor, now=self.now)
        answer = {"delivery": tried.notification.public_id, "taken": not tried.error}
        return Response(answer | attempt_answer(tried) | {"answer": tried.answer})


class WebhookReplay(AdminDoor):
    @extend_schema(operation_id="replay_webhook", request=None, responses=delivery_shapes.ReplayedAnswer)
    def post(self, request: Request, webhook: str) -> Response:
        """Send all its dead letters once more, each under its own id."""
        found = self.find(NotificationChannel.objects.all(), webhook)
        self.body(bodies.Nothing)
        return Response({"replayed": channels.replay_dead(found, by=self.actor, now=self.now)})


def webhook_answer(channel: NotificationChannel) -> dict[str, Any]:
    return {
        "id": channel.public_id,
        "name": channel.name,
        "url": channel.url,
        "format": channel.format,
        "app": channel.app.public_id if channel.app else None,
        "on": channel.disabled_at is None,
        "created_at": channel.created_at,
        "disabled_at": channel.disabled_at,
        "disabled_reason": channel.disabled_reason or None,
        "waiting": channel.waiting,
        "dead": channel.dead,
        "last_sent_at": channel.last_sent_at,
    }


def attempt_answer(tried: Attempt) -> dict[str, Any]:
    return {
        "at": tried.at,
        "took_ms": tried.took_ms,
        "status": tried.status,
        "error": tried.error or None,
    }
