"""Open whatever --data names as one data set."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from fer.data.dataset import Dataset
from fer.data.fer2013 import Progress, read_fer2013
from fer.data.uploads import uploads_folder
from fer.errors import DatasetError

if TYPE_CHECKING:
    from fer.data.folders import Faces

SYNTHETIC = "synthetic"


def read_dataset(
    data: str | Path, progress: Progress | None = None, quiet: bool = False, faces: Faces = "auto"
) -> Dataset:
    """A CSV file of FER2013's kind, a folder <split>/<class>/*, or "synthetic".

    faces: how pictures of a folder become faces, see `fer.data.folders`. An upload leaves no parsed copy in the
    cache, which would outlive it. Raises DatasetError.
    """
    if str(data) == SYNTHETIC:
        from fer.data.synthetic import read_synthetic

        return read_synthetic()
    path, cached = Path(data), not is_upload(data)
    if os.path.isdir(path):
        inside = path / "fer2013.csv"
        if inside.is_file():
            return read_fer2013(inside, progress, quiet, cached)
        from fer.data.folders import read_folder

        return read_folder(path, faces, progress, quiet, cached)
    if path.suffix.lower() == ".zip":
        raise DatasetError(
            f"{path.name} is a zip file. Unpack it and give the folder, or upload it on the page Training."
        )
    return read_fer2013(path, progress, quiet, cached)


def is_upload(data: str | Path) -> bool:
    """Whether these are pictures that a visitor uploaded: a folder named by an upload's digest, or what lies in it.

    False for the folder of all uploads, for a link that leads out, and for what is no path.
    """
    try:
        inside = Path(data).resolve().relative_to(uploads_folder().resolve()).parts
    except (OSError, ValueError, RuntimeError):  # elsewhere, a name too long, a NUL in it, a link to itself
        return False
    return bool(inside) and re.fullmatch("[0-9a-f]{24}", inside[0]) is not None
