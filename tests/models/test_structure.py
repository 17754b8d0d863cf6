"""The boxes of a network's diagram, by hand."""

from __future__ import annotations

import torch
from torch import nn

from fer.models.registry import ARCHITECTURES, build, parameter_count
from fer.models.structure import Part, parts_of


class Residual(nn.Module):
    """Two in a row: one with a convolution beside it, one with nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(4, 4, 3, padding=1), nn.Conv2d(4, 4, 5, padding=2)
        self.beside, self.relu = nn.Conv2d(4, 4, 1), nn.ReLU()

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        features = self.relu(self.first(features)) + self.beside(features)
        return torch.add(self.second(features), features)


class Untraceable(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(4, 4, 3, padding=1)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        return self.conv(features) if features.sum() > 0 else self.conv(-features)


def test_a_network_by_hand():
    network = nn.Sequential(
        nn.Conv2d(1, 4, 3, stride=2, padding=1),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        Residual(),
        Untraceable(),
        Untraceable(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(4, 7),
    )
    first, residual, twice, average, flat, last = parts_of(network, 10)
    assert first == Part("0", ("conv 3×3",), (), (4, 5, 5), 4 * 9 + 4 + 8)  # the norm's are its own
    assert residual.operations == ("conv 3×3", "conv 5×5") and residual.shortcuts == ("conv 1×1", "identity")
    assert (twice.operations, twice.repeats, twice.parameters) == (("conv 3×3",), 2, 2 * (16 * 9 + 4))
    assert (average.operations, flat.shape, last.operations) == (("average",), (4,), ("linear",))
    assert Part.from_json(residual.to_json()) == residual


def test_every_architecture_is_told_with_all_its_parameters_and_shortcuts():
    for name in ARCHITECTURES:
        network = build(name)
        parts = parts_of(network, 44)
        assert sum(part.parameters for part in parts) == parameter_count(network), name
        assert parts[-1].shape[0] == 7 and set(ARCHITECTURES[name].layers) <= {part.name for part in parts}, name
        shortcuts = any(part.shortcuts for part in parts)
        assert not (shortcuts and name.startswith("vgg")), name
        assert shortcuts or not name.startswith(("mini_xception", "repvgg", "resnet", "se_resnet")), name
    blocks = [part for part in parts_of(build("mini_xception"), 44) if part.name.startswith("block")]
    assert all(part.operations == ("separable conv 3×3", "separable conv 3×3", "max-pool") for part in blocks)
    assert [part.shape for part in blocks] == [(16, 20, 20), (32, 10, 10), (64, 5, 5), (128, 3, 3)]
    assert {part.shortcuts for part in blocks} == {("conv 1×1",)}
