"""HiResCAM: Grad-CAM without averaging gradients, so that a map marks only what the layer uses."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

from fer.explanation.layer_features import features_and_logits


def hires_cam(model: nn.Module, batch: torch.Tensor, directions: torch.Tensor, layer: nn.Module) -> torch.Tensor:
    """The positive part of the sum over a layer's channels of gradient times feature (Draelos and Carin 2020).

    batch: (N, 1, S, S), or (1, 1, S, S) under N directions (N, 7). Returns (N, 1, h, w).
    """
    faces = batch.expand(len(directions), -1, -1, -1).clone().requires_grad_(True)
    features, logits = features_and_logits(model, layer, faces)
    (gradients,) = torch.autograd.grad((logits * directions).sum(), features)
    return F.relu((gradients * features.detach()).sum(1, keepdim=True))
