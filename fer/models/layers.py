"""Layers shared by several networks: a convolution with batch-norm and ReLU, and folding of the batch-norm."""

from __future__ import annotations

from typing import cast

import torch
from torch import nn


class ConvBlock(nn.Module):
    """3x3 convolution, batch-norm, ReLU: (N, C, H, W) -> (N, C', H / stride, W / stride)."""

    def __init__(self, channels_in: int, channels_out: int, stride: int = 1, groups: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels_in, channels_out, 3, stride, padding=1, groups=groups, bias=False)
        self.norm = nn.BatchNorm2d(channels_out)
        self.relu = nn.ReLU()

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = self.relu(self.norm(self.conv(features)))
        return out

    def fold(self) -> nn.Sequential:
        """The same function in evaluation mode: one convolution with bias, then ReLU."""
        return nn.Sequential(fold_norm(self.conv, self.norm), nn.ReLU())


def fold_norm(conv: nn.Conv2d, norm: nn.BatchNorm2d) -> nn.Conv2d:
    """A convolution followed by batch-norm in evaluation mode, as one convolution with bias."""
    kernel, bias = folded_kernel(conv.weight, norm)
    size, stride, padding = (cast("tuple[int, int]", pair) for pair in (conv.kernel_size, conv.stride, conv.padding))
    folded = nn.Conv2d(conv.in_channels, conv.out_channels, size, stride, padding, groups=conv.groups)
    put_kernel(folded, kernel, bias)
    return folded


def put_kernel(conv: nn.Conv2d, kernel: torch.Tensor, bias: torch.Tensor) -> None:
    """Copy a kernel (C', C, k, k) and bias (C',) into a convolution with a bias."""
    assert conv.bias is not None
    conv.weight.data, conv.bias.data = kernel.detach().clone(), bias.detach().clone()


def folded_kernel(kernel: torch.Tensor, norm: nn.BatchNorm2d) -> tuple[torch.Tensor, torch.Tensor]:
    """A bias-free kernel (C', C, k, k) and the batch-norm after it -> their combined kernel and bias (C',)."""
    assert norm.running_mean is not None and norm.running_var is not None
    gain = norm.weight / torch.sqrt(norm.running_var + norm.eps)
    return kernel * gain.view(-1, 1, 1, 1), norm.bias - norm.running_mean * gain
