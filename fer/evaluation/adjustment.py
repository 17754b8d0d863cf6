"""Predict rare and hard classes more often: add a constant to each class's logit (Menon et al. 2021)."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np
import torch
from torch import nn

from fer.expressions import COUNT

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fer.models.network import Network

RECALL_GOAL = 0.5  # for every class
STEP = 0.02  # range of the constants, in logits
REACH = 1.0  # the largest constant, before subtracting their mean


def fit_adjustment(
    logits: NDArray[np.floating], labels: NDArray[np.int64], goal: float = RECALL_GOAL
) -> NDArray[np.float64]:
    """The smallest constants (7,) float64, mean 0, with which every class present reaches the recall goal.

    logits: (N, 7). labels: (N,). Only classes below the goal are raised, all at once, step by step: fitting fewer
    numbers overfits less (a search over all seven did worse when held out). A class that misses the goal keeps the
    largest constant.
    """
    constants = np.zeros(COUNT)
    for _ in range(round(REACH / STEP) * COUNT):
        named = (logits + constants).argmax(1)
        low = [
            index
            for index in range(COUNT)
            if (labels == index).any()
            and constants[index] < REACH - STEP / 2
            and (named[labels == index] == index).mean() < goal
        ]
        if not low:
            break
        constants[low] += STEP
    centered: NDArray[np.float64] = constants - constants.mean()
    return centered


@torch.no_grad()
def adjust(network: nn.Module, constants: NDArray[np.float64]) -> None:
    """Add the constants (7,) to a network's logits in place, in its classifier's bias."""
    bias = cast("torch.Tensor", cast("Network", network).classifier.bias)
    bias += torch.as_tensor(constants, dtype=bias.dtype, device=bias.device)
