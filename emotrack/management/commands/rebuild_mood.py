"""Makes every mood series anew from the history; nothing changes unless a definition or a row did."""

from argparse import ArgumentParser

from django.core.management.base import BaseCommand

from emotrack.history.models import Client
from emotrack.mood import actions as mood


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("codes", nargs="*", help="Codes of clients, like K7-Q2M; all when left out.")

    def handle(self, codes: list[str], **options: object) -> None:
        clients = Client.objects.filter(erased_at__isnull=True).order_by("id")
        if codes:
            clients = clients.filter(code__in=codes)
        everyone = clients.count()
        for done, client in enumerate(clients, start=1):
            sessions = mood.rebuild(client)
            self.stdout.write(f"{done}/{everyone} {client.code}: {sessions} sessions")
