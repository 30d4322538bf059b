"""Adds a person who may sign in, and prints a password that is shown once."""

from argparse import ArgumentParser

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.crypto import get_random_string

from emotrack.accounts import actions as accounts
from emotrack.accounts.models import Role, User
from emotrack.audit.models import Actor


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username")
        parser.add_argument("--role", action="append", choices=Role.values, required=True)

    def handle(self, username: str, role: list[str], **options: object) -> None:
        if User.objects.filter(username=username).exists():
            raise CommandError(f"There is a {username} already.")
        password = get_random_string(16)
        accounts.create_user(
            username=username,
            password=password,
            roles=[Role(r) for r in role],
            by=Actor.system("command line"),
            now=timezone.now(),
        )
        self.stdout.write(f"Added {username}. The password, shown once: {password}")
