"""From the commit of an alert to the first attempt at telling of it, while others write to the database.

    python -m benchmarks.deliveries [--alerts 200] [--receivers 4]

On a new embedded installation: real senders, real webhooks to a receiver on loopback, one of which hangs.
The baseline of the same run is senders that nobody wakes, which look once a second. Exits 1 when the 99th
percentile is above 5 s, or when a notice is missing or came twice.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable

GOAL_S = 5.0
SENDERS = 3
PAUSE_S = 0.2


def main(alerts: int, receivers: int) -> int:
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"EMOTRACK_VAR_DIR": folder, "DJANGO_SETTINGS_MODULE": "emotrack.settings"}
        import django
        from django.core.management import call_command

        django.setup()
        call_command("migrate", verbosity=0)
        baseline = run(alerts, receivers, woken=False)
        ours = run(alerts, receivers, woken=True)
        for name, waits in (("looking once a second", baseline), ("woken by the commit", ours)):
            p50, p99 = (waits[int(q * (len(waits) - 1))] for q in (0.5, 0.99))
            sys.stdout.write(
                f"{name:24} n {len(waits):5}  p50 {1000 * p50:7.1f} ms  p99 {1000 * p99:7.1f} ms\n"
            )
        ratio = baseline[int(0.99 * (len(baseline) - 1))] / ours[int(0.99 * (len(ours) - 1))]
        sys.stdout.write(f"baseline / ours at p99: {ratio:.1f}\n")
        return int(ours[int(0.99 * (len(ours) - 1))] > GOAL_S)


def run(alerts: int, receivers: int, *, woken: bool) -> list[float]:
    """Seconds from each commit to the first attempt at each notice, in order."""
    from django.db import connection, transaction

    from emotrack.alerts.delivery import sending, telling
    from emotrack.alerts.delivery.transports.webhook import Webhook
    from emotrack.alerts.models import Notification, NotificationChannel
    from tests.emotrack.alerts.delivery.receiver import receiving
    from tests.emotrack.alerts.planted import channel

    telling.wake = sending.wake if woken else lambda: None
    began: dict[str, float] = {}
    times_tried: dict[str, int] = defaultdict(int)
    arrived: list[str] = []
    everything, stop = threading.Event(), threading.Event()
    real = Webhook(allow_http=True, allow_private=True, deadline_s=2.0)

    class Timed:
        def send(self, message):
            began.setdefault(message.id, time.monotonic())
            times_tried[message.id] += 1
            if message.url == receiver.url:
                arrived.append(message.id)
            if len(arrived) >= alerts * (receivers - 1):
                everything.set()
            return real.send(message)

    with receiving() as receiver, receiving(*[0.05] * alerts * 9) as hangs:
        for number in range(receivers):
            channel(hangs.url if number == 0 else receiver.url)
        rows = planted(alerts)
        loop = sending.DeliveryLoop(by={"webhook": Timed()})
        work: list[Callable[[], None]] = [lambda: loop.run_forever(stop)] * SENDERS + [lambda: writing(stop)]
        threads = [threading.Thread(target=one) for one in work]
        for thread in threads:
            thread.start()
        committed: dict[int, float] = {}
        for row in rows:
            with transaction.atomic():
                telling.tell_fired([row], now=row.created_at)
            committed[row.pk] = time.monotonic()
            time.sleep(PAUSE_S)
        everything.wait(120)
        stop.set()
        sending.wake()
        for thread in threads:
            thread.join(60)
    told = Notification.objects.filter(alert__in=rows).values_list("public_id", "alert_id", "channel__url")
    kept = {public_id: alert for public_id, alert, url in told if url == receiver.url}
    if len(kept) != alerts * (receivers - 1) or any(times_tried[public_id] != 1 for public_id in kept):
        raise SystemExit("a notice is missing or was sent twice")
    NotificationChannel.objects.update(disabled_at=rows[0].created_at)
    connection.close()
    return sorted(began[public_id] - committed[kept[public_id]] for public_id in kept)


def planted(count: int) -> list:
    """That many alerts that are over, of one client."""
    from django.utils import timezone

    from emotrack.alerts.models import Alert, Rule, RuleVersion
    from tests.emotrack import factories

    now = timezone.now()
    session = factories.session(factories.client(), now)
    rule = Rule.objects.create(kind="volatility", created_at=now, enabled_at=now)
    version = RuleVersion.objects.create(
        rule=rule, number=1, measure="volatility_z", threshold=3, recovery_threshold=2,
        reason="planted", saved_by="benchmark", saved_at=now,
    )  # fmt: skip
    facts = {"rule": rule, "version": version, "client": session.client, "session": session}
    facts |= {"recognizer": factories.recognizer(), "severity": "warning", "peak": 4.0, "baseline": {}}
    times = dict.fromkeys(("pending_at", "fired_at", "resolved_at", "created_at"), now)
    return [Alert.objects.create(**facts, **times, end_reason="recovered") for _ in range(count)]


def writing(stop: threading.Event) -> None:
    """What else goes on: an utterance every few milliseconds."""
    from django.db import connection
    from django.utils import timezone

    from tests.emotrack import factories

    session = factories.session(factories.client(), timezone.now())
    while not stop.wait(0.005):
        factories.utterance(session, timezone.now())
    connection.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--alerts", type=int, default=200)
    parser.add_argument("--receivers", type=int, default=4)
    raise SystemExit(main(**vars(parser.parse_args())))
