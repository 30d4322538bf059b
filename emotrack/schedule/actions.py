"""Run what is due, once, however many workers ask."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q

from emotrack.schedule.models import ScheduledJob

log = logging.getLogger("emotrack.schedule")


@dataclass(frozen=True, slots=True)
class Recurring:
    """A job and its rhythm; ``lease`` is how long it may run before another worker takes it over."""

    run: Callable[..., object]
    every: timedelta
    lease: timedelta = timedelta(minutes=5)


def run_due(jobs: Mapping[str, Recurring], *, now: datetime) -> list[str]:
    """Run each due job with ``now=``; a job that fails is logged, kept on its row and tried next time."""
    done = []
    for name, job in jobs.items():
        if _taken(name, now, until=now + job.lease):
            _run(name, job, now)
            done.append(name)
    return done


def _taken(name: str, now: datetime, *, until: datetime) -> bool:
    ScheduledJob.objects.get_or_create(name=name, defaults={"due_at": now})
    free = Q(leased_until__isnull=True) | Q(leased_until__lt=now)
    due = ScheduledJob.objects.filter(free, name=name, due_at__lte=now)
    return due.exists() and due.update(leased_until=until) == 1


def _run(name: str, job: Recurring, now: datetime) -> None:
    outcome: dict[str, object] = {"last_done_at": now, "last_error": ""}
    try:
        job.run(now=now)
    except Exception as error:
        log.exception("scheduled job %s failed", name)
        outcome = {"last_error": f"{type(error).__name__}: {error}"[:300]}
    # One that outran its lease has been taken over, and may not free what the other one holds.
    own = ScheduledJob.objects.filter(name=name, leased_until=now + job.lease)
    own.update(due_at=now + job.every, leased_until=None, **outcome)
