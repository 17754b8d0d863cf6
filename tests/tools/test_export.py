"""An exported file says what PyTorch says, tells how to feed it, and is not written when it would be wrong."""

from __future__ import annotations

import json

import numpy as np
import onnx
import pytest
import torch

from fer.cli import main
from fer.data.read import read_dataset
from fer.errors import WeightsError
from fer.inference.engine import Engine
from fer.models.checkpoints import load_checkpoint
from fer.models.weights import find_weights
from fer.tools import export as module
from fer.tools.export import export


@pytest.fixture(scope="module")
def drawn():
    return read_dataset("synthetic", quiet=True)


def test_the_file_gives_torchs_logits_and_carries_the_card(tmp_path, drawn):
    found = export("mini_xception", tmp_path / "m.onnx", drawn)
    model, card = load_checkpoint(find_weights("mini_xception"))
    batch = card.preprocessing(drawn.pixels[:3])
    with torch.inference_mode():
        expected = model(torch.from_numpy(batch)).numpy()
    blob = (tmp_path / "m.onnx").read_bytes()
    assert np.abs(Engine(blob)(batch) - expected).max() < 1e-4 and found.file_bytes == len(blob)
    assert found.difference < 1e-3 and found.agreement == 1 and found.accuracy == found.torch_accuracy
    told = {row.key: json.loads(row.value) for row in onnx.load_from_string(blob).metadata_props}
    assert told["classes"] == list(card.classes) and told["temperature"] == card.temperature
    assert told["preprocessing"] == card.preprocessing.to_json() and told["sha256_of_weights"] == card.sha256


def test_int8_is_smaller_and_nearly_as_good(tmp_path, drawn):
    whole = export("mini_xception", tmp_path / "m.onnx", drawn)
    small = export("mini_xception", tmp_path / "m8.onnx", drawn, int8=True)
    assert small.file_bytes < 0.7 * whole.file_bytes and small.agreement > 0.85
    assert small.difference > 0 and abs(small.accuracy - small.torch_accuracy) < 0.1


def test_a_graph_that_differs_is_not_written(tmp_path, drawn, monkeypatch):
    other, _ = load_checkpoint(find_weights("mini_xception"))
    with torch.no_grad():
        other.classifier.bias.add_(torch.arange(7.0))
    real = module.export_onnx
    monkeypatch.setattr(module, "export_onnx", lambda model, size: real(other, size))
    with pytest.raises(WeightsError, match="differs from PyTorch"):
        export("mini_xception", tmp_path / "m.onnx", drawn)
    assert not list(tmp_path.iterdir())


def test_the_command_prints_the_check(tmp_path, capsys):
    assert (
        main(
            [
                "export",
                "mini_xception",
                "--format",
                "onnx",
                "--out",
                str(tmp_path / "m.onnx"),
                "--data",
                "synthetic",
                "--json",
            ]
        )
        == 0
    )
    told = json.loads(capsys.readouterr().out)
    assert told["agreement"] == 1 and told["difference"] < 1e-3
    assert main(["export", "mini_xception", "--out", str(tmp_path / "m.onnx" / "below"), "--data", "synthetic"]) == 1
    assert "cannot be written" in capsys.readouterr().err
