"""Open whatever --data names as one data set."""

from __future__ import annotations

from pathlib import Path

from fer.data.dataset import Dataset
from fer.data.fer2013 import Progress, read_fer2013
from fer.errors import DatasetError


def read_dataset(data: str | Path, progress: Progress | None = None, quiet: bool = False) -> Dataset:
    """A CSV file of FER2013's kind. Raises DatasetError for anything else."""
    path = Path(data)
    if path.is_dir():
        inside = path / "fer2013.csv"
        if inside.is_file():
            return read_fer2013(inside, progress, quiet)
        raise DatasetError(f"The folder {path.name} holds no fer2013.csv.")
    return read_fer2013(path, progress, quiet)
