"""Read any --data argument as a data set."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from fer.data.dataset import Dataset
from fer.data.fer2013 import Progress, read_fer2013
from fer.data.labels import parse_classes
from fer.data.uploads import is_upload
from fer.errors import DatasetError
from fer.limits import OWNER, Limits

if TYPE_CHECKING:
    from fer.data.pictures import Faces

SYNTHETIC = "synthetic"


def read_dataset(
    data: str | Path,
    progress: Progress | None = None,
    quiet: bool = False,
    faces: Faces = "auto",
    classes: str = "",
    limits: Limits = OWNER,
) -> Dataset:
    """Read a CSV file in FER2013's format, a folder or zip with one folder per class, or "synthetic".

    faces: how pictures become faces, see `fer.data.pictures`. classes: classes of folders and labels with other names,
    as in --classes. Uploads are not cached, since the cache would outlive them. Raises DatasetError.
    """
    names = parse_classes(classes)
    if str(data) == SYNTHETIC:
        from fer.data.synthetic import read_synthetic

        if names:
            raise DatasetError("The synthetic faces already have the seven classes. Omit --classes.")
        return read_synthetic()
    path, cached = Path(data), not is_upload(data)
    if os.path.isdir(path):
        inside = path / "fer2013.csv"
        if os.path.isfile(inside):
            return read_fer2013(inside, progress, quiet, cached, names, limits)
        from fer.data.folders import read_folder

        return read_folder(path, faces, progress, quiet, cached, names, limits)
    if path.suffix.lower() == ".zip":
        from fer.data.zips import read_zip

        try:
            with open(path, "rb") as file:
                return read_zip(file, path.name, faces, progress, quiet, cached, names, limits)
        except (FileNotFoundError, ValueError):  # the name contains a NUL
            raise DatasetError(f"There is no file {path.name}. Give the path of a zip of pictures.") from None
        except OSError as error:
            raise DatasetError(f"{path.name} cannot be read: {error.strerror or 'unknown reason'}.") from None
    return read_fer2013(path, progress, quiet, cached, names, limits)
