"""The examples of docs/contributing.md, run as they stand: each is one file and one entry."""

from __future__ import annotations

import re
import sys
import types

import numpy as np
import pytest
import torch

import fer
from fer.evaluation.adjustment import adjust
from fer.explanation.attribution import Explainer, units
from fer.explanation.methods import METHODS, Method
from fer.models.registry import ARCHITECTURES, Architecture, build
from fer.models.summary import summarize
from fer.training.config import TrainConfig
from fer.training.loss import WithVotes
from fer.training.run_directory import RunDirectory
from fer.training.worker import train
from fer.vision.detection import load_detector
from fer.vision.images import read_image
from fer.vision.registry import DETECTOR_SPECS, BoxMedian, DetectorSpec
from tests.conftest import ROOT

PAGE = (ROOT / "docs" / "contributing.md").read_text(encoding="utf-8")


@pytest.fixture
def example(monkeypatch):
    """Make the page's file of that name importable."""

    def of(path: str) -> types.ModuleType:
        (code,) = re.findall(rf"```python\n# {path}\n(.*?)```", PAGE, re.DOTALL)
        name = path.removesuffix(".py").replace("/", ".")
        module = types.ModuleType(name)
        exec(compile(code, path, "exec"), module.__dict__)  # noqa: S102  the page's own code
        monkeypatch.setitem(sys.modules, name, module)
        return module

    return of


def entry(name: str) -> str:
    """The entry that the page shows for a registry."""
    (found,) = re.findall(rf"`(\"{name}\": [^`]+)`", PAGE)
    return "{" + " ".join(found.split()) + "}"


def test_a_model(example, monkeypatch, tmp_path, small_csv, sample):
    example("fer/models/two_layers.py")
    for name, network in eval(entry("two_layers"), {"Architecture": Architecture}).items():  # noqa: S307
        monkeypatch.setitem(ARCHITECTURES, name, network)
    assert summarize(build("two_layers"), 44).to_json()["parameters"] == 16 * 26 + 32 + 32 * (16 * 9 + 1) + 64 + 33 * 7
    run = RunDirectory.create(
        tmp_path / "run", TrainConfig(data=str(small_csv), model="two_layers", epochs=1, batch_size=32, threads=1)
    )
    assert train(run) == "finished"
    recognizer = fer.load(run.path)
    (face,) = recognizer.predict(read_image(sample), load_detector("hog"))
    explanation = fer.explain(recognizer, read_image(sample), face, ("grad_cam",), layer="second")
    assert explanation.maps["grad_cam"].shape == (7, 44, 44)
    network = build("two_layers")
    assert [part.shape[1] for part in WithVotes(network)(torch.zeros(2, 1, 44, 44))] == [7, 10]
    before = network.eval()(torch.zeros(2, 1, 44, 44))
    adjust(network, np.arange(7.0))
    assert torch.allclose(network(torch.zeros(2, 1, 44, 44)), before + torch.arange(7.0), atol=1e-5)


def test_a_detector(example, monkeypatch, sample):
    example("fer/vision/center.py")
    for name, kind in eval(entry("center"), {"DetectorSpec": DetectorSpec, "BoxMedian": BoxMedian}).items():  # noqa: S307
        monkeypatch.setitem(DETECTOR_SPECS, name, kind)
    (box,) = load_detector("center").detect(np.zeros((100, 60, 3), np.uint8))
    assert (box.x, box.y, box.width, box.height) == (15, 35, 30, 30)
    assert fer.load("mini_xception").predict(read_image(sample), load_detector("center"))[0].box.width == 256


def test_an_explanation_method(example, monkeypatch):
    example("fer/explanation/input_times_gradient.py")
    for name, method in eval(entry("input_times_gradient"), {"Method": Method}).items():  # noqa: S307
        monkeypatch.setitem(METHODS, name, method)

    class Linear(torch.nn.Module):
        """Class k's score is (k + 1) times the sum of the face."""

        def __init__(self) -> None:
            super().__init__()
            self.relu = torch.nn.ReLU()

        def forward(self, batch):
            return self.relu(batch).sum((1, 2, 3))[:, None] * torch.arange(1.0, 8.0)

        def attribution_layers(self):
            return {"relu": self.relu}

    face = torch.rand(1, 1, 8, 8) + 0.1
    maps = Explainer(Linear()).attribute("input_times_gradient", face, units())
    assert np.allclose(maps, face[0].numpy() * np.arange(1, 8)[:, None, None])
