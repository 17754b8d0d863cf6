"""Read folders of pictures as a data set."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from fer.data.arrangement import as_text
from fer.data.dataset import Dataset
from fer.data.labels import NO_NAMES, ClassNames
from fer.data.photo_files import files_below
from fer.data.pictures import Faces, read_pictures
from fer.errors import DatasetError
from fer.limits import OWNER, Limits
from fer.vision.images import read_image

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Folder:
    """A source of pictures, see `fer.data.pictures.Source`. Raises DatasetError for too many files."""

    def __init__(self, root: Path, limits: Limits = OWNER) -> None:
        self.root, self.name, self.key = root, as_text(root.resolve().name or "the folder"), str(root.resolve())
        self._limits = limits
        self.files: list[str] = []
        for file in files_below(root):
            self.files.append(file)
            if len(self.files) > 2 * limits.dataset_pictures:
                raise DatasetError(
                    f"The folder {self.name} has more than {2 * limits.dataset_pictures:,} files, the limit here. Name "
                    "the folder of the data itself, or use part of it."
                )

    def stamp(self, file: str) -> object:
        try:
            facts = (self.root / file).stat()
        except OSError:  # deleted meanwhile, or not readable
            return None
        return facts.st_size, facts.st_mtime_ns

    def read(self, file: str) -> NDArray[np.uint8]:
        return read_image(self.root / file, self._limits)


def read_folder(
    folder: Path | str,
    faces: Faces = "auto",
    progress: Callable[[float], None] | None = None,
    quiet: bool = False,
    cached: bool = True,
    classes: ClassNames = NO_NAMES,
    limits: Limits = OWNER,
) -> Dataset:
    """Read all pictures in a folder, see `fer.data.pictures.read_pictures`. Raises DatasetError."""
    return read_pictures(Folder(Path(folder), limits), faces, progress, quiet, cached, classes, limits)
