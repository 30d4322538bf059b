"""What any worker does again and again: wake what waits, end what is idle, forget what is due."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django_tasks import TaskResultStatus
from django_tasks_db.models import DBTaskResult

from emotrack.accounts import actions as accounts
from emotrack.alerts import actions as alerts
from emotrack.alerts.lifecycle.evaluation import judge_silence
from emotrack.alerts.series.silence import maybe_silent
from emotrack.alerts.service import trial
from emotrack.alerts.service.checks import check_service
from emotrack.alerts.service.recognizers import judge_recognizers
from emotrack.audit import actions as audit
from emotrack.audit.models import Actor
from emotrack.history import actions as history
from emotrack.history import remarks, retention
from emotrack.history.locks import hold
from emotrack.history.models import EndReason, Session, Status, Utterance
from emotrack.mood import cohort_patterns, patterns
from emotrack.pipeline.changing import end_session
from emotrack.pipeline.reading import RETRY_AFTER, recognize
from emotrack.pipeline.recording import end_uploaded_sessions
from emotrack.privacy import actions as privacy
from emotrack.privacy.models import Purpose
from emotrack.recordings import actions as recordings
from emotrack.schedule.actions import Recurring, run_due

AT_ONCE = 500
"""Tasks queued in one go; what is left waits for the next one."""

TASKS_KEPT = timedelta(days=1)


def end_idle_sessions(*, now: datetime) -> int:
    """End the sessions in which nothing arrived for the idle time."""
    silent_since = now - timedelta(minutes=settings.SESSION_IDLE_MINUTES)
    idle = Session.objects.filter(ended_at__isnull=True, last_activity_at__lt=silent_since)
    return sum(_end_if_still_idle(session, silent_since, now) for session in idle)


@transaction.atomic
def _end_if_still_idle(session: Session, silent_since: datetime, now: datetime) -> bool:
    """Look once more with the client held: somebody may have spoken since."""
    hold(session.client_id)
    session.refresh_from_db()
    if session.ended_at is not None or session.last_activity_at >= silent_since:
        return False
    last = session.utterances.in_order().last()
    at = last.occurred_at + timedelta(milliseconds=last.duration_ms) if last else session.started_at
    end_session(session, by=Actor.system("idle"), now=now, reason=EndReason.IDLE, ended_at=at)
    return True


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


def listen_for_silence(*, now: datetime) -> int:
    """Judge who has not been heard for long; how many alerts that changed."""
    changed = 0
    for client in maybe_silent(now):
        muted = privacy.was_withdrawn(client, Purpose.ALERTS)
        changed += bool(judge_silence(client, now=now, muted=muted))
    return changed


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
    "find what recurs in cohorts": Recurring(cohort_patterns.look_again, every=timedelta(hours=1)),
    "requeue waiting utterances": Recurring(requeue_waiting, every=timedelta(seconds=15)),
    "escalate unseen alerts": Recurring(alerts.escalate_waiting, every=timedelta(minutes=5)),
    "end uploaded sessions": Recurring(end_uploaded_sessions, every=timedelta(seconds=5)),
    "delete stray recordings": Recurring(recordings.delete_stray_recordings, every=timedelta(days=1)),
    "end idle sessions": Recurring(end_idle_sessions, every=timedelta(minutes=1)),
    "judge the recognizers": Recurring(judge_recognizers, every=timedelta(hours=1)),
    "listen for silence": Recurring(listen_for_silence, every=timedelta(hours=1)),
    "delete expired audio": Recurring(history.delete_expired_audio, every=timedelta(hours=1)),
    "delete stray sound": Recurring(history.delete_stray_sound, every=timedelta(days=1)),
    "forget finished tasks": Recurring(forget_finished_tasks, every=timedelta(hours=1)),
    "forget expired words": Recurring(retention.forget_expired_words, every=timedelta(hours=1)),
    "forget old sign-ins": Recurring(accounts.forget_old_sign_ins, every=timedelta(hours=1)),
    "forget deleted notes": Recurring(remarks.forget_deleted_notes, every=timedelta(minutes=5)),
    "send a trial alert": Recurring(trial.send_trial, every=trial.period() or timedelta(hours=1)),
    "look at the service": Recurring(check_service, every=timedelta(minutes=1)),
    "seal the audit log": Recurring(audit.seal, every=timedelta(seconds=30)),
}


def tick(*, now: datetime) -> list[str]:
    """Run what is due; any worker may call it at any time."""
    return run_due(JOBS, now=now)
