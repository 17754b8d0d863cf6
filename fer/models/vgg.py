"""A plain stack of 3x3 convolutions (after Simonyan and Zisserman, 2015), with batch-norm and one linear layer.

With groups it is several such networks side by side, which meet in the classifier alone (see fer.models.merging).
"""

from __future__ import annotations

import copy
from typing import cast

import torch
from torch import nn

from fer.expressions import COUNT
from fer.models.layers import ConvBlock


class VGG(nn.Module):
    """Faces (N, 1, S, S) float32 -> logits (N, 7). Each stage but the first halves the size by a stride.

    widths: channels of a stage, over all groups; groups share nothing but the face and the classifier.
    block: what a layer is; RepVGG has another.
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
        """A copy for inference without batch-norm; this model stays as it is."""
        folded = copy.deepcopy(self).eval()
        for stage in folded.stages:
            blocks = cast("nn.Sequential", stage)
            for index, block in enumerate(blocks):
                blocks[index] = cast("ConvBlock", block).fold()
        return folded

    def attribution_layers(self) -> dict[str, nn.Module]:
        """The layers that a class activation map can be taken from, the shallowest first."""
        return {f"stage{index}": stage for index, stage in enumerate(self.stages, 1)}
