"""The one data set object that every reader returns and everything else consumes."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from fer.errors import DatasetError
from fer.expressions import NAMES

if TYPE_CHECKING:
    from numpy.typing import NDArray

SPLITS = ("Training", "PublicTest", "PrivateTest")
ALL = "All"  # every picture, whatever its split: for data that was never split
ALIASES = {"train": "Training", "validation": "PublicTest", "test": "PrivateTest"}
FACE_SIZE = 48  # pixels, FER2013's own
UNLABELED = -1


@dataclass(frozen=True)
class Dataset:
    """Gray faces with labels.

    pixels: (N, 48, 48) uint8. labels: (N,) int64 in 0..6, or -1 for a picture without a label.
    usage: (N,) of "Training", "PublicTest" (validation) or "PrivateTest" (test).
    votes: (N, 10) uint8 FER+ votes in the order of `VOTE_NAMES`, or None.
    unreadable, faceless: files left out, since no picture, or no face in them; remarks: sentences about the reading.
    names: (N,) each picture's own: a path below the folder, or fer0000000.png by its row in the CSV, as FER+ counts.
    split_made: the data came without a validation split, and one was cut off from its Training pictures.
    """

    pixels: NDArray[np.uint8]
    labels: NDArray[np.int64]
    usage: NDArray[np.str_]
    votes: NDArray[np.uint8] | None = None
    name: str = "data"
    unreadable: tuple[str, ...] = ()
    faceless: tuple[str, ...] = ()
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
            raise DatasetError(f"{self.name} holds no {usage} pictures. It has: {held}.")
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

    def left_out(self) -> list[str]:
        """A sentence about the files that are no picture, and one about those without a face; names the first three."""
        found = []
        if self.unreadable:
            found.append(f"{_counted(self.unreadable, 'file')} could not be read: {_some(self.unreadable)}.")
        if self.faceless:
            found.append(f"In {_counted(self.faceless, 'picture')} no face was found: {_some(self.faceless)}.")
        return found

    def counts(self) -> dict[str, int]:
        """Pictures per class, in NAMES' order."""
        return {name: int((self.labels == index).sum()) for index, name in enumerate(NAMES)}


def split_name(name: str) -> str:
    """FER2013's own name of a split: `validation` is PublicTest, `test` is PrivateTest."""
    lowered = {**{split.lower(): split for split in (*SPLITS, ALL)}, **ALIASES}
    try:
        return lowered[name.lower()]
    except KeyError:
        raise DatasetError(f"No split is called {name!r}. Choose from {', '.join([*SPLITS, *ALIASES])}.") from None


def _counted(names: tuple[str, ...], word: str) -> str:
    return f"{len(names):,} {word}{'' if len(names) == 1 else 's'}"


def _some(names: tuple[str, ...]) -> str:
    return ", ".join(names[:3]) + (" ..." if len(names) > 3 else "")


def fingerprints(pixels: NDArray[np.uint8]) -> NDArray[np.bytes_]:
    """A digest per picture, equal only for pictures that are equal pixel for pixel. (N, H, W) -> (N,) bytes."""
    return np.array([hashlib.blake2b(picture.tobytes(), digest_size=16).digest() for picture in pixels], dtype="S16")
