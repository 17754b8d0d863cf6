"""The interface that every network here has beyond nn.Module. Needs no PyTorch.

nn.Module accepts any attribute name, so type checkers cannot see these members: use cast("Network", model).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, cast

from fer.errors import WeightsError
from fer.expressions import COUNT

if TYPE_CHECKING:
    from torch import nn


class Network(Protocol):
    """Faces (N, 1, S, S) float32 -> logits (N, 7).

    classifier: an nn.Linear or nn.Conv2d with a bias, which computes the logits or their maps.
    """

    classifier: nn.Module

    def attribution_layers(self) -> dict[str, nn.Module]:
        """The layers available for class activation maps, shallowest first."""
        ...


class Foldable(Protocol):
    """A network with a faster form for inference."""

    def fold(self) -> nn.Module:
        """An equivalent copy in evaluation mode; leaves this network unchanged."""
        ...


def check_network(name: str, model: nn.Module, layers: tuple[str, ...]) -> None:
    """Raises WeightsError if a registered network lacks what training and explaining need."""
    from torch import nn

    classifier = getattr(model, "classifier", None)
    if not isinstance(classifier, nn.Linear | nn.Conv2d) or classifier.bias is None or len(classifier.bias) != COUNT:
        raise WeightsError(f"{name} needs a `classifier`: an nn.Linear or nn.Conv2d with {COUNT} outputs and a bias.")
    if not hasattr(model, "attribution_layers"):
        raise WeightsError(f"{name} needs `attribution_layers()`: see fer/models/network.py.")
    if (found := tuple(cast("Network", model).attribution_layers())) != layers:
        raise WeightsError(f"{name} is registered with the layers {layers}, but attribution_layers() has {found}.")
