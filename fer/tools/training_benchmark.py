"""The speed of training, compared with a plain loop in the same run; for `python -m fer benchmark`.

The plain loop is what most FER2013 repositories do: a Dataset and DataLoader that augment one face after the other,
NCHW memory, eager mode. Both train the same mini-XCEPTION on the same faces.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import cv2
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader
from torch.utils.data import Dataset as TorchDataset

from fer.data.dataset import FACE_SIZE
from fer.expressions import COUNT
from fer.models.registry import build
from fer.preprocessing import Preprocessing
from fer.training.config import TrainConfig
from fer.training.epoch import augmentation_of
from fer.training.optimizer import make_average, make_optimizer
from fer.training.preprocessing import normalize

EPOCH_PICTURES = 28_709  # FER2013's Training split
STEPS, WARMUP = 8, 2


def stages(steps: int = STEPS, config: TrainConfig = TrainConfig(), threads: int = 0) -> dict[str, float]:  # noqa: B008
    """Named results, extrapolated from the median of `steps` steps: seconds per mini-XCEPTION epoch of 28,709 pictures
    for this loop and the plain one, how many times faster, and the share of a step spent on data."""
    if threads:
        torch.set_num_threads(threads)
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (config.batch_size * (steps + WARMUP), FACE_SIZE, FACE_SIZE), dtype=np.uint8)
    labels = rng.integers(0, COUNT, len(pixels))
    # Alternate, so that other load on the machine affects both equally.
    taken = np.array(
        [
            (*ours, plain)
            for ours, plain in zip(
                _ours(pixels, labels, steps, config), _plain(pixels, labels, steps, config), strict=True
            )
        ]
    )[WARMUP:]
    ours, data, plain = np.median(taken, axis=0).tolist()
    per_epoch = EPOCH_PICTURES / config.batch_size
    return {
        "mini_xception epoch, ours (s)": ours * per_epoch,
        "mini_xception epoch, plain loop (s)": plain * per_epoch,
        "times faster than the plain loop": plain / ours,
        "data's share of a step": data / ours,
    }


def _ours(pixels: np.ndarray, labels: np.ndarray, steps: int, config: TrainConfig) -> Iterator[tuple[float, float]]:
    """Seconds for each step, and for drawing its batch: channels_last, all views with one grid_sample."""
    torch.manual_seed(0)
    faces, truth, rng = torch.from_numpy(pixels), torch.from_numpy(labels), np.random.default_rng(0)
    model = build("mini_xception").train()
    model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimizer, average = make_optimizer(model, config), make_average(model, config.ema_decay)
    augment, preprocessing = augmentation_of(config), Preprocessing(input_size=config.input_size)
    order = rng.permutation(len(faces))
    for step in range(steps + WARMUP):
        began = time.perf_counter()
        rows = torch.from_numpy(order[step * config.batch_size : (step + 1) * config.batch_size])
        batch = normalize(preprocessing, augment(faces[rows], config.input_size, rng))
        batch = batch.contiguous(memory_format=torch.channels_last)
        data = time.perf_counter() - began
        _step(model, optimizer, batch, truth[rows])
        average.update_parameters(model)
        yield time.perf_counter() - began, data


def _plain(pixels: np.ndarray, labels: np.ndarray, steps: int, config: TrainConfig) -> Iterator[float]:
    """Seconds for each step of the plain loop, including loading its batch."""
    torch.manual_seed(0)
    batches = iter(DataLoader(PlainFaces(pixels, labels, config), config.batch_size, shuffle=True, drop_last=True))
    model = build("mini_xception").train()
    optimizer = make_optimizer(model, config)
    for _ in range(steps + WARMUP):
        began = time.perf_counter()
        _step(model, optimizer, *next(batches))
        yield time.perf_counter() - began


def _step(model: nn.Module, optimizer: torch.optim.Optimizer, batch: torch.Tensor, labels: torch.Tensor) -> None:
    loss = nn.functional.cross_entropy(model(batch), labels)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    loss.item()


class PlainFaces(TorchDataset):
    """One face at a time: rotated, scaled, shifted, mirrored, lit and standardized with OpenCV and NumPy."""

    def __init__(self, pixels: np.ndarray, labels: np.ndarray, config: TrainConfig) -> None:
        self.pixels, self.labels, self.config = pixels, labels, config
        self.rng = np.random.default_rng(0)

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        config, rng, middle = self.config, self.rng, FACE_SIZE / 2
        angle = rng.uniform(-config.rotation, config.rotation)
        zoom = 1 + rng.uniform(-config.scale, config.scale)
        turn = np.asarray(cv2.getRotationMatrix2D((middle, middle), angle, zoom), np.float64)
        turn[:, 2] += rng.uniform(-config.shift, config.shift, 2)
        face = cv2.warpAffine(self.pixels[index], turn, (FACE_SIZE, FACE_SIZE), borderMode=cv2.BORDER_REPLICATE)
        margin = (FACE_SIZE - config.input_size) // 2
        face = face[margin : margin + config.input_size, margin : margin + config.input_size].astype(np.float32) / 255
        if rng.random() < config.flip:
            face = face[:, ::-1]
        face = np.clip(
            (face - 0.5) * rng.uniform(1 - config.contrast, 1 + config.contrast)
            + 0.5
            + rng.uniform(-config.brightness, config.brightness),
            0,
            1,
        )
        face = (face - face.mean()) / max(face.std(), 1 / 255)
        return torch.from_numpy(np.ascontiguousarray(face[None], dtype=np.float32)), int(self.labels[index])


if __name__ == "__main__":
    for name, value in stages().items():
        print(f"{name}: {value:.3g}")
