"""Merge separately trained networks of one architecture into one that returns the mean of their logits."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from fer.errors import WeightsError
from fer.models.registry import ARCHITECTURES, build


def merge(architecture: str, networks: Sequence[nn.Module]) -> tuple[str, nn.Module]:
    """The grouped architecture's name, and the merged network in evaluation mode; exact, and only one forward pass.

    architecture: of all the networks. A grouped convolution's kernels are those of its groups concatenated, so only
    the classifier is special. Raises WeightsError if no architecture has this number of groups.
    """
    name = f"{architecture}_g{len(networks)}"
    if name not in ARCHITECTURES:
        raise WeightsError(f"There is no {name}: {len(networks)} networks of {architecture} cannot be merged.")
    states = [network.state_dict() for network in networks]
    merged = build(name)
    merged.load_state_dict({key: _joined(key, [state[key] for state in states]) for key in states[0]})
    return name, merged.eval()


def _joined(key: str, tensors: list[torch.Tensor]) -> torch.Tensor:
    if key == "classifier.weight":  # n x (7, C) -> (7, n C)
        return torch.cat(tensors, 1) / len(tensors)
    if key == "classifier.bias":
        return torch.stack(tensors).mean(0)
    return torch.cat(tensors) if tensors[0].ndim else tensors[0]  # batch-norm's batch counter is a scalar
