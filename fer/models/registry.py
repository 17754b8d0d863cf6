"""The networks by name: their layers, and how to build them.

Names and layers need no PyTorch; `build` imports it.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from fer.errors import WeightsError
from fer.models.network import check_network

if TYPE_CHECKING:
    from torch import nn

    from fer.models.network import Foldable


@dataclass(frozen=True)
class Architecture:
    """One network. network: "module:Class", called with dropout and these options.

    layers: the names in its attribution_layers(), shallowest first.
    """

    network: str
    layers: tuple[str, ...]
    options: Mapping[str, object] = field(default_factory=dict)

    def build(self, dropout: float = 0.0) -> nn.Module:
        """A freshly initialized network."""
        module, _, name = self.network.partition(":")
        network: Callable[..., nn.Module] = getattr(importlib.import_module(module), name)
        return network(dropout=dropout, **self.options)


def _mini_xception(**options: object) -> Architecture:
    layers = ("conv2", "block1", "block2", "block3", "block4")
    return Architecture("fer.models.mini_xception:MiniXception", layers, options)


def _staged(network: str, widths: tuple[int, ...], depths: tuple[int, ...], **more: object) -> Architecture:
    layers = tuple(f"stage{number}" for number in range(1, len(widths) + 1))
    return Architecture(network, layers, {"widths": widths, "depths": depths, **more})


_REPVGG, _VGG, _RESNET = "fer.models.repvgg:RepVGG", "fer.models.vgg:VGG", "fer.models.resnet:ResNet"
_SMALL, _LARGE = ((32, 64, 128, 256), (1, 2, 3, 2)), ((48, 96, 192, 384), (1, 2, 4, 2))

ARCHITECTURES: dict[str, Architecture] = {
    "mini_xception": _mini_xception(),
    "mini_xception_64": _mini_xception(enlarge=64 / 44),  # enlarges 44-pixel faces to the paper's 64
    "repvgg_small": _staged(_REPVGG, *_SMALL),
    "repvgg_small_g2": _staged(_REPVGG, (64, 128, 256, 512), (1, 2, 3, 2), groups=2),  # two repvgg_small
    "repvgg_small_g3": _staged(_REPVGG, (96, 192, 384, 768), (1, 2, 3, 2), groups=3),  # three repvgg_small
    "repvgg": _staged(_REPVGG, *_LARGE),
    "vgg_small": _staged(_VGG, *_SMALL),
    "vgg_small_g2": _staged(_VGG, (64, 128, 256, 512), (1, 2, 3, 2), groups=2),
    "vgg_small_g3": _staged(_VGG, (96, 192, 384, 768), (1, 2, 3, 2), groups=3),
    "vgg": _staged(_VGG, *_LARGE),
    "resnet_small": _staged(_RESNET, (32, 64, 128, 256), (1, 1, 1, 1)),
    "se_resnet_small": _staged(_RESNET, (32, 64, 128, 256), (1, 1, 1, 1), attention=True),
}


def architecture(name: str) -> Architecture:
    """Raises WeightsError for a name that is not in ARCHITECTURES."""
    if name not in ARCHITECTURES:
        raise WeightsError(f"There is no architecture {str(name)[:40]!r}. Choose from {', '.join(ARCHITECTURES)}.")
    return ARCHITECTURES[name]


def build(name: str, dropout: float = 0.0) -> nn.Module:
    """A freshly initialized network. Raises WeightsError for an unknown name or a network that breaks its contract."""
    known = architecture(name)
    network = known.build(dropout)
    check_network(name, network, known.layers)
    return network


def fold(model: nn.Module) -> nn.Module:
    """The model for inference, in evaluation mode, with branches and batch-norm folded if it supports that."""
    return cast("Foldable", model).fold() if hasattr(model, "fold") else model.eval()


def parameter_count(model: nn.Module) -> int:
    return sum(parameter.numel() for parameter in model.parameters())
