"""The data set class that every reader returns and everything else uses."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from fer.data.labels import SPLITS, listed, split_of
from fer.errors import DatasetError
from fer.expressions import NAMES
from fer.wording import count_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

ALL = "All"  # every picture in any split, for data without splits
FACE_SIZE = 48  # pixels, FER2013's own
UNLABELED = -1
VALIDATION_SHARE = 0.1  # of the training pictures, if the data has no validation split


@dataclass(frozen=True)
class Dataset:
    """Gray faces with labels.

    pixels: (N, 48, 48) uint8. labels: (N,) int64 in 0..6, or -1 for a picture without a label.
    usage: (N,) of "Training", "PublicTest" (validation) or "PrivateTest" (test).
    votes: (N, 10) uint8 FER+ votes in the order of `VOTE_NAMES`, or None.
    unreadable, faceless: files left out because they could not be read, or no face was found. others: files without a
    picture's extension. unplaced: pictures in no class folder. unknown: folders or labels that match no class, with the
    number of pictures left out for each. assumed: numeric labels that were read as FER2013's although others are not,
    with their numbers of pictures. remarks: sentences about the reading.
    names: (N,) each picture's name: its path in the folder, or its row in the CSV as in FER+, fer0000000.png.
    split_made: the data had no validation split, so one was taken from its Training pictures.
    """

    pixels: NDArray[np.uint8]
    labels: NDArray[np.int64]
    usage: NDArray[np.str_]
    votes: NDArray[np.uint8] | None = None
    name: str = "data"
    unreadable: tuple[str, ...] = ()
    faceless: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    unplaced: tuple[str, ...] = ()
    unknown: tuple[tuple[str, int], ...] = ()
    assumed: tuple[tuple[str, int], ...] = ()
    remarks: tuple[str, ...] = ()
    names: NDArray[np.str_ | np.object_] | None = None
    split_made: bool = False

    def __len__(self) -> int:
        return len(self.labels)

    def split(self, name: str) -> Dataset:
        """The faces of one split. Raises DatasetError for an unknown, empty or unlabeled one."""
        usage = split_name(name)
        rows = np.arange(len(self)) if usage == ALL else np.flatnonzero(self.usage == usage)
        if not len(rows):
            held = ", ".join(split for split in SPLITS if (self.usage == split).any()) or "none"
            raise DatasetError(f"{self.name} has no {usage} pictures. Its splits: {held}.")
        if (self.labels[rows] == UNLABELED).any():
            raise DatasetError(
                f"The {usage} pictures of {self.name} have no labels. Use fer2013.csv or icml_face_data.csv."
            )
        return self.take(rows)

    def take(self, rows: NDArray[np.integer | np.bool_]) -> Dataset:
        votes, names = (None if values is None else values[rows] for values in (self.votes, self.names))
        return replace(
            self, pixels=self.pixels[rows], labels=self.labels[rows], usage=self.usage[rows], votes=votes, names=names
        )

    def unknown_words(self) -> list[str]:
        """A sentence about folders or labels that match no class; empty if there are none."""
        return [f"Skipped, since their names match no class: {listed(dict(self.unknown))}."] if self.unknown else []

    def left_out(self) -> list[str]:
        """A sentence about each kind of file that was left out, with its count and the first three names."""
        found = self.unknown_words()
        if self.unplaced:
            found.append(
                f"{count_of(len(self.unplaced), 'picture')} skipped, not in a class folder: {_some(self.unplaced)}."
            )
        if self.unreadable:
            found.append(f"{count_of(len(self.unreadable), 'file')} could not be read: {_some(self.unreadable)}.")
        if self.faceless:
            found.append(f"No face was found in {count_of(len(self.faceless), 'picture')}: {_some(self.faceless)}.")
        if self.others:
            found.append(
                f"{count_of(len(self.others), 'file')} skipped, not in a picture format: {_some(self.others)}."
            )
        return found

    def counts(self) -> dict[str, int]:
        """Pictures per class, in NAMES' order."""
        return {name: int((self.labels == index).sum()) for index, name in enumerate(NAMES)}


def split_name(name: str) -> str:
    """FER2013's name for a split: `validation` is PublicTest, `test` is PrivateTest. Raises DatasetError."""
    split = ALL if name.lower() == ALL.lower() else split_of(name)
    if split is None:
        raise DatasetError(f"There is no split {name!r}. Choose from {', '.join(SPLITS)}, train, validation, test.")
    return split


def with_validation(dataset: Dataset) -> Dataset:
    """The data with a validation split: if it has none, a seeded tenth of each class of Training is held out.

    At least one picture of each class that has two.
    """
    if (dataset.usage == "PublicTest").any():
        return dataset
    usage, rng = dataset.usage.astype("U11"), np.random.default_rng(0)
    for label in range(len(NAMES)):
        rows = np.flatnonzero((usage == "Training") & (dataset.labels == label))
        count = max(round(len(rows) * VALIDATION_SHARE), 1) if len(rows) > 1 else 0
        usage[rng.permutation(rows)[:count]] = "PublicTest"
    kept_back = int((usage == "PublicTest").sum())
    if not kept_back:
        return dataset
    remark = (
        f"This data has no validation split, so {count_of(kept_back, 'training picture')} (10% of each class) "
        f"{'is' if kept_back == 1 else 'are'} held out for validation."
    )
    return replace(dataset, usage=usage, remarks=(*dataset.remarks, remark), split_made=True)


def _some(names: tuple[str, ...]) -> str:
    return ", ".join(names[:3]) + (" ..." if len(names) > 3 else "")


def fingerprints(pixels: NDArray[np.uint8]) -> NDArray[np.bytes_]:
    """A digest per picture, equal only for pictures with identical pixels. (N, H, W) -> (N,) bytes."""
    return np.array([hashlib.blake2b(picture.tobytes(), digest_size=16).digest() for picture in pixels], dtype="S16")
