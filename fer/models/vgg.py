"""A plain stack of 3x3 convolutions (after Simonyan and Zisserman, 2015), with batch-norm and one linear layer.

With groups, several such networks run in parallel and share only the classifier (see fer.models.merging).
"""

from __future__ import annotations

import copy
from typing import cast

import torch
from torch import nn

from fer.expressions import COUNT
from fer.models.layers import ConvBlock


class VGG(nn.Module):
    """Faces (N, 1, S, S) float32 -> logits (N, 7). Every stage except the first halves the size with a stride.

    widths: channels per stage, over all groups; groups share only the face and the classifier. block: the layer's
    class, which RepVGG replaces.
    """

    block: type[nn.Module] = ConvBlock

    def __init__(
        self,
        widths: tuple[int, ...] = (32, 64, 128, 256),
        depths: tuple[int, ...] = (1, 2, 3, 2),
        dropout: float = 0.0,
        groups: int = 1,
    ) -> None:
        super().__init__()
        channels, stages = 1, []
        for stage, (width, depth) in enumerate(zip(widths, depths, strict=True)):
            blocks = []
            for index in range(depth):
                stride = 2 if stage and not index else 1
                blocks.append(self.block(channels, width, stride, groups if channels > 1 else 1))  # all see the face
                channels = width
            stages.append(nn.Sequential(*blocks))
        self.stages = nn.ModuleList(stages)
        self.average = nn.AdaptiveAvgPool2d(1)
        self.dropout = nn.Dropout(dropout) if dropout else None
        self.classifier = nn.Linear(channels, COUNT)

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        features = batch
        for stage in self.stages:
            features = stage(features)
        pooled = self.average(features).flatten(1)  # (N, C, s, s) -> (N, C)
        if self.dropout is not None:
            pooled = self.dropout(pooled)
        logits: torch.Tensor = self.classifier(pooled)
        return logits

    def fold(self) -> VGG:
        """A copy for inference, without batch-norm; leaves this model unchanged."""
        folded = copy.deepcopy(self).eval()
        for stage in folded.stages:
            blocks = cast("nn.Sequential", stage)
            for index, block in enumerate(blocks):
                blocks[index] = cast("ConvBlock", block).fold()
        return folded

    def attribution_layers(self) -> dict[str, nn.Module]:
        """The layers available for class activation maps, shallowest first."""
        return {f"stage{index}": stage for index, stage in enumerate(self.stages, 1)}
