"""Reads emotion from speech with a published emotion2vec+ model, run through FunASR."""

from __future__ import annotations

import hashlib
import json
import math
import re
import threading
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from analysis.recognition.process_state import left_as_found
from analysis.values import (
    LABELS,
    SAMPLE_RATE_HZ,
    Decomposition,
    Headline,
    Recognition,
    RecognizerCard,
    RecognizerError,
    SpeakerCorrection,
    Waveform,
)

FILES = ("config.yaml", "configuration.json", "tokens.txt", "model.pt")
"""What a directory with a model holds, as its authors publish it."""

MIN_SAMPLES = SAMPLE_RATE_HZ // 2
MAX_CHUNK_SAMPLES = 30 * SAMPLE_RATE_HZ
"""FunASR keeps heads * T**2 * 4 bytes of attention biases for ever: 144 MB at 30 s, 14 GB at 5 min."""

ACCURACY = (
    "Accuracy was published by its authors (Ma et al., arXiv:2312.15185, and the model's own page) "
    "and was not measured here."
)

_TRAINING_ONLY = "modality_encoders.AUDIO.decoder."
_PREFIXES = ("", "d2v_model.", "module.")
_torch_lock = threading.RLock()


class Emotion2vecRecognizer:
    """An emotion2vec+ model held in memory; one utterance at a time, whoever calls.

    model: a directory with ``FILES``, or a model id such as ``iic/emotion2vec_plus_large``, which
        is downloaded once (the only use of the network).
    device: ``cpu``, ``cuda`` or ``cuda:N``; a device that is not there is an error, never the CPU instead.
    threads: of torch on the CPU, while it computes; before and after, torch is left as it was found.

    Raises ``RecognizerError`` without weights, without torch or FunASR, with labels other than the nine,
    or with a checkpoint that would leave some of the model at random numbers.
    """

    card: RecognizerCard

    def __init__(self, model: str, device: str = "cpu", threads: int = 1) -> None:
        if threads < 1:
            raise RecognizerError(f"emotion2vec+ needs at least one thread, not {threads}.")
        with _torch_lock, left_as_found("funasr"):
            directory = _directory(model)
            self._torch, auto_model = _torch_and_funasr()
            _require_device(self._torch, device)
            labels = _labels(_tokens(directory), directory)
            weights = _weights(self._torch, directory)
            _require_harmless_config(directory)
            self._model = _loaded(self._torch, auto_model, directory, device, threads)
        _require_every_weight(self._torch, self._model, weights, directory)
        self._device, self._threads = device, threads
        rows = [labels.index(label) for label in LABELS]
        self._matrix = self._model.proj.weight.detach().cpu().numpy().astype(np.float64)[rows]
        self._bias = self._model.proj.bias.detach().cpu().numpy().astype(np.float64)[rows]
        layers = self._model.modality_encoders["AUDIO"].feature_enc_layers
        self._field, self._stride = receptive_field(layers)
        self.card = _card(model, directory, dimension=self._matrix.shape[1])

    def recognize(
        self,
        waveforms: Sequence[Waveform],
        corrections: Sequence[SpeakerCorrection | None] | None = None,
    ) -> list[Recognition]:
        """Read each waveform of at least .5 s, in order; a batch gives what single calls give.

        ``corrections`` are not used: emotion2vec+ has no speaker correction. Speech over 30 s is read
        in even pieces of at most 30 s on one grid of frames, so its embedding is still the mean over
        all frames and its scores still the softmax of the mean of all frame logits.
        """
        return [self._read(_checked(waveform.samples)) for waveform in waveforms]

    def scores_from_embedding(
        self, embedding: np.ndarray, correction: SpeakerCorrection | None = None
    ) -> np.ndarray:
        """(9,) float32 ``softmax(W e + b)`` of a stored (D,) embedding e."""
        vector = np.asarray(embedding, dtype=np.float64)
        if vector.shape != (self.card.dimension,) or not np.isfinite(vector).all():
            raise RecognizerError(
                f"{self.card.id} needs an embedding of {self.card.dimension} finite numbers, "
                f"not one of shape {vector.shape}."
            )
        return _softmax(self._matrix @ vector + self._bias).astype(np.float32)

    def _read(self, samples: np.ndarray) -> Recognition:
        features = self._features(samples)
        frames = features.astype(np.float64) @ self._matrix.T + self._bias
        if np.abs(frames).max() > np.finfo(np.float32).max:
            raise RecognizerError(f"{self.card.id} gave logits that are too large to keep.")
        embedding = features.mean(axis=0, dtype=np.float64).astype(np.float32)
        return Recognition(
            scores=self.scores_from_embedding(embedding),
            embedding=embedding,
            frames=frames.astype(np.float32),
            frame_rate_hz=SAMPLE_RATE_HZ / self._stride,
            first_frame_s=self._field / 2 / SAMPLE_RATE_HZ,
            decomposition=Decomposition.EXACT,
        )

    def _features(self, samples: np.ndarray) -> np.ndarray:
        """(T, D) float32, one row per frame of the whole waveform."""
        pieces = chunks(len(samples), self._field, self._stride)
        try:
            with _torch_lock, _threads(self._torch, self._threads), self._torch.no_grad():
                features = np.concatenate([self._forward(samples[piece]) for piece in pieces])
        except RuntimeError as error:
            raise RecognizerError(f"{self.card.id} failed on {self._device}: {error}") from error
        expected = ((len(samples) - self._field) // self._stride + 1, self.card.dimension)
        if features.shape != expected:
            raise RecognizerError(f"{self.card.id} gave features of shape {features.shape}, not {expected}.")
        if not np.isfinite(features).all():
            raise RecognizerError(f"{self.card.id} gave numbers that are not finite.")
        return features

    def _forward(self, samples: np.ndarray) -> np.ndarray:
        """(T, D) float32 by the steps of FunASR's own ``Emotion2vec.inference``."""
        source = self._torch.tensor(samples, device=self._device)
        if self._model.cfg.normalize:
            source = self._torch.nn.functional.layer_norm(source, source.shape)
        return self._model.extract_features(source.view(1, -1), padding_mask=None)["x"][0].cpu().numpy()


def missing_weights_message(model: str) -> str:
    """One sentence that says what to do when the weights of ``model`` cannot be had."""
    missing = [name for name in FILES if not (Path(model).expanduser() / name).is_file()]
    return (
        f"emotion2vec+ has no weights at '{model}': put {', '.join(missing)} of a published emotion2vec+ "
        "model into that directory, or let EMOTRACK_EMOTION2VEC_MODEL name a directory that holds "
        f"{', '.join(FILES)} (or a model id such as iic/emotion2vec_plus_large that can be downloaded), "
        "or set EMOTRACK_RECOGNIZER=acoustic."
    )


def receptive_field(layers: Sequence[tuple[int, int, int]]) -> tuple[int, int]:
    """Samples that one frame sees, and samples from frame to frame, of (channels, kernel, stride) layers.

    >>> receptive_field([(512, 10, 5)] + [(512, 3, 2)] * 4 + [(512, 2, 2)] * 2)
    (400, 320)
    """
    field, stride = 1, 1
    for _, kernel, step in layers:
        field += (kernel - 1) * stride
        stride *= step
    return field, stride


def chunks(samples: int, field: int, stride: int) -> list[slice]:
    """Slices of at most 30 s whose frames, put end to end, lie on the grid of the uncut waveform.

    >>> chunks(480_000, 400, 320)
    [slice(0, 480000, None)]
    >>> chunks(480_001, 400, 320)
    [slice(0, 240080, None), slice(240000, 480001, None)]
    """
    if samples <= MAX_CHUNK_SAMPLES:
        return [slice(0, samples)]
    frames = (samples - field) // stride + 1
    # The last piece also carries the samples after its last frame: fewer than one stride.
    longest = (MAX_CHUNK_SAMPLES - field - (stride - 1)) // stride + 1
    edges = np.linspace(0, frames, math.ceil(frames / longest) + 1).round().astype(int)
    ends = [int(edge - 1) * stride + field for edge in edges[1:-1]] + [samples]
    return [slice(int(start) * stride, end) for start, end in zip(edges[:-1], ends, strict=True)]


def _checked(samples: np.ndarray) -> np.ndarray:
    if samples.dtype != np.float32 or samples.ndim != 1:
        raise RecognizerError(
            f"emotion2vec+ reads mono float32 samples, not {samples.ndim} axes of {samples.dtype}."
        )
    if len(samples) < MIN_SAMPLES:
        raise RecognizerError(
            f"emotion2vec+ needs at least 0.5 s of speech, not {len(samples) / SAMPLE_RATE_HZ:.3f} s."
        )
    if not np.isfinite(samples).all():
        raise RecognizerError("emotion2vec+ reads finite samples; this waveform holds others.")
    return samples


def _softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max())
    return powers / powers.sum()


def _directory(model: str) -> Path:
    directory = Path(model).expanduser()
    if not directory.exists() and re.fullmatch(r"\w[\w.-]*/[\w.-]+", model):
        return _fetched(model)
    if not _complete(directory):
        raise RecognizerError(missing_weights_message(model))
    return directory


def _complete(directory: Path) -> bool:
    return all((directory / name).is_file() for name in FILES)


def _fetched(model: str) -> Path:
    """What was downloaded before is used as it is: a new revision must not slip in at a restart."""
    _torch_and_funasr()
    from modelscope.hub.snapshot_download import snapshot_download

    failure: Exception | None = None
    for local_only in (True, False):
        try:
            directory = Path(snapshot_download(model, revision="master", local_files_only=local_only))
        except Exception as error:
            failure = error
        else:
            if _complete(directory):
                return directory
    raise RecognizerError(missing_weights_message(model)) from failure


def _torch_and_funasr() -> tuple[Any, Any]:
    try:
        import torch
        from funasr import AutoModel
    except ImportError as error:
        raise RecognizerError(
            f"emotion2vec+ needs torch and FunASR ({error}): run `make emotion2vec`, "
            "or set EMOTRACK_RECOGNIZER=acoustic."
        ) from error
    return torch, AutoModel


def _require_device(torch: Any, device: str) -> None:
    if not re.fullmatch(r"cpu|cuda(:\d+)?", device):
        raise RecognizerError(f"emotion2vec+ runs on 'cpu', 'cuda' or 'cuda:N', not on '{device}'.")
    if device == "cpu":
        return
    number = int(device.partition(":")[2] or 0)
    if not torch.cuda.is_available() or number >= torch.cuda.device_count():
        raise RecognizerError(
            f"There is no device '{device}' that torch {torch.__version__} can use: install torch for CUDA "
            "(see docs/recognizers.md), or set EMOTRACK_EMOTION2VEC_DEVICE=cpu."
        )


def _tokens(directory: Path) -> list[str]:
    return (directory / "tokens.txt").read_text(encoding="utf-8").split()


def _labels(tokens: Sequence[str], directory: Path) -> list[str]:
    """The nine labels in the order of the model's own rows; FunASR writes ``生气/angry`` and ``<unk>``."""
    labels = [token.rpartition("/")[2].replace("<unk>", "unknown") for token in tokens]
    if sorted(labels) != sorted(LABELS):
        raise RecognizerError(
            f"The model in {directory} has the labels {', '.join(labels)}; EmoTrack reads "
            f"{', '.join(LABELS)}: take the newest revision of an emotion2vec+ model."
        )
    return labels


def _weights(torch: Any, directory: Path) -> dict[str, Any]:
    path = directory / "model.pt"
    try:
        stored = torch.load(path, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(path))
        for wrapper in ("state_dict", "model_state_dict", "model"):
            stored = stored.get(wrapper, stored)
    except Exception as error:
        raise RecognizerError(f"{path} cannot be read as weights ({error}): download it again.") from error
    return stored


def _require_harmless_config(directory: Path) -> None:
    """FunASR evaluates one line of the configuration as Python: nothing but arithmetic may stand there."""
    import yaml

    try:
        files = json.loads((directory / "configuration.json").read_bytes()).get("file_path_metas", {})
        config = yaml.safe_load((directory / "config.yaml").read_bytes())
        layers = config["model_conf"]["modalities"]["audio"]["feature_encoder_spec"]
        harmless = (
            config["model"] == "Emotion2vec"
            and files.get("config", "config.yaml") == "config.yaml"
            and re.fullmatch(r"[\d\s\[\](),+*]+", layers)
        )
    except (ValueError, KeyError, TypeError, AttributeError, yaml.YAMLError) as error:
        raise RecognizerError(f"The configuration in {directory} cannot be read: {error!r}.") from error
    if not harmless:
        raise RecognizerError(f"The configuration in {directory} is not that of an emotion2vec+ model.")


def _loaded(torch: Any, auto_model: Any, directory: Path, device: str, threads: int) -> Any:
    with _threads(torch, threads), torch.random.fork_rng(enabled=True):
        try:
            auto = auto_model(
                model=str(directory),
                device=device,
                ncpu=threads,
                disable_update=True,
                disable_pbar=True,
                disable_log=True,
                trust_remote_code=False,
            )
        except Exception as error:
            raise RecognizerError(f"FunASR cannot load {directory}: {error}") from error
    if type(auto.model).__name__ != "Emotion2vec" or auto.kwargs["token_list"] != _tokens(directory):
        raise RecognizerError(f"The model in {directory} is not an emotion2vec+ model with its nine labels.")
    return auto.model


def _require_every_weight(torch: Any, model: Any, weights: dict[str, Any], directory: Path) -> None:
    """FunASR only prints a warning for a weight that the file lacks, and leaves it at random numbers."""
    needed = {name: w.cpu() for name, w in model.state_dict().items() if not name.startswith(_TRAINING_ONLY)}
    absent = [
        name
        for name, loaded in needed.items()
        if not any(torch.equal(weights[p + name], loaded) for p in _PREFIXES if p + name in weights)
    ]
    if broken := [name for name, loaded in needed.items() if not torch.isfinite(loaded).all()]:
        raise RecognizerError(
            f"{directory / 'model.pt'} holds numbers that are not finite in {_some(broken)}."
        )
    if absent:
        raise RecognizerError(
            f"{directory / 'model.pt'} lacks {_some(absent)} in the shape that config.yaml asks for; FunASR "
            "would have left them at random numbers: download the model's files again."
        )


def _some(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _card(model: str, directory: Path, dimension: int) -> RecognizerCard:
    with (directory / "model.pt").open("rb") as file:
        version = hashlib.file_digest(file, "sha256").hexdigest()[:12]
    extra = directory / "emotrack.json"
    if extra.is_file():
        version += "+" + hashlib.sha256(extra.read_bytes()).hexdigest()[:6]
    size = re.sub(r"^emotion2vec-(plus-)?", "", Path(model).absolute().name.lower().replace("_", "-"))
    return RecognizerCard(
        id=f"emotion2vec-plus-{size}",
        version=version,
        dimension=dimension,
        headline=Headline.VALENCE,
        decomposition=Decomposition.EXACT,
        accuracy=ACCURACY,
        **(_population(extra, dimension) if extra.is_file() else {}),
    )


def _population(path: Path, dimension: int) -> dict[str, Any]:
    """The card's fields that ``emotrack.json`` gives, measured on some population for these weights."""
    try:
        given = json.loads(path.read_bytes())
        unknown = set(given) - {"center", "typical_distance", "temperature"}
        values = {name: float(given[name]) for name in ("typical_distance", "temperature") if name in given}
        if "center" in given:
            values["center"] = np.asarray(given["center"], dtype=np.float32)
    except (ValueError, TypeError) as error:
        raise RecognizerError(f"{path} cannot be read: {error}.") from error
    center = values.get("center", np.zeros(dimension, np.float32))
    positive = [value for name, value in values.items() if name != "center"]
    if (
        unknown
        or not all(math.isfinite(value) and value > 0 for value in positive)
        or center.shape != (dimension,)
        or not np.isfinite(center).all()
    ):
        raise RecognizerError(
            f"{path} may give center ({dimension} finite numbers), typical_distance and temperature "
            "(each above 0), and nothing else."
        )
    return values


@contextmanager
def _threads(torch: Any, wanted: int) -> Iterator[None]:
    found = torch.get_num_threads()
    torch.set_num_threads(wanted)
    try:
        yield
    finally:
        torch.set_num_threads(found)
