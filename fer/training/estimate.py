"""How long an epoch will take here, from timing a few real steps."""

from __future__ import annotations

import sys
import time
from dataclasses import replace

import numpy as np
import torch
from torch import nn

from fer.data.dataset import FACE_SIZE
from fer.models.registry import build
from fer.preprocessing import Preprocessing
from fer.training.config import TrainConfig
from fer.training.epoch import augmentation_of
from fer.training.optimizer import make_optimizer
from fer.training.preprocessing import normalize

TIMED_STEPS = 4


def seconds_per_picture(config: TrainConfig) -> float:
    """Time a few steps of a batch of at most 64 after one to warm up: the quickest, as other work only slows a step."""
    config = replace(config, init="", freeze="")
    count, rng = min(config.batch_size, 64), np.random.default_rng(0)
    faces = torch.from_numpy(rng.integers(0, 256, (count, FACE_SIZE, FACE_SIZE), dtype=np.uint8))
    labels = torch.from_numpy(rng.integers(0, 7, count))
    network = build(config.model, config.dropout)
    model: nn.Module = network.to(memory_format=torch.channels_last).train()  # type: ignore[call-overload]
    optimizer, augment = make_optimizer(model, config), augmentation_of(config)
    preprocessing = Preprocessing(input_size=config.input_size, standardise=config.standardise)
    times = []
    for _ in range(1 + TIMED_STEPS):
        began = time.perf_counter()
        batch = normalize(preprocessing, augment(faces, config.input_size, rng))
        loss = nn.functional.cross_entropy(model(batch.contiguous(memory_format=torch.channels_last)), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        times.append(time.perf_counter() - began)
    return min(times[1:]) / count


if __name__ == "__main__":  # MODEL INPUT_SIZE BATCH_SIZE
    name, size, batch_size = sys.argv[1:]
    print(seconds_per_picture(TrainConfig(model=name, input_size=int(size), batch_size=int(batch_size))))
