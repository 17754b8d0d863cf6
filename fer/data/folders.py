"""Folders of pictures: what lies below one, and reading it as a data set."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from fer.data.arrangement import as_text, is_ignored, is_picture
from fer.data.dataset import Dataset
from fer.data.labels import NO_NAMES, ClassNames
from fer.data.pictures import Faces, read_pictures
from fer.errors import DatasetError
from fer.limits import OWNER, Limits
from fer.vision.images import read_image

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Folder:
    """A source of pictures, see `fer.data.pictures.Source`. Raises DatasetError for more files than are looked at."""

    def __init__(self, root: Path, limits: Limits = OWNER) -> None:
        self.root, self.name, self.key = root, as_text(root.resolve().name or "the folder"), str(root.resolve())
        self._limits = limits
        self.files: list[str] = []
        for file in files_below(root):
            self.files.append(file)
            if len(self.files) > 2 * limits.dataset_pictures:
                raise DatasetError(
                    f"The folder {self.name} holds more than {2 * limits.dataset_pictures:,} files. Name the data's "
                    "own folder, or give a part of it."
                )

    def stamp(self, file: str) -> object:
        try:
            facts = (self.root / file).stat()
        except OSError:  # it went away just now, or may not be looked at
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
    """Read all pictures below, see `fer.data.pictures.read_pictures`. Raises DatasetError."""
    return read_pictures(Folder(Path(folder), limits), faces, progress, quiet, cached, classes, limits)


def files_below(root: Path) -> Iterator[str]:
    """The files of a folder and of those in it, as paths with slashes below it; what `is_ignored` names is passed over.

    Links to folders are not followed, and what may not be read is left out. Raises DatasetError for the folder itself.
    """
    waiting = [""]
    while waiting:  # no recursion: folders may lie a thousand deep
        inside = waiting.pop()
        try:
            with os.scandir(root / inside) as entries:
                children = [entry for entry in entries if not is_ignored(entry.name)]
        except OSError as error:
            if inside:
                continue
            raise DatasetError(
                f"The folder {root.name} cannot be read: {error.strerror or 'unknown reason'}."
            ) from None
        for child in children:
            path = f"{inside}/{child.name}" if inside else child.name
            with suppress(OSError):
                if child.is_dir(follow_symlinks=False):
                    waiting.append(path)
                elif child.is_file():  # no pipe, no device, no link that leads nowhere
                    yield path


def pictures_below(folder: Path) -> list[Path]:
    """All picture files of a folder and of those in it, sorted; links to folders are not followed."""
    return sorted(folder / file for file in files_below(folder) if is_picture(file))
