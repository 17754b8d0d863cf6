"""Find the inputs: the named files, and the photos and videos in named folders."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from fer.data.arrangement import is_picture
from fer.data.photo_files import PhotoFiles
from fer.vision.video import SUFFIXES

VIDEO_SUFFIXES = tuple(f".{suffix}" for suffix in SUFFIXES)


@dataclass(frozen=True)
class Input:
    """One file. name: as the user gave it, for the table; path: absolute, for workers on other machines."""

    name: str
    path: Path

    @property
    def is_video(self) -> bool:
        return is_video(self.path.name)


def is_video(name: str) -> bool:
    return name.lower().endswith(VIDEO_SUFFIXES)


def find_inputs(paths: Iterable[Path]) -> tuple[list[Input], str]:
    """Photos and videos, each once, in the given order and sorted within folders; and a sentence on skipped files.

    Named files are always taken. Folders, with their subfolders, contribute the files with a photo or video suffix.
    """
    files = PhotoFiles(paths, lambda name: is_picture(name) or is_video(name), ("photo or video", "photos or videos"))
    found: dict[Path, str] = {}
    for file in files:
        found.setdefault(Path(os.path.abspath(file)), str(file))
    return [Input(name, path) for path, name in found.items()], files.words()
