"""Each shipped model is as good as its card says, and a card is not believed blindly."""

from __future__ import annotations

import pytest
import torch

import fer
from fer.data.fer2013 import read_fer2013
from fer.evaluation.evaluation import study
from fer.models.checkpoints import load_checkpoint, save_checkpoint
from fer.models.weights import find_weights, shipped_names

TOLERANCE = 0.001  # a tenth of a point


def accuracy(name, csv) -> float:
    return study(fer.load(name), read_fer2013(csv, quiet=True), "PublicTest").report.accuracy


@pytest.mark.parametrize("name", shipped_names())
def test_the_card_tells_the_accuracy_on_public_test(name, fer2013_csv):
    card = fer.load(name).card
    assert card.metrics["split"] == "PublicTest" and card.metrics["tta"] == "none"
    assert abs(accuracy(name, fer2013_csv) - card.metrics["accuracy"]) <= TOLERANCE


def test_altered_weights_do_not_pass(tmp_path, fer2013_csv):
    model, card = load_checkpoint(find_weights("mini_xception"))
    with torch.no_grad():
        model.classifier.weight.mul_(0.5).add_(torch.randn_like(model.classifier.weight) * 0.02)
    save_checkpoint(tmp_path / "altered.safetensors", model.state_dict(), card)
    assert abs(accuracy(tmp_path / "altered.safetensors", fer2013_csv) - card.metrics["accuracy"]) > TOLERANCE


def test_the_first_shipped_weights_reach_their_gate():
    assert fer.load("mini_xception").card.metrics["accuracy"] >= 0.62
