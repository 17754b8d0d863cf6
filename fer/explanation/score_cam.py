"""Score-CAM, without gradients: a layer's channel is weighted by the class's score for the face masked with it."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

from fer.explanation.layer_features import features_and_logits

ROWS_AT_ONCE = 64


def score_cam(model: nn.Module, batch: torch.Tensor, directions: torch.Tensor, layer: nn.Module) -> torch.Tensor:
    """The layer's channels, weighted by the softmax of the scores of the face masked with each (Wang et al. 2020).

    Masked pixels become the face's mean gray. A constant channel masks nothing and has no weight.
    batch: (N, 1, S, S), or (1, 1, S, S) under N directions (N, 7). Returns (N, 1, h, w), never negative.
    """
    if len(batch) == 1:
        return _one_face(model, batch, directions, layer)
    return torch.cat(
        [_one_face(model, face[None], one[None], layer) for face, one in zip(batch, directions, strict=True)]
    )


@torch.no_grad()
def _one_face(model: nn.Module, face: torch.Tensor, directions: torch.Tensor, layer: nn.Module) -> torch.Tensor:
    features, _ = features_and_logits(model, layer, face)
    channels = features[0]  # (C, h, w)
    low, high = channels.amin((1, 2), keepdim=True), channels.amax((1, 2), keepdim=True)
    there = (high > low).flatten()
    if not there.any():
        return torch.zeros(len(directions), 1, *channels.shape[1:])
    masks = ((channels - low) / (high - low).clamp_min(1e-12))[there][:, None]  # (K, 1, h, w)
    gray = face.mean()
    logits = torch.cat(
        [model(torch.lerp(gray.expand_as(face), face, _enlarged(part, face))) for part in masks.split(ROWS_AT_ONCE)]
    )
    weights = torch.softmax(logits @ directions.T, 0)  # (K, N)
    return F.relu(torch.einsum("kn,khw->nhw", weights, channels[there]))[:, None]


def _enlarged(masks: torch.Tensor, face: torch.Tensor) -> torch.Tensor:
    return F.interpolate(masks, face.shape[-2:], mode="bilinear", align_corners=False)
