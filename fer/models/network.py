"""What every network here has besides being an nn.Module: a type, for those who ask a network for more than logits.

An nn.Module answers for any name, so a checker does not see these in one: cast("Network", model) says that they are
there. Needs no PyTorch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from torch import nn


class Network(Protocol):
    """Faces (N, 1, S, S) float32 -> logits (N, 7). classifier: the layer that gives the logits or their maps."""

    classifier: nn.Module

    def attribution_layers(self) -> dict[str, nn.Module]:
        """The layers that a class activation map can be taken from, the shallowest first."""
        ...


class Foldable(Protocol):
    """A network that has a faster form for inference."""

    def fold(self) -> nn.Module:
        """A copy in evaluation mode that answers the same; this network stays as it is."""
        ...
