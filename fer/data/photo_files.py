"""The photos that somebody names: files, and folders with all that is below them."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from fer.data.arrangement import is_ignored, is_picture

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
            f"1 file was skipped, since it is no {self._words[0]}"
            if count == 1
            else (f"{count} files were skipped, since they are no {self._words[1]}")
        )
        return f"{files}: {kinds} ({', '.join(self.examples)}{more})."

    def _below(self, folder: Path) -> Iterator[Path]:
        waiting = [(folder, self._inside(folder))]  # no recursion: folders may lie a thousand deep
        while waiting:
            place, names = waiting[-1]
            if not names:
                waiting.pop()
                continue
            name, is_folder = names.pop()
            if is_folder:
                waiting.append((place / name, self._inside(place / name)))
            else:
                yield place / name

    def _inside(self, folder: Path) -> list[tuple[str, bool]]:
        """The names of photos and folders in one, the first last, and whether each is a folder."""
        found = []
        with suppress(OSError), os.scandir(folder) as entries:
            for entry in entries:
                with suppress(OSError):
                    if is_ignored(entry.name) or (entry.is_symlink() and entry.is_dir()):
                        continue
                    if entry.is_dir() or (entry.is_file() and self._wanted(entry.name)):
                        found.append((entry.name, entry.is_dir()))
                    elif entry.is_file():
                        self._skip(entry.name)
        return sorted(found, reverse=True)

    def _skip(self, name: str) -> None:
        self.skipped[os.path.splitext(name)[1].lower() or "without an ending"] += 1
        if len(self.examples) < EXAMPLES:
            self.examples.append(name)
