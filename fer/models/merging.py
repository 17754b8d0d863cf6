"""Networks of one architecture, trained apart, as one network that answers with the mean of their logits."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from fer.errors import WeightsError
from fer.models.registry import ARCHITECTURES, build


def merge(architecture: str, networks: Sequence[nn.Module]) -> tuple[str, nn.Module]:
    """The name of the grouped architecture, and the network in evaluation mode: exactly the mean, in one pass.

    architecture: what all the networks are. A grouped convolution's kernels are those of its groups one after the
    other, so only the classifier needs thought. Raises WeightsError where no architecture has so many groups.
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
    return torch.cat(tensors) if tensors[0].ndim else tensors[0]  # a count of batches is no channel's
