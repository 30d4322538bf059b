"""What was sent out, how each attempt went, and sending it once more."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from emotrack.alerts.delivery.channels import replay
from emotrack.alerts.delivery.queries import deliveries
from emotrack.alerts.models import Notification
from emotrack.api import bodies, delivery_shapes, shapes
from emotrack.api.paging import Order, page
from emotrack.api.webhooks import AdminDoor, attempt_answer


class Deliveries(AdminDoor):
    @extend_schema(
        operation_id="list_deliveries",
        parameters=[bodies.DeliveriesQuery],
        responses=shapes.listed(delivery_shapes.DeliveryAnswer),
    )
    def get(self, request: Request) -> Response:
        """Notices to your webhooks, newest first, each with its attempts; an admin sees everybody's."""
        asked = self.query(bodies.DeliveriesQuery)
        rows = deliveries(self.viewer, channel=asked.get("webhook"), state=asked.get("state"))
        return Response(page(rows, Order("created_at", newest_first=True), asked).answer(delivery_answer))


class OneDelivery(AdminDoor):
    @extend_schema(operation_id="get_delivery", responses=delivery_shapes.DeliveryAnswer)
    def get(self, request: Request, delivery: str) -> Response:
        """A notice with its attempts."""
        self.query(bodies.Nothing)
        return Response(delivery_answer(self.find(deliveries(self.viewer), delivery)))


class DeliveryReplay(AdminDoor):
    @extend_schema(operation_id="replay_delivery", request=None, responses=delivery_shapes.DeliveryAnswer)
    def post(self, request: Request, delivery: str) -> Response:
        """Send it once more, under the same id: 409 while it waits or its webhook is switched off."""
        found = self.find(deliveries(self.viewer), delivery)
        self.body(bodies.Nothing)
        replay(found, by=self.actor, now=self.now)
        return Response(delivery_answer(self.find(deliveries(self.viewer), delivery)))


def delivery_answer(notice: Notification) -> dict[str, Any]:
    return {
        "id": notice.public_id,
        "webhook": notice.channel.public_id,
        "channel": notice.channel.kind,
        "kind": notice.kind,
        "alert": notice.alert.public_id if notice.alert else None,
        "trouble": notice.trouble.kind if notice.trouble else None,
        "state": notice.state,
        "created_at": notice.created_at,
        "due_at": notice.due_at if notice.state == "waiting" else None,
        "sent_at": notice.sent_at,
        "dead_at": notice.dead_at,
        "withdrawn_at": notice.withdrawn_at,
        "error": notice.last_error or None,
        "attempts": [attempt_answer(tried) for tried in notice.tries.all()],
    }
