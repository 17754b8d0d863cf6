"""A checkpoint comes back as it was saved; whatever is wrong with one is a sentence, never a crash."""

from __future__ import annotations

import json
import os
import pickle
from dataclasses import replace

import pytest
import safetensors.torch
import torch

from fer.errors import WeightsError
from fer.limits import OWNER
from fer.models import weights
from fer.models.card import MAX_BYTES, Card
from fer.models.checkpoints import load_checkpoint, save_checkpoint
from fer.models.registry import build
from fer.models.weights import find_weights, shipped_names
from fer.preprocessing import Preprocessing


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


def test_weights_that_are_replaced_between_card_and_tensors_are_read_anew(saved, monkeypatch):
    path, _, card = saved
    better, read = build("mini_xception"), weights.read_card

    def then_saved(asked):
        monkeypatch.setattr(weights, "read_card", read)
        old = read(asked)
        save_checkpoint(path, better.state_dict(), card)
        return old

    monkeypatch.setattr(weights, "read_card", then_saved)
    loaded, told = load_checkpoint(path)
    assert told.sha256 != card.sha256 and torch.equal(next(loaded.parameters()), next(better.parameters()))


def change_card(path, **values):
    card = json.loads(path.with_suffix(".json").read_text())
    path.with_suffix(".json").write_text(json.dumps({**card, **values}))


def replace_tensor(path, name, value):
    state = safetensors.torch.load_file(path)
    state[name] = value
    safetensors.torch.save_file(state, path)
    change_card(path, sha256="")


def without_tensor(path, name):
    state = safetensors.torch.load_file(path)
    del state[name]
    safetensors.torch.save_file(state, path)
    change_card(path, sha256="")


def put(path, content: bytes):
    path.write_bytes(content)
    change_card(path, sha256="")


class Bomb:
    """Unpickled, it would make a file."""

    def __reduce__(self):
        return os.mkdir, ("unpickled",)


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (lambda path: path.write_bytes(path.read_bytes()[:-9]), "sha256"),
        (lambda path: path.with_suffix(".json").unlink(), "no card"),
        (lambda path: path.with_suffix(".json").write_text("{"), "JSON"),
        (lambda path: path.with_suffix(".json").write_text("[]"), "architecture"),
        (lambda path: change_card(path, architecture="other"), "'other'"),
        (lambda path: change_card(path, classes=["cat", "dog"]), "cat, dog"),
        (lambda path: change_card(path, temperature=0), "temperature"),
        (lambda path: change_card(path, architecture="repvgg"), "lacks"),
        (lambda path: replace_tensor(path, "classifier.bias", torch.full((7,), torch.nan)), "infinite or NaN"),
        (lambda path: replace_tensor(path, "classifier.bias", torch.zeros(8)), r"\[8\]"),
        (lambda path: replace_tensor(path, "extra", torch.zeros(8)), "'?extra"),
        (lambda path: put(path, pickle.dumps({"a": 1})), "safetensors"),
        (lambda path: (put(path, b""), torch.save({"a": torch.zeros(1), "b": Bomb()}, path)), "safetensors"),
        (lambda path: put(path, (10 * 2**30).to_bytes(8, "little") + path.read_bytes()[8:]), "safetensors"),
        (lambda path: put(path, (2**64 - 1).to_bytes(8, "little")), "safetensors"),
        (lambda path: put(path, b""), "safetensors"),
        (lambda path: path.unlink(), "cannot be read"),
        (lambda path: (path.unlink(), path.with_suffix(".onnx").unlink()), "no weights"),
        (lambda path: without_tensor(path, "classifier.bias"), "lacks 'classifier.bias'"),
        (lambda path: replace_tensor(path, "classifier.bias", torch.full((7,), torch.inf)), "infinite or NaN"),
        (
            lambda path: replace_tensor(path, "classifier.bias", torch.full((7,), 1e300, dtype=torch.float64)),
            "infinite or NaN",
        ),
        (
            lambda path: replace_tensor(path, "classifier.bias", torch.full((7,), torch.nan).to(torch.float8_e4m3fn)),
            "infinite or NaN",
        ),
        (
            lambda path: replace_tensor(path, "classifier.bias", torch.full((7,), torch.nan, dtype=torch.complex64)),
            "complex64",
        ),
        (lambda path: replace_tensor(path, "classifier.bias", torch.zeros(7, dtype=torch.int64)), "int64"),
        (lambda path: replace_tensor(path, "classifier.bias", torch.zeros(7, dtype=torch.bool)), "bool"),
        (lambda path: replace_tensor(path, "classifier.bias", torch.zeros(7, 1)), r"\[7, 1\]"),
        (lambda path: replace_tensor(path, "classifier.bias", torch.zeros(())), r"\[\]"),
        (lambda path: change_card(path, sha256="0" * 64), "sha256 differs"),
        (lambda path: change_card(path, sha256=["0"]), "sha256"),
        (lambda path: path.with_suffix(".json").write_text("[" * 100_000), "JSON"),
        (lambda path: change_card(path, metrics=nested(50)), "JSON"),
        (lambda path: path.with_suffix(".json").write_bytes(b" " * (MAX_BYTES + 1)), "JSON"),
        (lambda path: path.with_suffix(".json").write_bytes(b"\xff"), "JSON"),
        (lambda path: change_card(path, architecture=["mini_xception"]), "architecture"),
        (lambda path: change_card(path, architecture="../../etc/passwd"), "etc/passwd"),
        (lambda path: change_card(path, classes=7), "classes 7"),
        (lambda path: change_card(path, temperature=float("nan")), "temperature"),
        (lambda path: change_card(path, temperature=1e-300), "temperature"),
        (lambda path: change_card(path, threshold="0.5"), "threshold"),
        (lambda path: change_card(path, metrics=[]), "metrics"),
        (lambda path: change_card(path, metrics={"accuracy": 10**400}), "accuracy"),
        (lambda path: change_card(path, metrics={"split": []}), "split"),
        (lambda path: change_card(path, metrics={"macro_f1": float("nan")}), "macro_f1"),
        (lambda path: change_card(path, metrics={"confusion_matrix": [[1, 2], [3]]}), "confusion_matrix"),
        (lambda path: change_card(path, metrics={"confusion_matrix": [["1"] * 7] * 7}), "confusion_matrix"),
        (lambda path: change_card(path, metrics={"reliability": [{"from": 0}]}), "reliability"),
        (lambda path: change_card(path, metrics={"reliability": 5}), "reliability"),
        (lambda path: change_card(path, metrics={"held_out_sets": {"coverage": "all"}}), "held_out_sets"),
        (lambda path: change_card(path, data={}), "data"),
        (lambda path: change_card(path, preprocessing={"face_size": 48.5}), "face_size"),
        (lambda path: change_card(path, preprocessing={"face_size": 10**9, "input_size": 10**9}), "input_size"),
        (lambda path: change_card(path, preprocessing={"mean": float("nan")}), "mean"),
        (lambda path: change_card(path, preprocessing={"deviation": 0}), "deviation"),
        (lambda path: change_card(path, preprocessing={"deviation": 10**400}), "preprocessing"),
    ],
)
def test_damage_is_told(saved, damage, says, monkeypatch, tmp_path):
    path, _, _ = saved
    monkeypatch.chdir(tmp_path)
    damage(path)
    with pytest.raises(WeightsError, match=says):
        load_checkpoint(path)
    assert not (tmp_path / "unpickled").exists()


def nested(depth: int) -> dict:
    found: dict = {}
    for _ in range(depth):
        found = {"a": found}
    return found


def test_half_precision_weights_are_taken(saved):
    path, model, _ = saved
    replace_tensor(path, "classifier.bias", model.state_dict()["classifier.bias"].half())
    loaded, _ = load_checkpoint(path)
    assert {value.dtype for value in loaded.state_dict().values()} == {torch.float32, torch.int64}


def test_a_file_too_large_is_refused_unread(saved, monkeypatch):
    path, _, _ = saved
    most = replace(OWNER, checkpoint_bytes=path.stat().st_size - 1)
    monkeypatch.setattr(weights.read_bytes, "__defaults__", (most,))
    monkeypatch.setattr(type(path), "read_bytes", lambda path: pytest.fail("read"))
    for upcoming in (b"", b"{}"):  # a save that was cut off is not looked into either
        path.with_name(f".{path.stem}.json.next").write_bytes(upcoming)
        with pytest.raises(WeightsError, match="larger than"):
            load_checkpoint(path)


@pytest.mark.parametrize("upcoming", [b"[]", b"\xff", b"[" * 100_000, b"{", b'{"sha256": 7}'])
def test_an_upcoming_card_that_is_none_changes_nothing(saved, upcoming):
    path, _, card = saved
    path.with_name(f".{path.stem}.json.next").write_bytes(upcoming)
    assert load_checkpoint(path)[1] == card


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
