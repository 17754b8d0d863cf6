"""A checkpoint comes back as it was saved; whatever is wrong with one is a sentence, never a crash."""

from __future__ import annotations

import json
import pickle

import pytest
import safetensors.torch
import torch

from fer.data.transforms import Preprocessing
from fer.errors import WeightsError
from fer.models.checkpoints import Card, find_weights, load_checkpoint, save_checkpoint, shipped_names
from fer.models.zoo import build


@pytest.fixture
def saved(tmp_path):
    model = build("mini_xception")
    card = Card("mini_xception", Preprocessing(standardise="dataset"), temperature=1.3, metrics={"accuracy": 0.5})
    path = tmp_path / "mine.safetensors"
    return path, model, save_checkpoint(path, model.state_dict(), card)


def test_round_trip(saved):
    path, model, card = saved
    loaded, read = load_checkpoint(path)
    assert read == card and read.sha256 and not loaded.training
    assert all(torch.equal(value, loaded.state_dict()[name]) for name, value in model.state_dict().items())


def change_card(path, **values):
    card = json.loads(path.with_suffix(".json").read_text())
    path.with_suffix(".json").write_text(json.dumps({**card, **values}))


def replace_tensor(path, name, value):
    state = safetensors.torch.load_file(path)
    state[name] = value
    safetensors.torch.save_file(state, path)
    change_card(path, sha256="")


@pytest.mark.parametrize(("damage", "says"), [
    (lambda path: path.write_bytes(path.read_bytes()[:-9]), "sha256"),
    (lambda path: path.with_suffix(".json").unlink(), "no card"),
    (lambda path: path.with_suffix(".json").write_text("{"), "JSON"),
    (lambda path: path.with_suffix(".json").write_text("[]"), "architecture"),
    (lambda path: change_card(path, architecture="other"), "'other'"),
    (lambda path: change_card(path, classes=["cat", "dog"]), "cat, dog"),
    (lambda path: change_card(path, temperature=0), "temperature"),
    (lambda path: change_card(path, architecture="repvgg"), "lacks"),
    (lambda path: replace_tensor(path, "classifier.bias", torch.full((7,), torch.nan)), "not numbers"),
    (lambda path: replace_tensor(path, "classifier.bias", torch.zeros(8)), r"\[8\]"),
    (lambda path: replace_tensor(path, "extra", torch.zeros(8)), "'?extra"),
    (lambda path: (path.write_bytes(pickle.dumps({"a": 1})), change_card(path, sha256="")), "safetensors"),
    (lambda path: (path.write_bytes((2**40).to_bytes(8, "little")), change_card(path, sha256="")), "safetensors"),
    (lambda path: path.unlink(), "no weights"),
])
def test_damage_is_told(saved, damage, says):
    path, _, _ = saved
    damage(path)
    with pytest.raises(WeightsError, match=says):
        load_checkpoint(path)


def test_a_run_without_an_epoch_and_an_unknown_name(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(WeightsError, match="no finished epoch"):
        find_weights(tmp_path)
    with pytest.raises(WeightsError, match="mini_xception"):
        find_weights("nothing")


def test_what_ships_is_small_and_loads():
    assert "mini_xception" in shipped_names()
    paths = [find_weights(name) for name in shipped_names()]
    assert sum(path.stat().st_size for path in paths) < 12 * 2**20
    for path in paths:
        _, card = load_checkpoint(path)
        assert card.licences and card.data and card.date and card.metrics["accuracy"] > 0.6
