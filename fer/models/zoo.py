"""The networks by name, and how to build them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from torch import nn

from fer.errors import WeightsError
from fer.models.mini_xception import MiniXception
from fer.models.repvgg import RepVGG

ARCHITECTURES: dict[str, Callable[..., nn.Module]] = {
    "mini_xception": MiniXception,
    "mini_xception_64": partial(MiniXception, enlarge=64 / 44),  # at 44 pixels' input its layers see the paper's 64
    "repvgg_small": partial(RepVGG, (32, 64, 128, 256), (1, 2, 3, 2)),
    "repvgg_small_g2": partial(RepVGG, (64, 128, 256, 512), (1, 2, 3, 2), groups=2),  # two of repvgg_small
    "repvgg_small_g3": partial(RepVGG, (96, 192, 384, 768), (1, 2, 3, 2), groups=3),  # three
    "repvgg": partial(RepVGG, (48, 96, 192, 384), (1, 2, 4, 2)),
}


def build(name: str, dropout: float = 0.0) -> nn.Module:
    """A freshly initialised network. Raises WeightsError for a name that is not in ARCHITECTURES."""
    if name not in ARCHITECTURES:
        raise WeightsError(f"There is no architecture {str(name)[:40]!r}. Choose from {', '.join(ARCHITECTURES)}.")
    return ARCHITECTURES[name](dropout=dropout)


def fold(model: nn.Module) -> nn.Module:
    """The model for inference: branches folded where it has them, else the model itself, in evaluation mode."""
    return model.fold() if hasattr(model, "fold") else model.eval()


def parameter_count(model: nn.Module) -> int:
    return sum(parameter.numel() for parameter in model.parameters())
