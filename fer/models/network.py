"""What every network here has besides being an nn.Module: a type, for those who ask a network for more than logits.

An nn.Module answers for any name, so a checker does not see these in one: cast("Network", model) says that they are
there. Needs no PyTorch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, cast

from fer.errors import WeightsError
from fer.expressions import COUNT

if TYPE_CHECKING:
    from torch import nn


class Network(Protocol):
    """Faces (N, 1, S, S) float32 -> logits (N, 7).

    classifier: an nn.Linear or nn.Conv2d with a bias, which gives the logits or their maps.
    """

    classifier: nn.Module

    def attribution_layers(self) -> dict[str, nn.Module]:
        """The layers that a class activation map can be taken from, the shallowest first."""
        ...


class Foldable(Protocol):
    """A network that has a faster form for inference."""

    def fold(self) -> nn.Module:
        """A copy in evaluation mode that answers the same; this network stays as it is."""
        ...


def check_network(name: str, model: nn.Module, layers: tuple[str, ...]) -> None:
    """Raises WeightsError where a network of the registry lacks what training and explaining rely on."""
    from torch import nn

    classifier = getattr(model, "classifier", None)
    if not isinstance(classifier, nn.Linear | nn.Conv2d) or classifier.bias is None or len(classifier.bias) != COUNT:
        raise WeightsError(
            f"{name} needs a `classifier`: an nn.Linear or nn.Conv2d with a bias that gives {COUNT} values."
        )
    if not hasattr(model, "attribution_layers"):
        raise WeightsError(f"{name} needs `attribution_layers()`: see fer/models/network.py.")
    if (found := tuple(cast("Network", model).attribution_layers())) != layers:
        raise WeightsError(f"{name} is registered with the layers {layers}, its attribution_layers() are {found}.")
