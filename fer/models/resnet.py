"""A small residual network (He et al., 2016), optionally with squeeze-and-excitation (Hu et al., 2018)."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, cast

import torch
from torch import nn

from fer.expressions import COUNT
from fer.models.layers import ConvBlock, fold_norm

if TYPE_CHECKING:
    from collections.abc import Iterable


class SqueezeExcitation(nn.Module):
    """Weight channels by their global averages: (N, C, H, W) -> (N, C, H, W), each channel times 0..1."""

    def __init__(self, channels: int, reduction: int = 8) -> None:
        super().__init__()
        self.average = nn.AdaptiveAvgPool2d(1)
        self.squeeze = nn.Conv2d(channels, channels // reduction, 1)
        self.relu = nn.ReLU()
        self.excite = nn.Conv2d(channels // reduction, channels, 1)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        return features * torch.sigmoid(self.excite(self.relu(self.squeeze(self.average(features)))))


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions and a shortcut, which is a strided 1x1 convolution if the shape changes."""

    def __init__(self, channels_in: int, channels_out: int, stride: int, attention: bool) -> None:
        super().__init__()
        self.first: nn.Module = ConvBlock(channels_in, channels_out, stride)
        self.conv = nn.Conv2d(channels_out, channels_out, 3, padding=1, bias=False)
        self.norm: nn.Module = nn.BatchNorm2d(channels_out)
        self.attention = SqueezeExcitation(channels_out) if attention else None
        self.shortcut: nn.Module | None = None
        if stride > 1 or channels_in != channels_out:
            conv = nn.Conv2d(channels_in, channels_out, 1, stride, bias=False)
            self.shortcut = nn.Sequential(conv, nn.BatchNorm2d(channels_out))
        self.relu = nn.ReLU()

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        residual = self.norm(self.conv(self.first(features)))
        if self.attention is not None:
            residual = self.attention(residual)
        out: torch.Tensor = self.relu(residual + (features if self.shortcut is None else self.shortcut(features)))
        return out


class ResNet(nn.Module):
    """Faces (N, 1, S, S) float32 -> logits (N, 7): a 3x3 convolution, then stages of residual blocks.

    Every stage except the first halves the size.
    """

    def __init__(
        self,
        widths: tuple[int, ...] = (32, 64, 128, 256),
        depths: tuple[int, ...] = (1, 1, 1, 1),
        dropout: float = 0.0,
        attention: bool = False,
    ) -> None:
        super().__init__()
        self.stem: nn.Module = ConvBlock(1, widths[0])
        channels, stages = widths[0], []
        for stage, (width, depth) in enumerate(zip(widths, depths, strict=True)):
            blocks = []
            for index in range(depth):
                blocks.append(ResidualBlock(channels, width, 2 if stage and not index else 1, attention))
                channels = width
            stages.append(nn.Sequential(*blocks))
        self.stages = nn.ModuleList(stages)
        self.average = nn.AdaptiveAvgPool2d(1)
        self.dropout = nn.Dropout(dropout) if dropout else None
        self.classifier = nn.Linear(channels, COUNT)

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        features = self.stem(batch)
        for stage in self.stages:
            features = stage(features)
        pooled = self.average(features).flatten(1)  # (N, C, s, s) -> (N, C)
        if self.dropout is not None:
            pooled = self.dropout(pooled)
        logits: torch.Tensor = self.classifier(pooled)
        return logits

    def fold(self) -> ResNet:
        """A copy for inference, without batch-norm; leaves this model unchanged."""
        folded = copy.deepcopy(self).eval()
        folded.stem = cast("ConvBlock", folded.stem).fold()
        for stage in folded.stages:
            for block in cast("Iterable[ResidualBlock]", stage):
                block.first = cast("ConvBlock", block.first).fold()
                block.conv, block.norm = fold_norm(block.conv, cast("nn.BatchNorm2d", block.norm)), nn.Identity()
                if block.shortcut is not None:
                    conv, norm = cast("tuple[nn.Conv2d, nn.BatchNorm2d]", block.shortcut)
                    block.shortcut = fold_norm(conv, norm)
        return folded

    def attribution_layers(self) -> dict[str, nn.Module]:
        """The layers available for class activation maps, shallowest first."""
        return {f"stage{index}": stage for index, stage in enumerate(self.stages, 1)}
