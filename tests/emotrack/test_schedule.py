"""What is due runs once, however many workers ask."""

from datetime import timedelta

import pytest

from emotrack.schedule.actions import Recurring, run_due
from emotrack.schedule.models import ScheduledJob
from tests.emotrack.factories import NOW

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


def test_a_job_runs_at_its_rhythm():
    ran = []
    jobs = {"count": Recurring(lambda now: ran.append(now), every=MINUTE)}
    for seconds in (0, 20, 59, 61, 62):
        run_due(jobs, now=NOW + timedelta(seconds=seconds))
    assert [(at - NOW).seconds for at in ran] == [0, 61]


def test_a_job_that_somebody_holds_is_left_to_them():
    ran = []
    jobs = {"slow": Recurring(lambda now: ran.append(now), every=MINUTE)}
    ScheduledJob.objects.create(name="slow", due_at=NOW, leased_until=NOW + MINUTE)
    assert run_due(jobs, now=NOW) == []
    assert run_due(jobs, now=NOW + 2 * MINUTE) == ["slow"]


def test_a_job_that_outran_its_lease_does_not_free_what_another_worker_holds():
    later = NOW + timedelta(minutes=6)

    def slow(now) -> None:
        if now == NOW:  # the other one comes while this one is still at it
            ScheduledJob.objects.update(leased_until=later + timedelta(minutes=5))

    run_due({"slow": Recurring(slow, every=MINUTE)}, now=NOW)
    assert ScheduledJob.objects.get().leased_until == later + timedelta(minutes=5)
    assert run_due({"slow": Recurring(slow, every=MINUTE)}, now=later) == []


def test_a_job_that_fails_keeps_its_error_and_comes_again():
    def broken(now) -> None:
        raise ValueError("planted")

    jobs = {"broken": Recurring(broken, every=MINUTE)}
    run_due(jobs, now=NOW)
    row = ScheduledJob.objects.get()
    assert (row.last_error, row.leased_until, row.due_at) == ("ValueError: planted", None, NOW + MINUTE)
    assert run_due(jobs, now=NOW + MINUTE) == ["broken"]
