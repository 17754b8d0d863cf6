"""Which files are read: those that are named, and the photos and videos of the folders that are."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from fer.vision import images, video

VIDEO_SUFFIXES = tuple(f".{suffix}" for suffix in video.SUFFIXES)
READ_SUFFIXES = (*images.SUFFIXES, *VIDEO_SUFFIXES)
LISTED = 10  # skipped files are named up to here, and counted from there on


@dataclass(frozen=True)
class Input:
    """One file. name: as it was named, which the table shows; path: absolute, for workers elsewhere."""

    name: str
    path: Path

    @property
    def is_video(self) -> bool:
        return self.path.suffix.lower() in VIDEO_SUFFIXES


def find_inputs(paths: Iterable[Path], left_out: Path | None = None) -> tuple[list[Input], list[str]]:
    """Photos and videos, each once, in the order named and sorted within a folder; and the names of skipped files.

    A named file is taken whatever it is called; of a folder, with all that is below, only what ends like a photo or a
    video. Links to folders are not followed; hidden files, and those below `left_out`, are passed over.
    """
    found: dict[Path, str] = {}
    skipped: list[str] = []
    for path in paths:
        files = _below(path, skipped, left_out and left_out.absolute()) if os.path.isdir(path) else [path]
        for file in files:
            found.setdefault(Path(os.path.abspath(file)), str(file))
    return [Input(name, path) for path, name in found.items()], skipped


def skipped_in_words(skipped: list[str]) -> str:
    """What was skipped, in a sentence; empty where nothing was."""
    if not skipped:
        return ""
    more = f" and {len(skipped) - LISTED} more" if len(skipped) > LISTED else ""
    files = "1 file is" if len(skipped) == 1 else f"{len(skipped)} files are"
    return f"{files} neither photo nor video and skipped: {', '.join(skipped[:LISTED])}{more}."


def _below(folder: Path, skipped: list[str], left_out: Path | None) -> list[Path]:
    found, waiting = [], [folder]
    while waiting:  # no recursion: folders may lie a thousand deep
        with suppress(PermissionError), os.scandir(waiting.pop()) as children:
            for child in children:
                path = Path(child.path)
                if child.name.startswith(".") or (left_out is not None and path.absolute() == left_out):
                    continue
                if child.is_dir(follow_symlinks=False):
                    waiting.append(path)
                elif child.is_file():
                    if path.suffix.lower() in READ_SUFFIXES:
                        found.append(path)
                    else:
                        skipped.append(child.path)
    return sorted(found)
