"""Turn finished runs into weights to ship, calibrated on PublicTest, with held-out results on the card.

python -m fer tools ship-weights RUN_DIR [RUN_DIR ...] --data fer2013.csv --name mini_xception
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import torch
import tyro
from torch import nn

from fer.data.dataset import Dataset, fingerprints
from fer.data.read import read_dataset
from fer.errors import WeightsError
from fer.evaluation.adjustment import adjust
from fer.evaluation.calibration import calibrate
from fer.evaluation.curves import reliability
from fer.evaluation.metrics import Report, score
from fer.inference.engine import Engine
from fer.inference.recognizer import Recognizer
from fer.locations import weights_folder
from fer.models.card import NOT_FOR, Card
from fer.models.checkpoints import load_checkpoint, save_checkpoint
from fer.models.merging import merge
from fer.models.onnx_export import export_onnx
from fer.models.registry import parameter_count
from fer.models.weights import find_weights
from fer.tools.fit_sets import SPLIT, with_sets
from fer.training.batchnorm import with_new_statistics
from fer.training.setup import to_device

FER2013 = ("fer2013.csv", "icml_face_data.csv")
NOTES = (
    "Reads posed and web photographs like those of FER2013: mostly frontal, mostly adult, uneven in age and skin "
    f"tone. {NOT_FOR} Chosen on PublicTest; PrivateTest was never looked at."
)


def calibrated(
    name: str, model: nn.Module, run_card: Card, weights: Path, dataset: Dataset, settings: dict, adjusted: bool = False
) -> Card:
    """The run's card with temperature, threshold and sets fitted on all of PublicTest; adds the adjustment to the
    model's bias.

    Accuracy, F1 and recall on the card are those of the shipped weights. Loss, calibration and everything under
    held_out_calibration are held out: fitted on four folds and scored on the fifth, five times.
    """
    part = dataset.split(SPLIT)
    prints = fingerprints(part.pixels)
    training = dataset.split("Training")
    repeated = np.isin(prints, fingerprints(training.pixels))
    logits = Recognizer(name, Engine(export_onnx(model, run_card.input_size)), run_card, weights).logits(part.pixels)
    fitted = calibrate(logits, part.labels, prints, adjusted)
    if adjusted:
        adjust(model, fitted["adjustment"])
        settings = settings | {"logit_adjustment": [round(float(value), 3) for value in fitted["adjustment"]]}
    card = replace(run_card, temperature=round(fitted["temperature"], 4), threshold=round(fitted["threshold"], 4))
    shipped = Recognizer(name, Engine(export_onnx(model, card.input_size)), card, weights)
    own, flipped = (
        score(shipped.probabilities(part.pixels, tta), part.labels, name, SPLIT, tta, repeated)
        for tta in ("none", "flip")
    )
    held = score(fitted["held_out_probabilities"], part.labels, name, SPLIT, "none", repeated)
    held_metrics = _metrics(held)
    metrics = {
        "split": SPLIT,
        **_metrics(own),
        **{key: held_metrics[key] for key in ("nll", "ece", "brier")},
        "flip": _metrics(flipped),
        "confusion_matrix": own.confusion_matrix,
        "reliability": reliability(fitted["held_out_probabilities"], part.labels),
        "held_out_calibration": {
            "folds": 5,
            "share_answered": round(fitted["share_answered"], 4),
            "accuracy_of_answers": round(fitted["accuracy_of_answers"], 4),
            **{key: held_metrics[key] for key in ("accuracy", "macro_f1", "recall")},
        },
    }
    return replace(
        with_sets(replace(card, metrics=metrics), shipped, part),
        data=f"FER2013, Training part ({len(training):,} pictures)" if run_card.data in FER2013 else run_card.data,
        notes=NOTES,
        training={**card.training, **settings},
        date=date.today().isoformat(),
    )


def _metrics(report: Report) -> dict:
    names = ("n", "accuracy", "accuracy_without_train_duplicates", "macro_f1", "nll", "ece", "brier")
    values = {"tta": report.tta, **{name: getattr(report, name) for name in names}}
    recall = {
        name: None if row["recall"] is None else round(row["recall"], 4) for name, row in report.per_class.items()
    }
    return {name: round(v, 5) if isinstance(v, float) else v for name, v in values.items()} | {"recall": recall}


def load_runs(runs: tuple[Path, ...]) -> tuple[nn.Module, Card]:
    """The best network of a run with its card, or several runs merged into one network, with all their settings.

    Raises WeightsError if the runs cannot be merged.
    """
    networks, cards = zip(*(load_checkpoint(find_weights(run)) for run in runs), strict=True)
    first = cards[0]
    if len(runs) == 1:
        return networks[0], first
    for card in cards:
        if (card.architecture, card.preprocessing) != (first.architecture, first.preprocessing):
            raise WeightsError(
                f"Only runs of one architecture and preprocessing can be merged, not {first.architecture} "
                f"and {card.architecture}. Train them with the same input_size and standardise."
            )
    architecture, merged = merge(first.architecture, networks)
    licences = first.licences | {
        source: licence for card in cards for source, licence in card.licences.items() if "not used" not in licence
    }
    training = {"parameters": parameter_count(merged), "merged": [card.training for card in cards]}
    return merged, replace(first, architecture=architecture, licences=licences, training=training)


def halved(model: nn.Module) -> dict[str, torch.Tensor]:
    """The state with 16-bit kernels; biases and statistics stay unchanged."""
    return {key: tensor.half() if tensor.ndim > 1 else tensor for key, tensor in model.state_dict().items()}


def main(
    runs: tyro.conf.Positional[tuple[Path, ...]],
    data: str,
    name: str,
    command: str = "",
    remark: str = "",
    half: bool = False,
    norm_pictures: int = 0,
    adjusted: bool = False,
) -> None:
    """Write weights/NAME.safetensors and its card from one run, or from several merged into one network.

    Args:
        runs: The run's directory, or several of one architecture.
        data: fer2013.csv, with Training and PublicTest.
        name: Name of the shipped weights.
        command: The command that trained the run, for the card.
        remark: Additional remark about the training, for the card.
        half: Store the kernels as 16-bit floats, which halves the file.
        norm_pictures: Remeasure the batch-norm statistics on this many training pictures; 0: keep the run's.
        adjusted: Add a constant to each class's logit so that fear and disgust are predicted more often.
    """
    dataset = read_dataset(data)
    model, run_card = load_runs(runs)
    settings: dict[str, str | int] = {"command": command, "remark": remark}
    if norm_pictures:
        faces = to_device(dataset.split("Training"), torch.device("cpu"), False)
        model = with_new_statistics(model, faces, run_card.preprocessing, norm_pictures)
        settings["norm_pictures_at_shipping"] = norm_pictures
    if half:
        model.load_state_dict(halved(model))  # the card describes the weights as stored
    card = calibrated(name, model, run_card, find_weights(runs[0]), dataset, settings, adjusted)
    out = weights_folder() / f"{name}.safetensors"
    save_checkpoint(out, halved(model) if half else model.state_dict(), card)
    print(
        f"{out}: {card.metrics['accuracy']:.2%} on {SPLIT}, ECE {card.metrics['ece']:.4f} held out, temperature "
        f"{card.temperature}, sure from {card.threshold:.0%}"
    )


if __name__ == "__main__":
    tyro.cli(main)
