"""The sound of an utterance: decoded, measured, kept."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from math import ceil

import numpy as np
from django.conf import settings

from analysis.audio import AudioLimits, DecodedAudio, decode, peaks
from analysis.quality import measure, quality_reason
from analysis.values import SAMPLE_RATE_HZ, Quality, Waveform
from emotrack.history import actions as history
from emotrack.history import retention
from emotrack.history.models import Audio, Utterance

PEAKS_PER_SECOND = 50
SHORTEST_INPUT_S = 0.5


MEDIA_TYPES = {
    "wav": "audio/wav",
    "mp3": "audio/mpeg",
    "mp4": "audio/mp4",
    "m4a": "audio/mp4",
    "flac": "audio/flac",
    "ogg": "audio/ogg",
    "webm": "audio/webm",
}


@dataclass(frozen=True, slots=True, eq=False)
class Heard:
    """A sound and what was measured of it."""

    decoded: DecodedAudio
    quality: Quality

    @property
    def duration_ms(self) -> int:
        return round(1000 * self.decoded.waveform.duration_s)


def hear(data: bytes) -> Heard:
    limits = AudioLimits(max_bytes=settings.AUDIO_MAX_BYTES, max_seconds=settings.AUDIO_MAX_SECONDS)
    decoded = decode(data, limits)
    return Heard(decoded, measure(decoded.waveform, truncated=decoded.truncated))


def described(quality: Quality) -> dict:
    """The measurements as they are stored and answered, with the reason they are not good enough, if so."""
    return {k: round(v, 4) if isinstance(v, float) else v for k, v in asdict(quality).items()} | {
        "voiced_share": round(quality.voiced_share, 4),
        "reason": quality_reason(quality),
    }


def keep_sound(utterance: Utterance, data: bytes, heard: Heard, now: datetime) -> Audio:
    waveform = heard.decoded.waveform
    columns = max(1, ceil(waveform.duration_s * PEAKS_PER_SECOND))
    return history.keep_audio(
        utterance,
        data,
        media_type=MEDIA_TYPES[heard.decoded.container],
        peaks=peaks(waveform, columns).tobytes(),
        days=retention.in_force().audio_days,
        now=now,
    )


def long_enough(waveform: Waveform) -> Waveform:
    """The waveform, with silence after it when it is shorter than a recognizer accepts."""
    missing = int(SHORTEST_INPUT_S * SAMPLE_RATE_HZ) - len(waveform.samples)
    return waveform if missing <= 0 else Waveform(np.pad(waveform.samples, (0, missing)))
