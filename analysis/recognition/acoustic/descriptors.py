"""Describes each 10 ms of speech: its level, pitch, harmonicity and spectral shape."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy.fft import dct, rfft

from analysis.recognition.acoustic import pitch
from analysis.values import SAMPLE_RATE_HZ

HOP = 160
FRAMES_PER_S = SAMPLE_RATE_HZ // HOP
FRAME, FFT = 400, 512
MEL_BANDS = 26
CEPSTRA = 14
LOWEST_HZ, HIGHEST_HZ = 60.0, 7600.0
TARGET_RMS = 0.1
FLOOR = 1e-8
QUIET_DB = 30.0
"""A frame this far below the loud ones (95th percentile) is a pause, whatever its periodicity (a guess)."""

SPECTRAL = (
    "slope_0_500", "slope_500_1500", "alpha_ratio", "hammarberg", "centroid", "spread", "rolloff",
    "entropy", "flux", "harmonicity_db", "h1_h2", "h1_a3", "jitter", "shimmer_db",
)  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Descriptors:
    """What is known of each 10 ms of an utterance, T frames.

    level_db: (T,); pitch_st: (T,) semitones above 27.5 Hz, meaningful where ``voiced``; voiced: (T,) bool;
    loud: (T,) bool, not a pause; spectral: (T, 14) in the order of ``SPECTRAL``;
    cepstra: (T, 14) MFCC 1 to 14; mel_db: (T, 26).
    """

    level_db: np.ndarray
    pitch_st: np.ndarray
    voiced: np.ndarray
    loud: np.ndarray
    spectral: np.ndarray
    cepstra: np.ndarray
    mel_db: np.ndarray

    def part(self, start: int, end: int) -> Descriptors:
        """The frames from ``start`` to before ``end``."""
        return Descriptors(*(getattr(self, name)[start:end] for name in self.__slots__))


def describe(samples: np.ndarray) -> Descriptors:
    """Descriptors of (n,) float32 samples at 16 kHz, n >= 800; the recording level does not matter."""
    level = np.sqrt(np.mean(np.square(samples, dtype=np.float64)))
    samples = (samples * (TARGET_RMS / max(level, 1e-6))).astype(np.float32)
    power = _power(samples)
    pitch_hz, periodicity = pitch.track(samples)
    count = min(len(power), len(pitch_hz))
    power, pitch_hz, periodicity = power[:count], pitch_hz[:count], periodicity[:count]
    mel_db = _db(power @ _mel_filters())
    level_db = _db(power.sum(axis=1))
    loud = level_db > np.percentile(level_db, 95) - QUIET_DB
    voiced = loud & (periodicity > pitch.VOICED_ABOVE)
    return Descriptors(
        level_db=level_db,
        pitch_st=12 * np.log2(pitch_hz / 27.5),
        voiced=voiced,
        loud=loud,
        spectral=np.column_stack(
            [*_shape(power, mel_db), *_voice(power, level_db, pitch_hz, periodicity, voiced)]
        ),
        cepstra=dct(mel_db, axis=1, norm="ortho")[:, 1 : CEPSTRA + 1],
        mel_db=mel_db,
    )


def _power(samples: np.ndarray) -> np.ndarray:
    """(T, 257) power spectrum of 25 ms Hann frames after pre-emphasis of .97."""
    emphasized = np.append(samples[:1], samples[1:] - np.float32(0.97) * samples[:-1])
    count = len(samples) // HOP
    padded = np.pad(emphasized, (FRAME // 2, FRAME))
    frames = np.lib.stride_tricks.sliding_window_view(padded, FRAME)[::HOP][:count]
    spectrum = rfft(frames * np.hanning(FRAME).astype(np.float32), FFT, axis=1)
    return spectrum.real**2 + spectrum.imag**2


def _db(power: np.ndarray) -> np.ndarray:
    return 10 * np.log10(power + FLOOR)


@cache
def _bins_hz() -> np.ndarray:
    return np.fft.rfftfreq(FFT, 1 / SAMPLE_RATE_HZ).astype(np.float32)


@cache
def _mel_filters() -> np.ndarray:
    """(257, 26) triangular filters, equally wide in mel (O'Shaughnessy 1987)."""
    low, high = (2595 * np.log10(1 + hz / 700) for hz in (LOWEST_HZ, HIGHEST_HZ))
    edges = 700 * (10 ** (np.linspace(low, high, MEL_BANDS + 2) / 2595) - 1)
    rising = (_bins_hz()[:, None] - edges[:-2]) / np.diff(edges)[:-1]
    falling = (edges[2:] - _bins_hz()[:, None]) / np.diff(edges)[1:]
    return np.maximum(0, np.minimum(rising, falling)).astype(np.float32)


def _band(low_hz: float, high_hz: float) -> slice:
    return slice(*np.searchsorted(_bins_hz(), [low_hz, high_hz]))


def _slope(spectrum_db: np.ndarray, low_hz: float, high_hz: float) -> np.ndarray:
    """(T,) dB per kHz of a straight line through the spectrum between two frequencies."""
    band = _band(low_hz, high_hz)
    khz = _bins_hz()[band] / 1000
    weights = (khz - khz.mean()) / np.sum((khz - khz.mean()) ** 2)
    return spectrum_db[:, band] @ weights


def _shape(power: np.ndarray, mel_db: np.ndarray) -> list[np.ndarray]:
    """The first nine of ``SPECTRAL``, each (T,); ratios as in eGeMAPS (Eyben et al. 2016)."""
    spectrum_db = _db(power)
    khz = _bins_hz() / 1000
    total = power.sum(axis=1) + FLOOR
    share = power / total[:, None]
    centroid = share @ khz
    spread = np.sqrt(np.maximum(share @ khz**2 - centroid**2, 0))
    return [
        _slope(spectrum_db, 0, 500),
        _slope(spectrum_db, 500, 1500),
        _db(power[:, _band(50, 1000)].sum(axis=1)) - _db(power[:, _band(1000, 5000)].sum(axis=1)),
        spectrum_db[:, _band(0, 2000)].max(axis=1) - spectrum_db[:, _band(2000, 5000)].max(axis=1),
        centroid,
        spread,
        khz[np.argmax(np.cumsum(share, axis=1) >= 0.85, axis=1)],
        -np.sum(share * np.log2(share + 1e-10), axis=1),
        np.sqrt(np.mean(np.diff(mel_db, axis=0, prepend=mel_db[:1]) ** 2, axis=1)),
    ]


def _voice(
    power: np.ndarray, level_db: np.ndarray, pitch_hz: np.ndarray, periodicity: np.ndarray, voiced: np.ndarray
) -> list[np.ndarray]:
    """The last five of ``SPECTRAL``: harmonicity, two glottal measures, unsteadiness of period and level."""
    clear = np.clip(periodicity, 0.01, 0.999)
    spectrum_db = _db(power)
    first, second = (_harmonic_db(spectrum_db, multiple * pitch_hz) for multiple in (1, 2))
    third_formant = spectrum_db[:, _band(2200, 3600)].max(axis=1)
    adjacent = voiced & np.roll(voiced, 1)
    return [
        10 * np.log10(clear / (1 - clear)),
        first - second,
        first - third_formant,
        np.where(adjacent, np.abs(np.diff(np.log2(pitch_hz), prepend=0.0)), 0.0),
        np.where(adjacent, np.abs(np.diff(level_db, prepend=level_db[:1])), 0.0),
    ]


def _harmonic_db(spectrum_db: np.ndarray, hz: np.ndarray) -> np.ndarray:
    """(T,) the spectrum nearest to one frequency per frame, the larger of two neighboring bins."""
    place = np.clip(hz * FFT / SAMPLE_RATE_HZ, 1, FFT // 2 - 2)
    below = place.astype(int)
    rows = np.arange(len(place))
    return np.maximum(spectrum_db[rows, below], spectrum_db[rows, below + 1])
