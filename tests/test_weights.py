"""Each shipped model is as good as its card says, and a card is not believed blindly."""

from __future__ import annotations

import pytest
import torch

import fer
from fer.data.fer2013 import read_fer2013
from fer.evaluation.evaluation import Evaluation, study
from fer.models.checkpoints import load_checkpoint, save_checkpoint
from fer.models.weights import find_weights, shipped_names

TOLERANCE = 0.001  # a tenth of a point


def evaluated(name, csv) -> Evaluation:
    return study(fer.load(name), read_fer2013(csv, quiet=True), "PublicTest")


SMALL = "mini_xception"  # the others take longer


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name == SMALL else pytest.mark.long) for name in shipped_names()]
)
def test_the_card_tells_the_accuracy_and_the_sets_on_public_test(name, fer2013_csv):
    card = fer.load(name).card
    assert card.metrics["split"] == "PublicTest" and card.metrics["tta"] == "none"
    found = evaluated(name, fer2013_csv)
    assert abs(found.report.accuracy - card.metrics["accuracy"]) <= TOLERANCE
    sets, held_out = found.set_coverage(), card.metrics["held_out_sets"]
    assert found.in_sample and 0.89 < held_out["coverage"] <= sets.coverage + 0.01
    assert sets.mean_size == pytest.approx(held_out["mean_size"], abs=0.05)
    assert all(row["coverage"] >= 0.895 for row in sets.per_class.values())


def test_altered_weights_do_not_pass(tmp_path, fer2013_csv):
    model, card = load_checkpoint(find_weights("mini_xception"))
    with torch.no_grad():
        model.classifier.weight.mul_(0.5).add_(torch.randn_like(model.classifier.weight) * 0.02)
    save_checkpoint(tmp_path / "altered.safetensors", model.state_dict(), card)
    assert (
        abs(evaluated(tmp_path / "altered.safetensors", fer2013_csv).report.accuracy - card.metrics["accuracy"])
        > TOLERANCE
    )


def test_the_first_shipped_weights_reach_their_gate():
    assert fer.load("mini_xception").card.metrics["accuracy"] >= 0.62
