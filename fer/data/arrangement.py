"""Assign the pictures of a folder or zip to splits and classes, by their paths alone."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from fer.data.labels import NO_NAMES, ClassNames, check_names, no_known_class, split_of, words_in
from fer.errors import DatasetError
from fer.expressions import NAMES
from fer.vision.images import SUFFIXES
from fer.wording import count_of

# Files that systems and archivers leave behind, in lower case; names that begin with a dot are ignored too.
_IGNORED_FOLDERS = {"__macosx", "@eadir", "$recycle.bin", "system volume information", "__pycache__", "lost+found"}
_IGNORED_FILES = {"thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r"}
_ABOUT = re.compile("(readme|licen[cs]e|copying|citation)([^a-z]|$)")


@dataclass(frozen=True)
class Entry:
    """One picture's file, and the split and class named by its folders."""

    file: str
    split: str
    expression: str


@dataclass(frozen=True)
class Arrangement:
    """entries: the pictures, in the order of their names. others: files that are not pictures.

    unplaced: pictures in no class folder. unknown: folders named after no class, with their numbers of pictures.
    """

    entries: tuple[Entry, ...]
    others: tuple[str, ...]
    unplaced: tuple[str, ...]
    unknown: Mapping[str, int]
    remarks: tuple[str, ...]


def is_ignored(path: str) -> bool:
    """Whether a path, with slashes, is a system's or archiver's leftover, or a README or license, not data."""
    *folders, file = path.lower().split("/")
    return (
        any(part.startswith(".") and part not in (".", "..") for part in (*folders, file))
        or not _IGNORED_FOLDERS.isdisjoint((*folders, file))
        or file in _IGNORED_FILES
        or (_ABOUT.match(file) is not None and not is_picture(file))
    )


def is_picture(name: str) -> bool:
    return name.lower().endswith(SUFFIXES)


def as_text(name: str) -> str:
    """A name to show and store: bytes that are not UTF-8 are escaped."""
    return name.encode("utf-8", "backslashreplace").decode()


def arrange(files: Iterable[str], name: str, classes: ClassNames = NO_NAMES) -> Arrangement:
    """Assign each file, a path with slashes relative to the data's folder, to its split and class.

    Any folder on the path may name them, in any order: train/happy, happy/train, set/train_happy/person 1. Raises
    DatasetError if folders contradict each other, if no picture is in a class folder, and if `classes` names a missing
    folder. name: the data's, for messages.
    """
    kept = sorted((file for file in files if not is_ignored(file)), key=lambda file: file.split("/"))
    pictures = [file for file in kept if is_picture(file)]
    places = {folder: _Place.of(folder, classes) for folder in dict.fromkeys(map(_folder_of, pictures))}
    if odd := [folder for folder, place in places.items() if len(place.splits) > 1 or len(place.classes) > 1]:
        shown = as_text(", ".join(odd[:3])) + (f" and {len(odd) - 3} more" if len(odd) > 3 else "")
        raise DatasetError(
            f"Folders in {name} contradict each other: {shown} {'names' if len(odd) == 1 else 'name'} two splits or "
            "two classes at once. The folders above a picture may name one split and one class."
        )
    seen = {part.lower() for folder in places for part in as_text(folder).split("/")}
    check_names(classes, dict.fromkeys(seen - {""}), name)
    wrap = _shared([place.rest for place in places.values()])
    if wrap and not any(place.classes for place in places.values()) and all(p.rest == wrap for p in places.values()):
        wrap = wrap[:-1]  # all pictures are in one folder, in the place of a class folder
    by_file = _splits_of_files(pictures) if not any(place.splits for place in places.values()) else {}
    entries, unplaced, unknown = [], [], Counter[str]()
    for file in pictures:
        place = places[_folder_of(file)]
        if place.classes:
            split = next(iter(place.splits), None) or by_file.get(file, "Training")
            entries.append(Entry(file, split, next(iter(place.classes))))
        elif folder := place.below(wrap):
            unknown[folder] += 1
        else:
            unplaced.append(file)
    others = tuple(file for file in kept if not is_picture(file))
    if not entries and not unknown:
        found = f" It has {count_of(len(others), 'other file')}, such as {as_text(others[0])}." if others else ""
        raise DatasetError(
            f"{name} has no pictures in folders named after classes. Expected <split>/<class>/*.png with the classes "
            f"{', '.join(NAMES)}.{found}"
        )
    if not entries:
        raise no_known_class(name, "folder", unknown)
    return Arrangement(tuple(entries), others, tuple(unplaced), unknown, _remarks(entries, places, bool(by_file)))


@dataclass(frozen=True)
class _Place:
    """What the folders on a picture's path name. rest: those that name neither a split nor a class."""

    splits: frozenset[str]
    classes: frozenset[str]
    rest: tuple[str, ...]

    @classmethod
    def of(cls, folder: str, names: ClassNames) -> _Place:
        splits, classes, rest = set[str](), set[str](), []
        for part in filter(None, as_text(folder).split("/")):
            if expression := names.get(part.lower()):
                classes.add(expression)
                continue
            splits_here, classes_here = words_in(part)
            splits |= splits_here
            classes |= classes_here
            if not splits_here and not classes_here:
                rest.append(part)
        return cls(frozenset(splits), frozenset(classes), tuple(rest))

    def below(self, wrap: tuple[str, ...]) -> str:
        """The folder in the place of a class folder; empty if there is none."""
        return self.rest[len(wrap)] if len(self.rest) > len(wrap) else ""


def _shared(paths: list[tuple[str, ...]]) -> tuple[str, ...]:
    """The outer folders that all pictures share."""
    low, high = min(paths, default=()), max(paths, default=())
    return low[: next((at for at, (a, b) in enumerate(zip(low, high)) if a != b), min(len(low), len(high)))]


def _folder_of(file: str) -> str:
    return file.rpartition("/")[0]


def _splits_of_files(pictures: list[str]) -> dict[str, str]:
    """Splits by file names such as train_0001.jpg, if every picture has such a name; otherwise nothing."""
    found = {}
    for file in pictures:
        first = re.match("[A-Za-z]+", file.rpartition("/")[2])
        split = split_of(first[0]) if first else None
        if split is None:
            return {}
        found[file] = split
    return found


def _remarks(entries: list[Entry], places: Mapping[str, _Place], by_file: bool) -> tuple[str, ...]:
    loose = [entry.file for entry in entries if not places[_folder_of(entry.file)].splits]
    if by_file:
        return ("The splits come from the pictures' file names, such as train_0001.jpg.",)
    if not loose or len(loose) == len(entries):
        return ()
    count = count_of(len(loose), "picture")
    where = "is in no split folder and counts" if len(loose) == 1 else "are in no split folder and count"
    return (f"{count}, such as {loose[0]}, {where} as training.",)
