"""A run's training data: its splits, their preprocessing, and the tensors on the device."""

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
    """The training and validation splits; the training split validates itself if there are too few pictures for two.

    Raises DatasetError if there is nothing to train on, RunError if the auxiliary loss has no votes.
    """
    training = dataset.split("Training")
    validation = dataset.split("PublicTest") if (dataset.usage == "PublicTest").any() else training
    if 0 < config.limit < len(training):
        training = training.take(in_proportion(training.labels, config.limit))
    if config.ferplus_weight and training.votes is None:
        raise RunError(
            f"{dataset.name} has no FER+ votes for the auxiliary loss. Put fer2013new.csv beside the CSV "
            "file, or set ferplus_weight to 0."
        )
    return training, validation


def in_proportion(labels: np.ndarray, count: int, seed: int = 0) -> np.ndarray:
    """Rows of `count` pictures with the classes in proportion, each at least once if there is room, in their order.

    labels: (N,). seed: which pictures of each class.
    """
    mixed = np.random.default_rng(seed).permutation(len(labels))
    share_before = np.empty(len(labels))  # of its class, in that order
    for label in np.unique(labels):
        rows = mixed[labels[mixed] == label]
        share_before[rows] = np.arange(len(rows)) / len(rows)
    first: np.ndarray = np.sort(mixed[np.argsort(share_before[mixed], kind="stable")][:count])
    return first


def measure_preprocessing(config: TrainConfig, training: Dataset) -> Preprocessing:
    """The configured preprocessing, with the training split's mean and deviation."""
    unit = training.pixels.astype("float32") / 255
    return Preprocessing(
        face_size=training.pixels.shape[-1],
        input_size=config.input_size,
        standardise=config.standardise,
        mean=round(float(unit.mean()), 4),
        deviation=max(round(float(unit.std()), 4), 1e-3),
    )


def to_device(dataset: Dataset, device: torch.device, with_votes: bool) -> Faces:
    """One split on the device; with its votes only if needed."""
    votes = vote_shares(dataset.votes).to(device) if with_votes and dataset.votes is not None else None
    return Faces(torch.from_numpy(dataset.pixels).to(device), torch.from_numpy(dataset.labels).to(device), votes)
