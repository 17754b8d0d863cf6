"""Runs are shipped alone, or as one network; what was wrong is a sentence."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import fer
from fer.data.fer2013 import read_fer2013
from fer.errors import WeightsError
from fer.evaluation.evaluation import study
from fer.models.card import Card
from fer.models.checkpoints import save_checkpoint
from fer.models.registry import build
from fer.preprocessing import Preprocessing
from fer.tools import ship_weights
from fer.tools.ship_weights import load_runs


@pytest.fixture
def save_run(tmp_path):
    def save(name: str, architecture: str = "repvgg_small", **card):
        folder = tmp_path / name
        torch.manual_seed(len(name))
        card = Card(architecture, training={"config": {"model": architecture, "seed": len(name)}}, **card)
        save_checkpoint(folder / "best.safetensors", build(architecture).state_dict(), card)
        return folder

    return save


def test_one_run_is_itself(save_run):
    network, card = load_runs((save_run("a"),))
    assert card.architecture == "repvgg_small" and network.stages[1][0].conv3.groups == 1


def test_two_runs_are_one_network_with_both_settings(save_run):
    votes = {"FER+ votes": "MIT (used in this training as an auxiliary loss)"}
    network, card = load_runs(
        (save_run("a", licences={"FER+ votes": "MIT (not used in this training)"}), save_run("bb", licences=votes))
    )
    assert card.architecture == "repvgg_small_g2" and network.stages[1][0].conv3.groups == 2
    assert [part["config"]["seed"] for part in card.training["merged"]] == [1, 2]
    assert card.licences == votes


def test_runs_that_see_faces_differently_are_not_merged(save_run):
    runs = save_run("a"), save_run("bb", preprocessing=Preprocessing(standardise="dataset"))
    with pytest.raises(WeightsError, match="one architecture and preprocessing"):
        load_runs(runs)


@pytest.mark.parametrize(
    ("data", "told"), [("fer2013.csv", "FER2013, Training part (224 pictures)"), ("my_faces", "my_faces")]
)
def test_the_card_tells_of_the_very_weights_and_data(save_run, tmp_path, small_csv, monkeypatch, data, told):
    monkeypatch.setattr(ship_weights, "weights_folder", lambda: tmp_path / "weights")
    (tmp_path / "weights").mkdir()
    ship_weights.main((save_run("a", data=data),), str(small_csv), "mine", half=True)
    recognizer, part = fer.load(tmp_path / "weights" / "mine.safetensors"), read_fer2013(small_csv, quiet=True)
    part = part.split("PublicTest")
    named = recognizer.probabilities(part.pixels).argmax(1)
    matrix = np.zeros((7, 7), int)
    np.add.at(matrix, (part.labels, named), 1)
    assert recognizer.card.metrics["confusion_matrix"] == matrix.tolist() and recognizer.card.data == told
    sets = recognizer.card.prediction_sets
    assert sets.split == "PublicTest" and list(sets.quantiles) == ["none", "flip", "tencrop"]
    assert study(recognizer, read_fer2013(small_csv, quiet=True), "PublicTest", "flip").in_sample
    kernel = recognizer.load_network().stages[1][0].conv3.weight
    assert torch.equal(kernel, kernel.half().float())
