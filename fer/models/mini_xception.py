"""mini-XCEPTION (Arriaga, Valdenegro-Toro and Plöger 2017), exactly: 56,951 parameters."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

from fer.expressions import COUNT


class SeparableConv2d(nn.Module):
    """A 3x3 convolution per channel, then a 1x1 across channels (Chollet 2017); no bias, size kept."""

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__()
        self.depthwise = nn.Conv2d(channels_in, channels_in, 3, padding=1, groups=channels_in, bias=False)
        self.pointwise = nn.Conv2d(channels_in, channels_out, 1, bias=False)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = self.pointwise(self.depthwise(features))
        return out


class ResidualBlock(nn.Module):
    """Two separable convolutions and a max-pool, added to a strided 1x1 shortcut; halves the size."""

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__()
        self.shortcut = nn.Conv2d(channels_in, channels_out, 1, bias=False)
        self.shortcut_norm = nn.BatchNorm2d(channels_out)
        self.conv1 = SeparableConv2d(channels_in, channels_out)
        self.norm1 = nn.BatchNorm2d(channels_out)
        self.relu = nn.ReLU()
        self.conv2 = SeparableConv2d(channels_out, channels_out)
        self.norm2 = nn.BatchNorm2d(channels_out)
        self.pool = nn.MaxPool2d(3, stride=2, padding=1)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        # Slicing every second pixel equals a stride of 2, whose gradient crashes torch 2.13 at 60 x 60.
        shortcut = self.shortcut_norm(self.shortcut(features[..., ::2, ::2]))
        main = self.relu(self.norm1(self.conv1(features)))
        out: torch.Tensor = shortcut + self.pool(self.norm2(self.conv2(main)))
        return out


class MiniXception(nn.Module):
    """Faces (N, 1, S, S) float32 -> logits (N, 7). S is 44 as shipped; any side from 21 up works.

    dropout: applied to the class maps' input, in training only. enlarge: the factor by which to enlarge faces before
    the first layer, such as 64 / 44 for the paper's 64 pixels; costs more work but no parameters.
    """

    def __init__(self, dropout: float = 0.0, enlarge: float = 1.0) -> None:
        super().__init__()
        self.enlarge = enlarge
        self.conv1 = nn.Conv2d(1, 8, 3, bias=False)
        self.norm1 = nn.BatchNorm2d(8)  # momentum 0.1; 0.99, as in an older port, would discard the running statistics
        self.relu1 = nn.ReLU()
        self.conv2 = nn.Conv2d(8, 8, 3, bias=False)
        self.norm2 = nn.BatchNorm2d(8)
        self.relu2 = nn.ReLU()
        self.block1 = ResidualBlock(8, 16)
        self.block2 = ResidualBlock(16, 32)
        self.block3 = ResidualBlock(32, 64)
        self.block4 = ResidualBlock(64, 128)
        self.dropout = nn.Dropout2d(dropout) if dropout else None
        self.classifier = nn.Conv2d(128, COUNT, 3, padding=1)
        self.average = nn.AdaptiveAvgPool2d(1)

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        if self.enlarge != 1:
            side = round(int(batch.shape[-1]) * self.enlarge)
            batch = F.interpolate(batch, size=(side, side), mode="bilinear", align_corners=False)
        features = self.relu1(self.norm1(self.conv1(batch)))
        features = self.relu2(self.norm2(self.conv2(features)))
        features = self.block4(self.block3(self.block2(self.block1(features))))
        if self.dropout is not None:
            features = self.dropout(features)
        maps = self.classifier(features)  # (N, 128, s, s) -> (N, 7, s, s)
        logits: torch.Tensor = self.average(maps).flatten(1)  # -> (N, 7)
        return logits

    def attribution_layers(self) -> dict[str, nn.Module]:
        """The layers available for class activation maps, shallowest first."""
        return {
            "conv2": self.relu2,
            "block1": self.block1,
            "block2": self.block2,
            "block3": self.block3,
            "block4": self.block4,
        }
