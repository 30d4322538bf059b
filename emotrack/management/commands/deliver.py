"""Sends the notices of alerts in a process of its own; start as many as are wanted."""

import signal
import threading

from django.core.management.base import BaseCommand, CommandParser

from emotrack.alerts.delivery.sending import DeliveryLoop, wake
from emotrack.management import background


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--threads", type=int, default=4, help="Receivers called at once (4).")

    def handle(self, *, threads: int, **options: object) -> None:
        senders, stop = background.Background(), threading.Event()
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, lambda *_: stop.set())
        for number in range(threads):
            senders.start(f"deliveries-{number}", DeliveryLoop().run_forever)
        stop.wait()
        senders.stopping.set()
        wake()
        senders.stop(within_s=20.0)
