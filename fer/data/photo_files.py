"""The photos in a list of files and folders, including subfolders."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from fer.data.arrangement import is_ignored, is_picture
from fer.errors import DatasetError

EXAMPLES = 3  # skipped files to name


class PhotoFiles:
    """Yields the photos one by one, in the order of their names; a folder may hold any number.

    Listed files are yielded whatever their names. Other files in a folder are skipped and counted, except leftovers of
    the system. Links to folders are not followed, and unreadable files and folders are left out.
    """

    def __init__(
        self,
        paths: Iterable[Path],
        wanted: Callable[[str], bool] = is_picture,
        words: tuple[str, str] = ("picture", "pictures"),
    ) -> None:
        """wanted: whether to yield a folder's file with this name. words: the singular and plural of such files."""
        self.paths, self.found, self._wanted, self._words = list(paths), 0, wanted, words
        self.skipped: Counter[str] = Counter()  # by extension
        self.examples: list[str] = []

    def __iter__(self) -> Iterator[Path]:
        for path in self.paths:
            for photo in self._below(path) if os.path.isdir(path) else [path]:
                self.found += 1
                yield photo

    def words(self) -> str:
        """A sentence about the files skipped so far; empty if there are none."""
        count = self.skipped.total()
        if not count:
            return ""
        kinds = ", ".join(f"{number} {end}" for end, number in self.skipped.most_common(8))
        more = ", ..." if count > len(self.examples) else ""
        files = (
            f"1 file was skipped because it is not a {self._words[0]}"
            if count == 1
            else f"{count:,} files were skipped because they are not {self._words[1]}"
        )
        return f"{files}: {kinds} ({', '.join(self.examples)}{more})."

    def _below(self, folder: Path) -> Iterator[Path]:
        with suppress(DatasetError):  # leave out an unreadable folder
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
    """The files in a folder and its subfolders, as relative paths with slashes, in the order of their names.

    Leaves out what `is_ignored` matches, and unreadable subfolders. Does not follow links to folders. Raises
    DatasetError if the folder itself cannot be read.
    """
    try:
        waiting = [("", _inside(root))]  # no recursion: folders may be nested a thousand deep
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
    """The names in a folder, in reverse order, and whether each is a folder. Raises OSError."""
    found = []
    with os.scandir(folder) as entries:
        for entry in entries:
            if is_ignored(entry.name):
                continue
            with suppress(OSError):
                is_folder = entry.is_dir(follow_symlinks=False)
                if is_folder or entry.is_file():  # no pipes, devices or broken links
                    found.append((entry.name, is_folder))
    return sorted(found, reverse=True)
