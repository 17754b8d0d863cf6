"""A check of a data set before training: counts, duplicates, unreadable files, imbalance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fer.data.dataset import ALL, UNLABELED, Dataset, fingerprints
from fer.data.labels import SPLITS
from fer.data.read import SYNTHETIC
from fer.expressions import NAMES
from fer.wording import count_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

IMBALANCE = 3.0  # ratio of the most frequent to the rarest class from which balancing is worthwhile
SPLIT_LABELS = {"Training": "training", "PublicTest": "validation", "PrivateTest": "test", ALL: "all pictures"}


@dataclass(frozen=True)
class DataReport:
    """counts: split -> class -> pictures. duplicates: pictures that repeat another one in the same split.
    leaked: validation or test pictures that are also in Training. imbalance: Training's most frequent class over its
    rarest present one. unknown, assumed: as in Dataset."""

    name: str
    counts: dict[str, dict[str, int]]
    duplicates: int
    leaked: int
    unlabeled: int
    left_out: tuple[str, ...]
    unknown: dict[str, int]
    assumed: dict[str, int]
    missing: tuple[str, ...]
    imbalance: float
    remarks: tuple[str, ...]

    @property
    def total(self) -> int:
        return sum(sum(classes.values()) for classes in self.counts.values())

    @property
    def imbalanced(self) -> bool:
        return self.imbalance >= IMBALANCE

    def findings(self) -> list[str]:
        """Sentences about problems, the most serious first; empty for a clean data set."""
        lines = []
        if self.missing:
            lines.append(
                f"There are no training pictures of {', '.join(self.missing)}, so the model cannot learn to name them."
            )
        if self.imbalanced:
            training = self.counts["Training"]
            there = {name: count for name, count in training.items() if count}
            most, least = max(there, key=there.__getitem__), min(there, key=there.__getitem__)
            lines.append(f"There are {self.imbalance:.0f} times as many {most} as {least} training pictures.")
        if self.leaked:
            be = "is" if self.leaked == 1 else "are"
            leaked = count_of(self.leaked, "validation or test picture")
            lines.append(f"{leaked} {be} also in the training split, pixel for pixel.")
        if self.duplicates:
            repeat = "repeats" if self.duplicates == 1 else "repeat"
            lines.append(f"{count_of(self.duplicates, 'picture')} {repeat} another one in the same split.")
        if self.unlabeled:
            have = "has" if self.unlabeled == 1 else "have"
            lines.append(f"{count_of(self.unlabeled, 'picture')} {have} no label.")
        return [*lines, *self.left_out, *self.remarks]


def report_on(dataset: Dataset) -> DataReport:
    present = [split for split in SPLITS if (dataset.usage == split).any()]
    counts, duplicates, marks = {}, 0, fingerprints(dataset.pixels)
    for split in present:
        rows = dataset.usage == split
        counts[split] = dataset.take(rows).counts()
        duplicates += int(rows.sum()) - len(np.unique(marks[rows]))
    training = dataset.usage == "Training"
    leaked = int(np.isin(marks[~training], marks[training]).sum()) if training.any() else 0
    there = [count for count in counts.get("Training", {}).values() if count]
    return DataReport(
        dataset.name,
        counts,
        duplicates,
        leaked,
        int((dataset.labels == UNLABELED).sum()),
        tuple(dataset.left_out()),
        dict(dataset.unknown),
        dict(dataset.assumed),
        tuple(name for name in NAMES if training.any() and not counts["Training"][name]),
        max(there) / min(there) if there else 1.0,
        dataset.remarks,
    )


def samples(dataset: Dataset, expression: int, count: int, seed: int = 0) -> NDArray[np.uint8]:
    """Up to `count` random training pictures of one class. -> (n, 48, 48) uint8."""
    rows = np.flatnonzero((dataset.labels == expression) & (dataset.usage == "Training"))
    chosen: NDArray[np.intp] = np.random.default_rng(seed).permutation(rows)[:count]
    return dataset.pixels[np.sort(chosen)]


def split_label(split: str, data: str) -> str:
    """`Validation (PublicTest)`; for the synthetic faces, which are no part of FER2013, `Validation`."""
    label = SPLIT_LABELS[split].capitalize()
    return label if data == SYNTHETIC or split in ("Training", ALL) else f"{label} ({split})"
