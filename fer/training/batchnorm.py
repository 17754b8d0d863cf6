"""Remeasure batch-norm statistics: those of a moving average of weights do not match its own activations."""

from __future__ import annotations

import copy
from collections.abc import Callable

import numpy as np
import torch
from torch import nn

from fer.preprocessing import Preprocessing
from fer.training.epoch import Faces
from fer.training.preprocessing import prepare


@torch.no_grad()
def with_new_statistics(
    network: nn.Module,
    faces: Faces,
    preprocessing: Preprocessing,
    count: int,
    seed: int = 0,
    batch_size: int = 256,
    on_batch: Callable[[], None] = lambda: None,
) -> nn.Module:
    """A copy of the network with batch-norm statistics averaged over `count` training pictures.

    The pictures are shown as in use, not augmented, with every second batch mirrored: augmented views, with rotated and
    shifted faces, have different statistics (0.6 points of accuracy, see EXPERIMENTS.md). Does not change the network
    itself or frozen batch-norms.
    """
    measured = copy.deepcopy(network)
    norms = [
        module for module in measured.modules() if isinstance(module, nn.BatchNorm2d) and module.weight.requires_grad
    ]
    if not norms:
        return measured
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # the plain mean over all batches
    rows = np.random.default_rng([seed, 0, 2]).permutation(len(faces))[:count]
    if len(rows) % batch_size == 1:  # a single picture has no statistics once the network has reduced it to one pixel
        rows = np.append(rows, rows[0])
    measured.eval()
    for norm in norms:
        norm.train()
    for first in range(0, len(rows), batch_size):
        part = torch.from_numpy(rows[first : first + batch_size]).to(faces.labels.device)
        batch = prepare(preprocessing, faces.pixels[part])
        batch = batch.flip(-1) if first // batch_size % 2 else batch
        measured(batch.contiguous(memory_format=torch.channels_last))
        on_batch()
    return measured.eval()
