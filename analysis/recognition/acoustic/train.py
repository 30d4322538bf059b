"""Trains the embedded recognizer and measures it: one command gives the shipped weights and every figure.

python -m analysis.recognition.acoustic.train --speech DIR [--eval-nemo DIR]

DIR holds manifest.csv and the corpora that it lists. EMO-DB (CC0) trains the model; nEMO only measures it.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from analysis.recognition.acoustic import figures, model
from analysis.recognition.acoustic.corpus import Clip, label_index, read
from analysis.recognition.acoustic.fitting import (
    Settings,
    disturbed_features,
    features_of,
    fit,
    probabilities,
)
from analysis.recognition.calibration import FEWEST, fit_temperature, tempered
from analysis.values import LABELS

HEARD_BEFORE = 10
CORRECTION_RUNS = 10


@dataclass(frozen=True, slots=True, eq=False)
class Corpus:
    """Features of a corpus: clean (n, D), copies (n, k, D), truth (n,), speakers (n,), sexes (n,)."""

    clean: np.ndarray
    copies: np.ndarray
    truth: np.ndarray
    speakers: np.ndarray
    sexes: np.ndarray

    def fit(self, rows: np.ndarray, settings: Settings, bursts: np.ndarray | None) -> model.Model:
        return fit(self.clean[rows], self.copies[rows], self.truth[rows], settings, bursts)


def prepare(clips: list[Clip], settings: Settings, with_copies: bool) -> Corpus:
    """Features of every clip, and of its disturbed copies where the clip is to train."""
    clean = np.array([features_of(clip) for clip in clips])
    copies = [disturbed_features(clip, i, settings) for i, clip in enumerate(clips)] if with_copies else []
    return Corpus(
        clean=clean,
        copies=np.array(copies) if copies else np.zeros((len(clips), 0, clean.shape[1])),
        truth=label_index(clips),
        speakers=np.array([clip.speaker for clip in clips]),
        sexes=np.array([clip.sex for clip in clips]),
    )


def leave_one_speaker_out(
    corpus: Corpus, settings: Settings, bursts: np.ndarray | None
) -> tuple[np.ndarray, dict[str, model.Model]]:
    """What models that never heard a speaker make of that speaker, and these models by speaker.

    (n, 1 + copies, 9) probabilities: of the clean clip first, then of its disturbed copies.
    """
    versions = np.concatenate([corpus.clean[:, None], corpus.copies], axis=1)
    found = np.zeros((*versions.shape[:2], len(LABELS)))
    models = {}
    for speaker in np.unique(corpus.speakers):
        out = corpus.speakers == speaker
        models[str(speaker)] = corpus.fit(~out, settings, bursts)
        rows = versions[out].reshape(-1, versions.shape[2])
        found[out] = probabilities(models[str(speaker)], rows).reshape(found[out].shape)
    return found, models


def with_correction(corpus: Corpus, models: dict[str, model.Model]) -> float:
    """UAR once ten other, unlabeled clips of the speaker are known; the mean of ten random draws."""
    rng = np.random.default_rng(0)
    return float(np.mean([_one_draw(corpus, models, rng) for _ in range(CORRECTION_RUNS)]))


def _one_draw(corpus: Corpus, models: dict[str, model.Model], rng: np.random.Generator) -> float:
    guesses, truths = [], []
    for speaker, own_model in models.items():
        own = rng.permutation(np.flatnonzero(corpus.speakers == speaker))
        known, tested = own[:HEARD_BEFORE], own[HEARD_BEFORE:]
        mean = own_model.embed(corpus.clean[known]).mean(axis=0)
        guesses.append(probabilities(own_model, corpus.clean[tested], mean, HEARD_BEFORE))
        truths.append(corpus.truth[tested])
    return figures.average_recall(np.concatenate(guesses), np.concatenate(truths))


def figures_within(
    corpus: Corpus, versions: np.ndarray, models: dict[str, model.Model], temperature: float
) -> dict:
    """EMO-DB, every speaker unheard; versions as ``leave_one_speaker_out`` gives them."""
    found, calibrated = versions[:, 0], cross_tempered(corpus, versions)
    by_speaker = [
        figures.average_recall(found[rows], corpus.truth[rows])
        for rows in (corpus.speakers == speaker for speaker in np.unique(corpus.speakers))
    ]
    return {
        "clips": len(corpus.truth),
        "uar": figures.average_recall(found, corpus.truth),
        "uar_mean_over_speakers": float(np.mean(by_speaker)),
        "uar_sd_over_speakers": float(np.std(by_speaker, ddof=1)),
        "uar_by_sex": {
            str(sex): figures.average_recall(found[corpus.sexes == sex], corpus.truth[corpus.sexes == sex])
            for sex in np.unique(corpus.sexes)
        },
        "recall": figures.recalls(found, corpus.truth),
        "uar_with_speaker_correction": with_correction(corpus, models),
        "activation_auc": figures.activation_auc(found, corpus.truth),
        "before_calibration": figures.calibration(found, corpus.truth),
        "after_calibration": figures.calibration(calibrated[:, 0], corpus.truth),
        "readings": figures.abstention(found, corpus.truth, temperature),
        "disturbed": figures_disturbed(corpus.truth, versions[:, 1:], calibrated[:, 1:]),
    }


def figures_disturbed(truth: np.ndarray, copies: np.ndarray, calibrated: np.ndarray) -> dict:
    """The same unheard speakers through other microphones, rooms and noise; (n, copies, 9) probabilities."""
    truth = np.repeat(truth, copies.shape[1])
    copies, calibrated = (values.reshape(-1, len(LABELS)) for values in (copies, calibrated))
    return {
        "uar": figures.average_recall(copies, truth),
        "activation_auc": figures.activation_auc(copies, truth),
        "before_calibration": figures.calibration(copies, truth),
        "after_calibration": figures.calibration(calibrated, truth),
    }


def temperature_for(versions: np.ndarray, truth: np.ndarray) -> float:
    """One temperature for clean and disturbed speech alike: few people speak into a studio's microphone."""
    return fit_temperature(versions.reshape(-1, versions.shape[2]), np.repeat(truth, versions.shape[1]))


def cross_tempered(corpus: Corpus, versions: np.ndarray) -> np.ndarray:
    """Probabilities of each speaker, calibrated with the temperature that fits the other speakers."""
    calibrated = np.empty_like(versions)
    for speaker in np.unique(corpus.speakers):
        out = corpus.speakers == speaker
        temperature = temperature_for(versions[~out], corpus.truth[~out])
        own = versions[out].reshape(-1, versions.shape[2])
        calibrated[out] = tempered(own, temperature).reshape(versions[out].shape)
    return calibrated


def figures_across(corpus: Corpus, shipped: model.Model, temperature: float) -> dict:
    """Another corpus and language, of which nothing was used in training."""
    found = probabilities(shipped, corpus.clean)
    models = {str(speaker): shipped for speaker in np.unique(corpus.speakers)}
    return {
        "clips": len(corpus.truth),
        "uar_nine_labels": figures.average_recall(found, corpus.truth),
        "uar_among_its_labels": figures.average_recall(figures.among(found, corpus.truth), corpus.truth),
        "uar_nine_labels_with_speaker_correction": with_correction(corpus, models),
        "recall": figures.recalls(found, corpus.truth),
        "activation_auc": figures.activation_auc(found, corpus.truth),
        "after_calibration": figures.calibration(tempered(found, temperature), corpus.truth),
        "readings": figures.abstention(found, corpus.truth, temperature),
    }


def figures_of_change(corpus: Corpus, models: dict[str, model.Model]) -> dict:
    """Bursts of feeling against a calm past, in the embedding of a model that never heard the speaker."""
    found = {}
    for speaker, own_model in models.items():
        own, others = corpus.speakers == speaker, corpus.speakers != speaker
        typical = figures.typical_distance(
            own_model.embed(corpus.clean[others]), own_model.center, corpus.speakers[others], orders=4
        )
        found |= figures.bursts(
            own_model.embed(corpus.clean[own]),
            own_model.center,
            corpus.speakers[own],
            corpus.truth[own],
            typical,
        )
    means = {key: float(np.mean([row[key] for row in found.values()])) for key in next(iter(found.values()))}
    return {"mean": means, "by_speaker": found}


def sentence(within: dict, across: dict | None) -> str:
    """What is shown to people beside every label."""
    heard = (
        f"Trained on acted German speech: on speakers it never heard it finds {within['uar']:.0%} of each of "
        f"seven categories on average (± {within['uar_sd_over_speakers']:.0%} between speakers)"
    )
    if across is None:
        return heard + "."
    return (
        f"{heard}; on acted Polish speech only {across['uar_nine_labels']:.0%}, but there it tells calm "
        f"from agitated in {across['activation_auc']:.0%} of pairs. Surprise is not recognized."
    )


def rounded(value: object) -> object:
    """Every float in nested dictionaries at four digits."""
    if isinstance(value, dict):
        return {key: rounded(entry) for key, entry in value.items()}
    return round(value, 4) if isinstance(value, float) else value


def train(speech: Path, nemo: Path | None, settings: Settings) -> tuple[model.Model, dict]:
    """The shipped model and its configuration with all figures."""
    emodb = prepare(read(speech, "emodb"), settings, with_copies=True)
    bursts = None
    if settings.bursts_weight > 0:
        bursts = prepare(read(speech, "emogator", ("surprised",)), settings, with_copies=False).clean
    found, models = leave_one_speaker_out(emodb, settings, bursts)
    if len(found) < FEWEST:
        raise SystemExit(f"{len(found)} utterances are too few to fit a temperature; {FEWEST} are needed")
    temperature = temperature_for(found, emodb.truth)
    shipped = emodb.fit(np.ones(len(emodb.truth), bool), settings, bursts)
    within = figures_within(emodb, found, models, temperature)
    across = (
        figures_across(prepare(read(nemo, "nemo"), settings, False), shipped, temperature) if nemo else None
    )
    embedded = shipped.embed(emodb.clean)
    config = {
        "id": "acoustic",
        "version": "1",
        "labels": list(LABELS),
        "languages": ["de"],
        "settings": asdict(settings),
        "temperature": temperature,
        "typical_distance": figures.typical_distance(embedded, shipped.center, emodb.speakers),
        "accuracy": sentence(within, across),
        "figures": {
            "emodb_unheard_speakers": within,
            "nemo": across,
            "change": figures_of_change(emodb, models),
        },
    }
    return shipped, rounded(config)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--speech", type=Path, required=True, help="folder with manifest.csv and EMO-DB")
    parser.add_argument(
        "--eval-nemo", type=Path, help="folder with manifest.csv and nEMO: measured, never trained on"
    )
    parser.add_argument(
        "--bursts-weight", type=float, default=0.0, help="weight of EmoGator's surprised bursts"
    )
    parser.add_argument("--out", type=Path, default=model.FOLDER, help="where weights.npz and config.json go")
    options = parser.parse_args()
    shipped, config = train(options.speech, options.eval_nemo, Settings(bursts_weight=options.bursts_weight))
    shipped.save(options.out / model.WEIGHTS.name)
    text = json.dumps(config, indent=1, ensure_ascii=False)
    (options.out / model.CONFIG.name).write_text(text + "\n")
    sys.stdout.write(text + "\n")


if __name__ == "__main__":
    main()
