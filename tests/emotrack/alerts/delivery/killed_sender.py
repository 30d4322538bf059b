"""A sender that is killed by itself: run as ``python -m …killed_sender DATABASE before|after``.

``before``: with the lease taken and nothing sent. ``after``: sent, and not yet marked.
"""

import os
import signal
import sys

import django
from django.conf import settings


class Killed:
    def __init__(self, real, moment):
        self.real, self.moment = real, moment

    def send(self, message):
        if self.moment == "after":
            self.real.send(message)
        os.kill(os.getpid(), signal.SIGKILL)


def main(database, moment):
    settings.DATABASES["default"]["NAME"] = database
    settings.WEBHOOK_ALLOW_HTTP = settings.WEBHOOK_ALLOW_PRIVATE = True
    django.setup()
    from django.utils import timezone

    from emotrack.alerts.delivery.sending import deliver_due, transports

    deliver_due(timezone.now, by={kind: Killed(real, moment) for kind, real in transports().items()})


if __name__ == "__main__":
    main(*sys.argv[1:])
