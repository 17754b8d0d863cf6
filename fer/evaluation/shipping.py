"""Turn a finished run into weights worth shipping: calibrated on PublicTest, honest about it on the card.

    python -m fer.evaluation.shipping RUN_DIR --data fer2013.csv --name mini_xception
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import tyro

from fer.data.dataset import Dataset, fingerprints
from fer.data.read import read_dataset
from fer.evaluation.calibration import calibrate
from fer.evaluation.details import reliability
from fer.evaluation.metrics import Report, score
from fer.inference.recognizer import Recognizer, load
from fer.models.checkpoints import WEIGHTS_FOLDER, Card, load_checkpoint, save_checkpoint

SPLIT = "PublicTest"
NOTES = (
    "Reads posed and web photographs like those of FER2013: mostly frontal, mostly adult, uneven in age and skin "
    "tone. An expression is what a face shows, not what a person feels. Not for judging people, nor for use at work, "
    "in schools or in law enforcement. Chosen on PublicTest; PrivateTest was never looked at.")


def calibrated_card(recognizer: Recognizer, dataset: Dataset, settings: dict) -> Card:
    """The run's card with temperature and threshold fitted on all of PublicTest; its calibration metrics are held-out.

    Held out: fitted on four folds and scored on the fifth, five times.
    """
    part = dataset.split(SPLIT)
    prints = fingerprints(part.pixels)
    repeated = np.isin(prints, fingerprints(dataset.split("Training").pixels))
    fitted = calibrate(recognizer.logits(part.pixels), part.labels, prints)
    plain = score(fitted["held_out_probabilities"], part.labels, recognizer.name, SPLIT, "none", repeated)
    card = replace(recognizer.card, temperature=round(fitted["temperature"], 4),
                   threshold=round(fitted["threshold"], 4))
    calibrated = Recognizer(recognizer.name, recognizer.engine, card, recognizer.weights)
    averaged = calibrated.probabilities(part.pixels, "flip")
    flipped = score(averaged, part.labels, recognizer.name, SPLIT, "flip", repeated)
    metrics = {"split": SPLIT, **_metrics(plain), "flip": _metrics(flipped),
               "confusion_matrix": plain.confusion_matrix,
               "reliability": reliability(fitted["held_out_probabilities"], part.labels),
               "held_out_calibration": {
                   "folds": 5, "share_answered": round(fitted["share_answered"], 4),
                   "accuracy_of_answers": round(fitted["accuracy_of_answers"], 4)}}
    return replace(card, data="FER2013, Training part (28,709 pictures)", metrics=metrics, notes=NOTES,
                   training={**card.training, **settings}, date=date.today().isoformat())


def _metrics(report: Report) -> dict:
    names = ("n", "accuracy", "accuracy_without_train_duplicates", "macro_f1", "nll", "ece", "brier")
    values = {"tta": report.tta, **{name: getattr(report, name) for name in names}}
    recall = {name: round(row["recall"], 4) for name, row in report.per_class.items()}
    return {name: round(v, 4) if isinstance(v, float) else v for name, v in values.items()} | {"recall": recall}


def main(run: tyro.conf.Positional[Path], data: str, name: str, command: str = "", remark: str = "",
         half: bool = False) -> None:
    """Write weights/NAME.safetensors and its card from a run.

    Args:
        run: The run's directory.
        data: fer2013.csv, with Training and PublicTest.
        name: What the shipped weights are called.
        command: The command that trained the run, for the card.
        remark: What else the card should say of the training.
        half: Store the kernels as 16-bit floats: half the file.
    """
    recognizer = load(run)
    card = calibrated_card(recognizer, read_dataset(data), {"command": command, "remark": remark})
    model, _ = load_checkpoint(recognizer.weights)
    out = WEIGHTS_FOLDER / f"{name}.safetensors"
    state = {key: tensor.half() if half and tensor.ndim > 1 else tensor for key, tensor in model.state_dict().items()}
    save_checkpoint(out, state, card)
    print(f"{out}: {card.metrics['accuracy']:.2%} on {SPLIT}, ECE {card.metrics['ece']:.4f} held out, temperature "
          f"{card.temperature}, sure from {card.threshold:.0%}")


if __name__ == "__main__":
    tyro.cli(main)
