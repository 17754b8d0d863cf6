"""Toy networks whose maps can be computed by hand, and the shipped network with a real face."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import fer
from fer.explanation.attribution import Explainer
from fer.explanation.subject import subject
from fer.models.checkpoints import load_checkpoint
from fer.models.registry import build, fold
from fer.vision.images import read_image


class Toy(nn.Module):
    """Two 1x1 channels, ReLU, sums: logit k = the sum of row k's weights times the channels' sums."""

    def __init__(self, channel_weights, class_weights) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, len(channel_weights), 1, bias=False)
        self.relu = nn.ReLU()
        self.linear = nn.Linear(len(channel_weights), 7, bias=False)
        self.conv.weight.data = torch.tensor(channel_weights).view(-1, 1, 1, 1)
        self.linear.weight.data = torch.tensor(class_weights)

    def forward(self, batch):
        return self.linear(self.relu(self.conv(batch)).sum((2, 3)))

    def attribution_layers(self):
        return {"relu": self.relu}


@pytest.fixture
def toy():
    """Channels x and -x; class 0 counts brightness, 1 darkness, 2 their difference; the others nothing."""
    return Toy([1.0, -1.0], [[1.0, 0.0], [0.0, 1.0], [2.0, -1.0]] + [[0.0, 0.0]] * 4)


@pytest.fixture(scope="session")
def recognizer():
    return fer.load("mini_xception", threads=1)


@pytest.fixture(scope="session")
def mini(recognizer):
    return load_checkpoint(recognizer.weights)[0]


@pytest.fixture(scope="session", params=["mini_xception", "repvgg_small"])
def network(request, mini):
    """Both families; the second untrained but with statistics that keep its signal alive, and folded."""
    if request.param == "mini_xception":
        return mini
    torch.manual_seed(0)
    model = build("repvgg_small").train()
    with torch.no_grad():
        for _ in range(12):
            model(torch.randn(8, 1, 44, 44))
    return fold(model.eval())


@pytest.fixture(scope="session")
def astronaut():
    return read_image("fer/app/samples/astronaut.jpg")


@pytest.fixture(scope="session")
def face(recognizer, astronaut):
    return subject(recognizer, astronaut, recognizer.predict(astronaut, "hog")[0])


@pytest.fixture
def explainer(network):
    return Explainer(network)
