"""Adds an app that may post utterances, and prints a key that is shown once."""

from argparse import ArgumentParser

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from emotrack.accounts import actions as accounts
from emotrack.accounts.models import Scope, User
from emotrack.audit.models import Actor
from emotrack.privacy.models import Purpose


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name")
        parser.add_argument("--scope", action="append", choices=Scope.values, required=True)
        parser.add_argument("--counselor", action="append", default=[], help="Sees the clients it creates.")
        parser.add_argument(
            "--consent",
            action="append",
            default=[],
            choices=Purpose.values,
            help="What the app's own terms obtain consent for.",
        )
        parser.add_argument("--terms", default="", help="Version of those terms; needed with --consent.")

    def handle(
        self,
        name: str,
        scope: list[str],
        counselor: list[str],
        consent: list[str],
        terms: str,
        **options: object,
    ) -> None:
        if consent and not terms:
            raise CommandError("Say with --terms under which version of its terms the app obtains consent.")
        by, now = Actor.system("command line"), timezone.now()
        app = accounts.create_app(
            name=name,
            by=by,
            now=now,
            counselors=[self._counselor(username) for username in counselor],
            consent_purposes=consent,
            consent_version=terms,
        )
        _row, token = accounts.create_key(app=app, scopes=[Scope(s) for s in scope], by=by, now=now)
        self.stdout.write(f"Added {name} ({app.public_id}). Its key, shown once: {token}")

    def _counselor(self, username: str) -> User:
        user = User.objects.filter(username=username).first()
        if user is None or not user.is_counselor:
            raise CommandError(f"There is no counselor named {username}.")
        return user
