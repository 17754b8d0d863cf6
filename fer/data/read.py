"""Open whatever --data names as one data set."""

from __future__ import annotations

from pathlib import Path

from fer.data.dataset import Dataset
from fer.data.fer2013 import Progress, read_fer2013
from fer.errors import DatasetError

SYNTHETIC = "synthetic"


def read_dataset(data: str | Path, progress: Progress | None = None, quiet: bool = False,
                 faces: str = "auto") -> Dataset:
    """A CSV file of FER2013's kind, a folder <split>/<class>/*, or "synthetic".

    faces: how pictures of a folder become faces, see `fer.data.folders`. Raises DatasetError.
    """
    if str(data) == SYNTHETIC:
        from fer.data.synthetic import read_synthetic

        return read_synthetic()
    path = Path(data)
    if path.is_dir():
        inside = path / "fer2013.csv"
        if inside.is_file():
            return read_fer2013(inside, progress, quiet)
        from fer.data.folders import read_folder

        return read_folder(path, faces, progress, quiet)
    if path.suffix.lower() == ".zip":
        raise DatasetError(f"{path.name} is a zip file. Unpack it and give the folder, or upload it on the page "
                           "Training.")
    return read_fer2013(path, progress, quiet)
