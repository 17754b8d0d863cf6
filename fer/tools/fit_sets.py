"""Refit a shipped model's prediction sets on PublicTest; its weights and the rest of its card stay unchanged.

python -m fer tools fit-sets --data fer2013.csv [--names compact mini_xception]
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import tyro

from fer.conformal import LEVEL, PredictionSets
from fer.data.dataset import Dataset, fingerprints
from fer.data.read import read_dataset
from fer.evaluation.calibration import FOLDS
from fer.evaluation.prediction_sets import better_method, compare_methods, faces_digest, fit_quantiles
from fer.files import replace_file
from fer.inference.recognizer import Recognizer, load
from fer.models.weights import find_weights, read_card, shipped_names
from fer.preprocessing import TTA

if TYPE_CHECKING:
    from fer.models.card import Card

SPLIT = "PublicTest"


def with_sets(card: Card, recognizer: Recognizer, part: Dataset) -> Card:
    """The card with sets by the better method, fitted for each way of averaging views, and their held-out results.

    card: the recognizer's. part: the faces to fit on. Held out, with one view: temperature and quantiles are fitted on
    four folds and tested on the fifth, five times; constants added to the logits stay those fitted on all faces.
    """
    prints = fingerprints(part.pixels)
    found = compare_methods(recognizer.logits(part.pixels), part.labels, prints)
    method = better_method(found)
    quantiles = {view: fit_quantiles(recognizer.probabilities(part.pixels, view), part.labels, method) for view in TTA}
    held_out = found[method].to_json()
    del held_out["in_sample"]
    compared = {
        name: {"coverage": round(one.coverage, 4), "mean_size": round(one.mean_size, 4)} for name, one in found.items()
    }
    return replace(
        card,
        prediction_sets=PredictionSets(method, quantiles, LEVEL, SPLIT, faces_digest(prints)),
        metrics={**card.metrics, "held_out_sets": {"folds": FOLDS, "tta": "none", **held_out, "compared": compared}},
    )


def main(data: str, names: tuple[str, ...] = ()) -> None:
    """Write the sets to the cards of shipped models.

    Args:
        data: fer2013.csv, with PublicTest.
        names: Shipped models; all by default.
    """
    part = read_dataset(data).split(SPLIT)
    for name in names or tuple(shipped_names()):
        path = find_weights(name)
        card = with_sets(read_card(path), load(name), part)
        replace_file(path.with_suffix(".json"), json.dumps(card.to_json(), indent=2) + "\n")
        held = card.metrics["held_out_sets"]
        method = card.prediction_sets.method if card.prediction_sets else ""
        print(f"{name}: {method}, held out {held['coverage']:.1%} with {held['mean_size']:.2f} labels per face")


if __name__ == "__main__":
    tyro.cli(main)
