"""Adds an address that is told when an alert fires, and prints the secret that signs what it gets."""

from argparse import ArgumentParser

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from emotrack.alerts.delivery import channels
from emotrack.alerts.models import Format
from emotrack.audit.models import Actor
from emotrack.history.actions import Refused


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("url")
        parser.add_argument("--name", default="Webhook")
        parser.add_argument("--format", choices=Format.values, default=Format.STANDARD.value)

    def handle(self, url: str, name: str, format: str, **options: object) -> None:
        try:
            channel, secret = channels.create_channel(
                name=name, url=url, format=format, by=Actor.system("command line"), now=timezone.now()
            )
        except Refused as refused:
            raise CommandError(refused.detail) from refused
        self.stdout.write(f"Added {channel.public_id}. Its secret, shown once: {secret}")
