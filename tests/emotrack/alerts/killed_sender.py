"""A sender that is killed by itself: run as ``python -m …killed_sender DATABASE before|after``.

``before``: with the lease taken and nothing sent. ``after``: sent, and not yet marked.
"""

import os
import signal
import sys

import django
from django.conf import settings

database, moment = sys.argv[1:]
settings.DATABASES["default"]["NAME"] = database
settings.WEBHOOK_ALLOW_HTTP = settings.WEBHOOK_ALLOW_PRIVATE = True
django.setup()

from django.utils import timezone  # noqa: E402

from emotrack.alerts.delivery import deliver_due, transports  # noqa: E402


class Killed:
    def __init__(self, real):
        self.real = real

    def send(self, message):
        if moment == "after":
            self.real.send(message)
        os.kill(os.getpid(), signal.SIGKILL)


deliver_due(timezone.now, by={kind: Killed(real) for kind, real in transports().items()})
