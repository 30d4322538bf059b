"""Trains the word recognizer and measures it: one command gives the shipped weights and every figure.

python -m analysis.recognition.words.train --goemotions DIR [--eval-zh FILE]

DIR holds labels.txt, train.tsv, dev.tsv and test.tsv as GoEmotions is published (Apache-2.0 / CC BY 4.0).
FILE holds Chinese posts, one JSON object with ``content`` a line: they only measure whether it abstains.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

from analysis.recognition.calibration import FEWEST, fit_temperature
from analysis.recognition.words import figures, model
from analysis.recognition.words.corpus import read
from analysis.recognition.words.fitting import Settings, fit, probabilities
from analysis.recognition.words.recognizer import WordRecognizer
from analysis.values import LABELS


def sentence(test: dict) -> str:
    """What is shown to people beside every label."""
    return (
        f"Trained on written English comments: of comments it never read it finds {test['uar']:.0%} of each "
        "of eight categories on average. It reads words, not a voice; it does not understand irony, "
        "quotations or context. English only."
    )


def rounded(value: object) -> object:
    """Every float in nested dictionaries at four digits."""
    if isinstance(value, dict):
        return {key: rounded(entry) for key, entry in value.items()}
    return round(value, 4) if isinstance(value, float) else value


def train(goemotions: Path, zh: Path | None, settings: Settings) -> tuple[model.Model, dict]:
    """The shipped model and its configuration with all figures."""
    fitted = fit(read(goemotions, "train"), settings)
    dev, test = read(goemotions, "dev").only_certain(), read(goemotions, "test")
    if len(dev.texts) < FEWEST:
        raise SystemExit(f"{len(dev.texts)} comments are too few to fit a temperature; {FEWEST} are needed")
    temperature = round(fit_temperature(probabilities(fitted, dev.texts), dev.truth), 4)
    measured = figures.of_test(probabilities(fitted, test.texts), test, temperature)
    config = {
        "id": "words",
        "version": "1",
        "labels": list(LABELS),
        "languages": ["en"],
        "settings": asdict(settings),
        "features": len(fitted.vocabulary),
        "temperature": temperature,
        "accuracy": sentence(measured),
        "figures": {"goemotions_test": measured},
    }
    recognizer = _as_shipped(fitted, config)
    config["figures"]["abstention"] = figures.abstention(recognizer, test)
    if zh is not None:
        posts = [json.loads(line)["content"] for line in zh.read_text(encoding="utf-8").splitlines()]
        config["figures"]["chinese_posts"] = figures.shares_of([recognizer.read(t).reading for t in posts])
    return fitted, rounded(config)


def _as_shipped(fitted: model.Model, config: dict) -> WordRecognizer:
    with tempfile.TemporaryDirectory() as folder:
        weights, settings = Path(folder, "weights.npz"), Path(folder, "config.json")
        fitted.save(weights)
        settings.write_text(json.dumps(config), encoding="utf-8")
        return WordRecognizer(weights, settings)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--goemotions", type=Path, required=True, help="folder with labels.txt and train.tsv")
    parser.add_argument(
        "--eval-zh", type=Path, help="JSON lines with Chinese posts: measured, never trained on"
    )
    parser.add_argument("--out", type=Path, default=model.FOLDER, help="where weights.npz and config.json go")
    options = parser.parse_args()
    fitted, config = train(options.goemotions, options.eval_zh, Settings())
    fitted.save(options.out / model.WEIGHTS.name)
    text = json.dumps(config, indent=1, ensure_ascii=False)
    (options.out / model.CONFIG.name).write_text(text + "\n", encoding="utf-8")
    sys.stdout.write(text + "\n")


if __name__ == "__main__":
    main()
