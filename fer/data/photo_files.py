"""The photos that somebody names: files, and folders with all that is below them."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from fer.data.arrangement import is_ignored, is_picture
from fer.errors import DatasetError

EXAMPLES = 3  # of the files that were skipped, by name


class PhotoFiles:
    """Gives out the photos one by one, in the order of their names; a folder may hold any number.

    Files that are named are given out whatever they are called. What else lies in a folder is skipped and counted, but
    for what systems leave there. Links to folders are not followed, and what may not be read is left out.
    """

    def __init__(
        self,
        paths: Iterable[Path],
        wanted: Callable[[str], bool] = is_picture,
        words: tuple[str, str] = ("picture", "pictures"),
    ) -> None:
        """wanted: whether a folder's file of that name is given out; words: what such files are, one and several."""
        self.paths, self.found, self._wanted, self._words = list(paths), 0, wanted, words
        self.skipped: Counter[str] = Counter()  # by the names' ends
        self.examples: list[str] = []

    def __iter__(self) -> Iterator[Path]:
        for path in self.paths:
            for photo in self._below(path) if os.path.isdir(path) else [path]:
                self.found += 1
                yield photo

    def words(self) -> str:
        """What was skipped up to now, as a sentence; empty where nothing was."""
        count = self.skipped.total()
        if not count:
            return ""
        kinds = ", ".join(f"{number} {end}" for end, number in self.skipped.most_common(8))
        more = ", ..." if count > len(self.examples) else ""
        files = (
            f"1 file was skipped, as it is not a {self._words[0]}"
            if count == 1
            else f"{count:,} files were skipped, as they are not {self._words[1]}"
        )
        return f"{files}: {kinds} ({', '.join(self.examples)}{more})."

    def _below(self, folder: Path) -> Iterator[Path]:
        with suppress(DatasetError):  # a folder that may not be read is left out
            for file in files_below(folder):
                name = file.rpartition("/")[2]
                if self._wanted(name):
                    yield folder / file
                else:
                    self._skip(name)

    def _skip(self, name: str) -> None:
        self.skipped[os.path.splitext(name)[1].lower() or "without an ending"] += 1
        if len(self.examples) < EXAMPLES:
            self.examples.append(name)


def files_below(root: Path) -> Iterator[str]:
    """The files of a folder and of those in it, as paths with slashes below it, in the order of their names.

    What `is_ignored` names is passed over. Links to folders are not followed, and what may not be read is left out.
    Raises DatasetError for the folder itself.
    """
    try:
        waiting = [("", _inside(root))]  # no recursion: folders may lie a thousand deep
    except OSError as error:
        raise DatasetError(f"The folder {root.name} cannot be read: {error.strerror or 'unknown reason'}.") from None
    while waiting:
        place, entries = waiting[-1]
        if not entries:
            waiting.pop()
            continue
        name, is_folder = entries.pop()
        path = f"{place}/{name}" if place else name
        if not is_folder:
            yield path
            continue
        with suppress(OSError):
            waiting.append((path, _inside(root / path)))


def _inside(folder: Path) -> list[tuple[str, bool]]:
    """The names of the files and folders in one, the first last, and whether each is a folder. Raises OSError."""
    found = []
    with os.scandir(folder) as entries:
        for entry in entries:
            if is_ignored(entry.name):
                continue
            with suppress(OSError):
                is_folder = entry.is_dir(follow_symlinks=False)
                if is_folder or entry.is_file():  # no pipe, no device, no link that leads nowhere
                    found.append((entry.name, is_folder))
    return sorted(found, reverse=True)
