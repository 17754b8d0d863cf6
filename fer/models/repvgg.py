"""A compact RepVGG (Ding et al. 2021): trained with branches, folded into plain 3x3 convolutions.

With groups, several such networks run in parallel and share only the classifier (see fer.models.merging).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

from fer.models.layers import folded_kernel, put_kernel
from fer.models.vgg import VGG


class RepBlock(nn.Module):
    """3x3, 1x1 and (if shapes allow) identity branches, each with batch-norm, summed, then ReLU."""

    def __init__(self, channels_in: int, channels_out: int, stride: int = 1, groups: int = 1) -> None:
        super().__init__()
        self.stride = stride
        self.conv3 = nn.Conv2d(channels_in, channels_out, 3, stride=stride, padding=1, groups=groups, bias=False)
        self.norm3 = nn.BatchNorm2d(channels_out)
        self.conv1 = nn.Conv2d(channels_in, channels_out, 1, stride=stride, groups=groups, bias=False)
        self.norm1 = nn.BatchNorm2d(channels_out)
        self.identity = nn.BatchNorm2d(channels_out) if channels_in == channels_out and stride == 1 else None
        self.relu = nn.ReLU()

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        total = self.norm3(self.conv3(features)) + self.norm1(self.conv1(features))
        if self.identity is not None:
            total = total + self.identity(features)
        out: torch.Tensor = self.relu(total)
        return out

    def fold(self) -> nn.Sequential:
        """The same function in evaluation mode: one 3x3 convolution with bias, then ReLU."""
        kernel, bias = folded_kernel(self.conv3.weight, self.norm3)
        kernel1, bias1 = folded_kernel(F.pad(self.conv1.weight, [1, 1, 1, 1]), self.norm1)
        kernel, bias = kernel + kernel1, bias + bias1
        channels_out, group_in = kernel.shape[:2]
        if self.identity is not None:
            unit = torch.zeros_like(kernel)
            unit[range(channels_out), [channel % group_in for channel in range(channels_out)], 1, 1] = 1
            kernel0, bias0 = folded_kernel(unit, self.identity)
            kernel, bias = kernel + kernel0, bias + bias0
        plain = nn.Conv2d(self.conv3.in_channels, channels_out, 3, self.stride, padding=1, groups=self.conv3.groups)
        put_kernel(plain, kernel, bias)
        return nn.Sequential(plain, nn.ReLU())


class RepVGG(VGG):
    """A VGG made of RepBlocks. Faces (N, 1, S, S) float32 -> logits (N, 7)."""

    block = RepBlock
