"""What a run trains on: its splits, their preprocessing, and the tensors on the device."""

from __future__ import annotations

import numpy as np
import torch

from fer.data.dataset import Dataset
from fer.errors import RunError
from fer.preprocessing import Preprocessing
from fer.training.config import TrainConfig
from fer.training.epoch import Faces
from fer.training.loss import vote_shares


def choose_splits(dataset: Dataset, config: TrainConfig) -> tuple[Dataset, Dataset]:
    """Training and validation split; too few pictures for a validation split are judged by themselves.

    Raises DatasetError where there is nothing to train on, RunError where there are no votes for an auxiliary loss.
    """
    training = dataset.split("Training")
    validation = dataset.split("PublicTest") if (dataset.usage == "PublicTest").any() else training
    if config.limit:
        training = training.take(np.arange(min(config.limit, len(training))))
    if config.ferplus_weight and training.votes is None:
        raise RunError(
            f"{dataset.name} has no FER+ votes for the auxiliary loss. Put fer2013new.csv beside the CSV "
            "file, or set ferplus_weight to 0."
        )
    return training, validation


def measure_preprocessing(config: TrainConfig, training: Dataset) -> Preprocessing:
    """How faces become batches: by the configuration, with the training split's own mean and deviation."""
    unit = training.pixels.astype("float32") / 255
    return Preprocessing(
        face_size=training.pixels.shape[-1],
        input_size=config.input_size,
        standardise=config.standardise,
        mean=round(float(unit.mean()), 4),
        deviation=max(round(float(unit.std()), 4), 1e-3),
    )


def to_device(dataset: Dataset, device: torch.device, with_votes: bool) -> Faces:
    """One split on the device; its votes only where they are wanted."""
    votes = vote_shares(dataset.votes).to(device) if with_votes and dataset.votes is not None else None
    return Faces(torch.from_numpy(dataset.pixels).to(device), torch.from_numpy(dataset.labels).to(device), votes)
