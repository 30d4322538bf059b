"""Speaks the sample conversation again: conversation.json in, one small Opus file a turn out.

``python -m emotrack.sample.make_audio`` needs espeak-ng and is only run after the script or its prosody
was changed: the files are part of the repository. It writes the measured times back into the script.
"""

import io
import json
import subprocess
import sys
from collections.abc import Callable
from xml.sax.saxutils import escape

import av
import numpy as np
import soundfile
import soxr

from emotrack.sample.conversation import HERE, SCRIPT

SAMPLE_RATE_HZ = 16_000
BIT_RATE = 20_000
FRAME_SAMPLES = 320  # 20 ms, one Opus packet
EDGE_S = 0.15
ROOM_RMS = 0.0006
"""Noise of a quiet room, about 40 dB under the speech, so that pauses are not digital silence; a guess."""

TILT_FROM_HZ = 500.0
EDGE_HZ, EDGE_DB, EDGE_OCTAVES = 2500.0, -9.0, 0.4
"""In every turn the edge that lets this synthesizer buzz is taken back; a guess from its spectrum."""

WARMTH_OCTAVES = 0.6
LOWEST_HZ = 60.0
VOICE_BELOW_HZ, VOICE_SHARE = 1000.0, (0.3, 0.7)
VOICING_SAMPLES = 320  # 20 ms


def spoken(text: str, voice: str, prosody: dict) -> np.ndarray:
    """The sentence as the synthesizer says it: float64, mono, 16 kHz, its own level."""
    ssml = (
        f'<speak><prosody pitch="{prosody["pitch_percent"]:+d}%" range="{prosody["range_percent"]}%">'
        f"{escape(text)}</prosody></speak>"
    )
    command = ["espeak-ng", "-m", "-v", voice, "-s", str(prosody["words_per_minute"]), "--stdout", ssml]
    wav = subprocess.run(command, capture_output=True, check=True).stdout  # noqa: S603 - our own script
    samples, rate_hz = soundfile.read(io.BytesIO(wav), dtype="float64")
    return trimmed(soxr.resample(samples, rate_hz, SAMPLE_RATE_HZ))


def trimmed(samples: np.ndarray) -> np.ndarray:
    """Without the silence before the first and after the last sound."""
    loud = np.flatnonzero(np.abs(samples) > 0.01 * np.abs(samples).max())
    return samples[loud[0] : loud[-1] + 1]


def voiced_like(samples: np.ndarray, prosody: dict, warmth_hz: float) -> np.ndarray:
    """The same speech with the color of a soft or a loud voice, without which only its tune would change.

    A soft voice loses ``tilt_db_per_octave`` above 500 Hz (Sluijter & van Heuven 1996) and is strong near its
    pitch, by ``warmth_db`` around ``warmth_hz`` (Klatt & Klatt 1990); a pressed voice has less of both.
    Hisses such as *s* and *f* come from the mouth and stay as they are, so that words remain clear.
    """
    voiced = _voicing(samples)
    return voiced * _filtered(samples, _voice_gain_db(prosody, warmth_hz)) + (1 - voiced) * samples


def _voice_gain_db(prosody: dict, warmth_hz: float) -> Callable[[np.ndarray], np.ndarray]:
    return lambda hz: (
        -prosody["tilt_db_per_octave"] * np.maximum(0, np.log2(hz / TILT_FROM_HZ))
        + prosody["warmth_db"] * _bell(hz, warmth_hz, WARMTH_OCTAVES)
        + EDGE_DB * _bell(hz, EDGE_HZ, EDGE_OCTAVES)
    )


def _filtered(samples: np.ndarray, gain_db: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """The samples with a gain by frequency and no delay."""
    padded = 2 * samples.size
    hz = np.maximum(np.fft.rfftfreq(padded, 1 / SAMPLE_RATE_HZ), LOWEST_HZ)
    return np.fft.irfft(np.fft.rfft(samples, padded) * 10 ** (gain_db(hz) / 20), padded)[: samples.size]


def _voicing(samples: np.ndarray) -> np.ndarray:
    """0 to 1 for each sample: 1 where most of the energy lies low, as in a vowel, 0 in a hiss."""
    low = _filtered(samples, lambda hz: np.where(hz < VOICE_BELOW_HZ, 0.0, -120.0))
    window = np.hanning(VOICING_SAMPLES)
    energy, low_energy = (np.convolve(part**2, window, "same") for part in (samples, low))
    share = low_energy / np.maximum(energy, 1e-9)
    return np.clip((share - VOICE_SHARE[0]) / (VOICE_SHARE[1] - VOICE_SHARE[0]), 0, 1)


def _bell(hz: np.ndarray, center_hz: float, octaves: float) -> np.ndarray:
    """1 at the center, .61 that many octaves away from it."""
    return np.exp(-0.5 * (np.log2(hz / center_hz) / octaves) ** 2)


def leveled(samples: np.ndarray, rms: float) -> np.ndarray:
    """Speech at ``rms`` over all but its pauses, peaks under full scale, room noise around it."""
    sounding = samples[np.abs(samples) > 0.02 * np.abs(samples).max()]
    speech = samples * (rms / np.sqrt(np.mean(sounding**2)))
    speech = np.pad(speech, round(EDGE_S * SAMPLE_RATE_HZ))
    room = np.random.default_rng(speech.size).normal(0, ROOM_RMS, speech.size)
    return np.clip(speech + room, -0.99, 0.99)


def encoded(samples: np.ndarray) -> bytes:
    """Opus in Ogg, mono, about 20 kbit/s."""
    file = io.BytesIO()
    with av.open(file, "w", format="ogg") as container:
        stream = container.add_stream("libopus", rate=SAMPLE_RATE_HZ, layout="mono")
        stream.bit_rate = BIT_RATE
        stream.options = {"application": "voip", "frame_duration": "20"}
        pcm = np.round(samples * 32767).astype(np.int16)
        for start in range(0, pcm.size, FRAME_SAMPLES):
            container.mux(stream.encode(_frame(pcm[start : start + FRAME_SAMPLES], start)))
        container.mux(stream.encode(None))
    return file.getvalue()


def _frame(pcm: np.ndarray, start: int) -> av.AudioFrame:
    padded = np.pad(pcm, (0, FRAME_SAMPLES - pcm.size))
    frame = av.AudioFrame.from_ndarray(padded[None, :], format="s16", layout="mono")
    frame.sample_rate = SAMPLE_RATE_HZ
    frame.pts = start
    return frame


def main() -> None:
    script = json.loads(SCRIPT.read_text(encoding="utf-8"))
    clock_s, total_bytes = 0.0, 0
    for turn in script["turns"]:
        prosody = script["prosody"][turn["prosody"]]
        voice = script["voices"][turn["speaker"]]
        said = spoken(turn["text"], voice["name"], prosody)
        samples = leveled(voiced_like(said, prosody, voice["warmth_hz"]), prosody["level_rms"])
        total_bytes += (HERE / turn["audio"]).write_bytes(encoded(samples))
        turn["start_s"] = round(clock_s, 3)
        turn["duration_s"] = round(samples.size / SAMPLE_RATE_HZ, 3)
        clock_s = turn["start_s"] + turn["duration_s"] + script["pause_s"]
    SCRIPT.write_text(json.dumps(script, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    sys.stdout.write(f"{len(script['turns'])} turns, {clock_s:.0f} s, {total_bytes / 1000:.0f} kB\n")


if __name__ == "__main__":
    main()
