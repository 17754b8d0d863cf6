"""Read the FER+ votes (Barsoum et al. 2016): ten people's labels for each picture."""

from __future__ import annotations

import csv
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from fer.errors import DatasetError
from fer.expressions import NAMES

if TYPE_CHECKING:
    from numpy.typing import NDArray

FERPLUS_FILE = "fer2013new.csv"
VOTE_NAMES = ("neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt", "unknown", "NF")
_NAME_OF_VOTE = {
    "neutral": "neutral",
    "happiness": "happy",
    "surprise": "surprise",
    "sadness": "sad",
    "anger": "angry",
    "disgust": "disgust",
    "fear": "fear",
}


def read_votes(path: Path, expected_rows: int) -> NDArray[np.uint8]:
    """(N, 10) uint8 votes, in the row order of fer2013.csv; all 0 for pictures without votes."""
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file)
            header = [title.strip() for title in next(reader, [])]
            places = [header.index(name) for name in VOTE_NAMES]
            # Reading one extra row is enough to detect too many, without holding the rest in memory.
            votes = [[int(row[place]) for place in places] for row in islice(reader, expected_rows + 1)]
            array = np.array(votes, np.int64).reshape(-1, len(VOTE_NAMES))
    except (ValueError, IndexError, OverflowError, csv.Error):
        raise DatasetError(
            f"{path.name} is not a table of FER+ votes. Expected Usage,Image name,{','.join(VOTE_NAMES)} and whole "
            f"numbers below. Fix it, or move it away to continue without votes."
        ) from None
    if len(array) != expected_rows:
        raise DatasetError(
            f"{path.name} has {'more than' if len(array) > expected_rows else f'{len(array)} rows, not'} "
            f"{expected_rows} rows, one per picture. Put the matching file next to them, or move it away to continue "
            "without votes."
        )
    if array.min(initial=0) < 0 or array.max(initial=0) > 255:
        raise DatasetError(f"{path.name} has a vote outside 0 to 255. Expected counts of people.")
    return array.astype(np.uint8)


def vote_distribution(votes: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Votes (N, 10) -> shares of our seven classes (N, 7) float32; a row of zeros if nobody chose any of them.

    Contempt, unknown and not-a-face are left out, since FER2013 has no such classes.
    """
    columns = [VOTE_NAMES.index(next(vote for vote, ours in _NAME_OF_VOTE.items() if ours == name)) for name in NAMES]
    chosen = votes[:, columns].astype(np.float32)
    shares: NDArray[np.float32] = chosen / np.maximum(chosen.sum(1, keepdims=True), 1)
    return shares
