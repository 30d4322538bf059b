"""What is left behind by kills and repairs is cleared away, and nothing that is still needed."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from analysis.values import RecognizerError
from emotrack import pipeline
from emotrack.history import actions as history
from emotrack.history.models import Audio, Utterance
from emotrack.pipeline import Posted, upkeep
from tests.analysis import sounds
from tests.emotrack import factories as make

pytestmark = pytest.mark.django_db

SPEECH = sounds.wav(sounds.spoken(2.5))


@pytest.fixture
def utterance() -> Utterance:
    session = make.session(make.client(), started_at=timezone.now())
    return pipeline.accept(
        session=session, posted=Posted(audio=SPEECH), by=make.TESTS, now=timezone.now()
    ).utterance


def path_of(utterance: Utterance, settings) -> Path:
    return Path(settings.AUDIO_DIR) / utterance.audio.path


def age(path: Path, hours: float) -> None:
    then = timezone.now().timestamp() - 3600 * hours
    os.utime(path, (then, then))


def test_a_file_without_a_row_goes_after_a_day_and_one_with_a_row_stays(utterance, settings):
    kept = path_of(utterance, settings)
    stray, fresh = kept.with_name(kept.parent.name + "0" * 18), kept.with_name(kept.parent.name + "1" * 18)
    for path in (stray, fresh):
        path.write_bytes(b"sealed")
    age(stray, 25)
    age(kept, 25)
    assert history.delete_stray_sound(now=timezone.now()) == 1
    assert (stray.exists(), fresh.exists(), kept.exists()) == (False, True, True)


def test_a_sound_whose_deletion_was_cut_short_goes_too(utterance, settings):
    path = path_of(utterance, settings)
    age(path, 25)
    Audio.objects.update(deleted_at=timezone.now())
    assert history.delete_stray_sound(now=timezone.now()) == 1
    assert not path.exists()


def test_a_file_that_is_not_ours_is_left_alone(utterance, settings):
    other = path_of(utterance, settings).parent / "readme.txt"
    other.write_bytes(b"by hand")
    age(other, 1000)
    assert history.delete_stray_sound(now=timezone.now()) == 0
    assert other.exists()


def test_the_queue_does_not_grow_while_nobody_works(utterance):
    for minutes in range(1, 20):
        upkeep.requeue_waiting(now=timezone.now() + timedelta(minutes=minutes))
    assert DBTaskResult.objects.count() == 1


def test_what_lost_its_task_is_woken_again(utterance):
    DBTaskResult.objects.update(status="RUNNING", started_at=timezone.now())  # and its worker was killed
    assert upkeep.requeue_waiting(now=timezone.now() + timedelta(minutes=1)) == 1
    assert DBTaskResult.objects.ready().count() == 1


def test_tasks_of_yesterday_are_forgotten_unless_they_still_wait(utterance):
    pipeline.reading.recognize.enqueue(utterance.pk)
    done = DBTaskResult.objects.first()
    DBTaskResult.objects.filter(pk=done.pk).update(
        status="SUCCESSFUL", started_at=timezone.now(), finished_at=timezone.now()
    )
    assert upkeep.forget_finished_tasks(now=timezone.now() + timedelta(hours=23)) == 0
    assert upkeep.forget_finished_tasks(now=timezone.now() + timedelta(hours=25)) == 1
    assert DBTaskResult.objects.ready().count() == 1


def test_a_retried_failure_has_all_its_attempts_again(utterance, fake_recognizer):
    fake_recognizer.broken = lambda: RecognizerError("no numbers today")
    for _ in range(pipeline.reading.MOST_ATTEMPTS + 1):
        pipeline.process(utterance.pk)
        assert pipeline.retry_failed() == 1
    fake_recognizer.broken = None
    pipeline.process(utterance.pk)
    utterance.refresh_from_db()
    assert utterance.status == "analyzed"
