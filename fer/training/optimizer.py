"""Optimizer, learning-rate schedule and moving average of the weights."""

from __future__ import annotations

import math

import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel

from fer.training.config import TrainConfig


def make_optimizer(model: nn.Module, config: TrainConfig) -> torch.optim.Optimizer:
    """Apply weight decay to convolution and linear weights only, not to batch-norm and biases."""
    decayed = [p for p in model.parameters() if p.ndim > 1 and p.requires_grad]
    free = [p for p in model.parameters() if p.ndim <= 1 and p.requires_grad]
    groups = [{"params": decayed, "weight_decay": config.weight_decay}, {"params": free, "weight_decay": 0.0}]
    if config.optimizer == "adamw":
        return torch.optim.AdamW(groups, lr=config.learning_rate)
    return torch.optim.SGD(groups, lr=config.learning_rate, momentum=config.momentum, nesterov=config.momentum > 0)


def learning_rate(step: int, steps_per_epoch: int, config: TrainConfig) -> float:
    """The learning rate of a step, counted from 0: linear warm-up, then cosine or linear decay to zero, or constant."""
    warmup = config.warmup_epochs * steps_per_epoch
    total = config.epochs * steps_per_epoch
    warmup = min(warmup, total / 2)  # even a short run reaches the full rate
    if step < warmup:
        return config.learning_rate * (step + 1) / (warmup + 1)
    if config.schedule == "constant":
        return config.learning_rate
    left = 1 - (step - warmup) / max(total - warmup, 1)
    return config.learning_rate * (left if config.schedule == "linear" else 0.5 * (1 - math.cos(math.pi * left)))


def make_average(model: nn.Module, decay: float) -> AveragedModel:
    """An exponential moving average of weights and batch-norm statistics.

    The decay starts low and rises with each step, so that a short run's average does not keep its random start.
    """

    def blend(average: torch.Tensor, value: torch.Tensor, step: torch.Tensor | int) -> torch.Tensor:
        if not average.is_floating_point():
            return value
        now = min(decay, (1 + int(step)) / (10 + int(step)))
        return average.lerp(value, 1 - now)

    return AveragedModel(model, avg_fn=blend, use_buffers=True)
