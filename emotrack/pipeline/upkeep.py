"""What any worker does again and again: wake what waits, end what is idle, forget what is due."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django_tasks import TaskResultStatus
from django_tasks_db.models import DBTaskResult

from emotrack.audit import actions as audit
from emotrack.audit.models import Actor
from emotrack.history import actions as history
from emotrack.history.models import EndReason, Session, Status, Utterance
from emotrack.mood import patterns
from emotrack.pipeline.changing import end_session
from emotrack.pipeline.reading import RETRY_AFTER, recognize
from emotrack.schedule.actions import Recurring, run_due

AT_ONCE = 500
"""Tasks queued in one go; what is left waits for the next one."""

TASKS_KEPT = timedelta(days=1)


def end_idle_sessions(*, now: datetime) -> int:
    """End the sessions in which nothing arrived for the idle time."""
    silent_since = now - timedelta(minutes=settings.SESSION_IDLE_MINUTES)
    idle = Session.objects.filter(ended_at__isnull=True, last_activity_at__lt=silent_since)
    for session in idle:
        last = session.utterances.in_order().last()
        at = last.occurred_at + timedelta(milliseconds=last.duration_ms) if last else session.started_at
        end_session(session, by=Actor.system("idle"), now=now, reason=EndReason.IDLE, ended_at=at)
    return len(idle)


def requeue_waiting(*, now: datetime, limit: int = AT_ONCE) -> int:
    """Wake a worker again for whatever waits and nobody is at: a killed worker loses nothing."""
    waiting = Utterance.objects.filter(status=Status.QUEUED, received_at__lt=now - RETRY_AFTER)
    free = waiting.exclude(leased_until__gte=now).order_by("received_at", "id")
    ids = set(free.values_list("pk", flat=True)[:limit]) - _about_to_be_woken()
    for utterance_id in sorted(ids):
        recognize.enqueue(utterance_id)
    return len(ids)


def _about_to_be_woken() -> set[int]:
    """Whose task stands in the queue: another would only make it longer while there is no recognizer."""
    ready = DBTaskResult.objects.ready().filter(task_path=recognize.module_path)
    return {told["args"][0] for told in ready.values_list("args_kwargs", flat=True)}


def forget_finished_tasks(*, now: datetime) -> int:
    """Delete the tasks of yesterday; also those whose worker was killed, for the rows are the truth."""
    old = DBTaskResult.objects.filter(enqueued_at__lt=now - TASKS_KEPT)
    return old.exclude(status=TaskResultStatus.READY).delete()[0]


def retry_failed() -> int:
    """Queue again what the recognizer could not read, once it has been mended."""
    failed = Utterance.objects.filter(status=Status.FAILED, failure="recognizer-failed")
    first = list(failed.order_by("received_at", "id").values_list("pk", flat=True)[:AT_ONCE])
    queued = failed.update(status=Status.QUEUED, failure="", leased_until=None, attempts=0)
    for utterance_id in first:
        recognize.enqueue(utterance_id)
    return queued


JOBS = {
    "find recurring expressions": Recurring(patterns.look_again, every=timedelta(minutes=10)),
    "requeue waiting utterances": Recurring(requeue_waiting, every=timedelta(seconds=15)),
    "end idle sessions": Recurring(end_idle_sessions, every=timedelta(minutes=1)),
    "delete expired audio": Recurring(history.delete_expired_audio, every=timedelta(hours=1)),
    "delete stray sound": Recurring(history.delete_stray_sound, every=timedelta(days=1)),
    "forget finished tasks": Recurring(forget_finished_tasks, every=timedelta(hours=1)),
    "seal the audit log": Recurring(audit.seal, every=timedelta(seconds=30)),
}


def tick(*, now: datetime) -> list[str]:
    """Run what is due; any worker may call it at any time."""
    return run_due(JOBS, now=now)
