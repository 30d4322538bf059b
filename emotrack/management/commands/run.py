"""Starts EmoTrack on this machine: database, first user, sample practice, recognizer, server."""

from __future__ import annotations

import asyncio
import signal
import sys
from argparse import ArgumentParser

import uvicorn
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.crypto import get_random_string

from emotrack import pipeline
from emotrack.accounts import actions as accounts
from emotrack.accounts.models import App, Role, Scope, User
from emotrack.alerts import actions as alerts
from emotrack.alerts.delivery.sending import DeliveryLoop, wake
from emotrack.audit.models import Actor
from emotrack.history.models import Client
from emotrack.management import background
from emotrack.privacy.models import Purpose
from emotrack.recognition import service
from emotrack.sample import conversation, practice

SETUP = Actor.system("set-up")
FIRST_USER = "counselor"
DEMO_APP = "Demo app"
SENDERS = 3
"""Receivers called at once, so that one that hangs does not hold up the others."""


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--no-sample", action="store_true", help="Start with an empty practice.")

    def handle(self, host: str, port: int, no_sample: bool, **options: object) -> None:
        self._say("Preparing the database …")
        call_command("migrate", verbosity=0, interactive=False)
        alerts.ensure_default_rules(now=timezone.now())
        user, password = self._first_user()
        app = self._demo_app(user)
        self._warm_up()
        if not no_sample and not Client.objects.exists():
            practice.load(counselor=user, app=app, now=timezone.now(), progress=self._progress)
        self._say_where(host, port, password, self._demo_key(app))
        self._serve(host, port)

    def _say(self, words: str) -> None:
        self.stdout.write(words)
        self.stdout.flush()

    def _progress(self, done: int, everyone: int, name: str) -> None:
        bar = "█" * (30 * done // everyone)
        end = "\n" if done == everyone else ""
        if sys.stdout.isatty():
            self.stdout.write(f"\rSample practice [{bar:<30}] {name:<28}", ending=end)
        elif done in (0, everyone):
            self.stdout.write("Sample practice …" if done == 0 else "Sample practice is ready.")
        self.stdout.flush()

    def _first_user(self) -> tuple[User, str | None]:
        user = User.objects.filter(role_grants__role=Role.COUNSELOR).order_by("id").first()
        if user is not None:
            return user, None
        password = get_random_string(16)
        user = accounts.create_user(
            username=FIRST_USER,
            password=password,
            roles=[Role.COUNSELOR, Role.ADMIN],
            by=SETUP,
            now=timezone.now(),
        )
        return user, password

    def _demo_app(self, user: User) -> App:
        app = App.objects.filter(name=DEMO_APP).first()
        return app or accounts.create_app(
            name=DEMO_APP,
            by=SETUP,
            now=timezone.now(),
            counselors=[user],
            consent_purposes=[Purpose.VOICE_EMOTION, Purpose.TEXT, Purpose.ALERTS],
            consent_version="sample",
        )

    def _demo_key(self, app: App) -> str:
        """A new key that works from this machine only; the one before stops working."""
        now = timezone.now()
        for key in app.keys.filter(revoked_at__isnull=True, loopback_only=True):
            accounts.revoke_key(key, by=SETUP, now=now)
        _row, token = accounts.create_key(
            app=app, scopes=[Scope.INGEST, Scope.READ], by=SETUP, now=now, loopback_only=True
        )
        return token

    def _warm_up(self) -> None:
        self._say("Warming the recognizer …")
        status = service().status()
        if not status.ready:
            raise CommandError(status.sentence)

    def _say_where(self, host: str, port: int, password: str | None, token: str) -> None:
        shown = "127.0.0.1" if host in ("0.0.0.0", "::") else host  # noqa: S104
        address = f"http://{shown}:{port}"
        sound = next(turn.audio for turn in conversation.load().turns if turn.speaker == "client")
        self._say(f"\nEmoTrack is at {address}")
        if password:
            self._say(f"  Sign in as {FIRST_USER} with {password}  (shown once; keep it)")
        else:
            self._say("  Sign in with the password you were given at the first start.")
        self._say(
            "\nPost an utterance (this key works from this machine, until the next start):\n"
            f"  curl -F client=ann-42 -F session=today -F audio=@{sound.relative_to(settings.BASE_DIR)} \\\n"
            f"       -H 'Authorization: Bearer {token}' {address}/api/v1/utterances\n"
            "\nCtrl+C stops it."
        )

    def _serve(self, host: str, port: int) -> None:
        threads = background.Background()
        threads.start("schedule", background.tick)
        threads.start("recordings", pipeline.read_recordings)
        for number in range(SENDERS):
            threads.start(f"deliveries-{number}", DeliveryLoop().run_forever)
        if not background.uses_celery():
            threads.start("tasks", background.work)
        config = uvicorn.Config(
            "emotrack.asgi:application",
            host=host,
            port=port,
            log_level="warning",
            http="h11",  # the faster parser keeps a header without end until the memory is full
            lifespan="off",
            ws_max_size=1 << 20,
            timeout_graceful_shutdown=10,
            server_header=False,
            # Without a proxy in front, nobody's word about another address is taken.
            proxy_headers=settings.BEHIND_TLS,
        )
        # The server raises the signal that ended it once more; the rest must still be let finish.
        signal.signal(signal.SIGTERM, lambda *_: None)
        try:
            asyncio.run(uvicorn.Server(config).serve())
        finally:
            threads.stopping.set()
            wake()
            threads.stop()
