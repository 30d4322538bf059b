"""Where trial alerts end: a receiver on loopback that lives for one call and checks it as any other would."""

from __future__ import annotations

import hmac
import http.server
import json
import threading
from dataclasses import replace

from emotrack.alerts.delivery.transports import Answer, Message
from emotrack.alerts.delivery.transports.webhook import Webhook, signature

TYPE = "alert.trial"
_LARGEST_BYTES = 10_000


class Trial:
    """Posts the message to a receiver that it starts itself, over the same code as every webhook."""

    def __init__(self) -> None:
        self._webhook = Webhook(allow_http=True, allow_private=True)

    def send(self, message: Message) -> Answer:
        with http.server.HTTPServer(("127.0.0.1", 0), _receiver_of(message)) as server:
            server.timeout = self._webhook.deadline_s
            listening = threading.Thread(target=server.handle_request, daemon=True, name="trial-receiver")
            listening.start()
            here = f"http://127.0.0.1:{server.server_port}/"
            answer = self._webhook.send(replace(message, url=here))
            listening.join(server.timeout)
            return answer


def _receiver_of(message: Message) -> type[http.server.BaseHTTPRequestHandler]:
    class Receiver(http.server.BaseHTTPRequestHandler):
        timeout = 5

        def do_POST(self) -> None:
            body = self.rfile.read(min(int(self.headers["content-length"]), _LARGEST_BYTES))
            self.send_response(200 if self._holds(body) else 400)
            self.end_headers()

        def _holds(self, body: bytes) -> bool:
            stamp = int(self.headers["webhook-timestamp"])
            expected = signature(message.secrets[0], message.id, stamp, body)
            signed = self.headers["webhook-signature"].split(" ")[0]
            return hmac.compare_digest(expected, signed) and json.loads(body)["type"] == TYPE

        def log_message(self, *args: object) -> None:
            """What arrived stands in the log of deliveries."""

    return Receiver
