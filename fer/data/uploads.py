"""Visitors' uploaded data: stored for a training worker, or read from memory."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from fer.data.dataset import Dataset
from fer.data.fer2013 import Progress, read_table
from fer.data.labels import parse_classes
from fer.errors import DatasetError
from fer.files import replacing
from fer.limits import MB, Limits, hosted
from fer.locations import cache_folder
from fer.wording import count_of

if TYPE_CHECKING:
    from io import BufferedIOBase

    from fer.data.pictures import Faces


def uploads_folder() -> Path:
    return cache_folder() / "uploads"


def is_upload(data: str | Path) -> bool:
    """Whether this path is a visitor's upload: a folder named by an upload's digest, or a file inside.

    False for the folder of all uploads, for a link that leads outside, and for anything that is not a path.
    """
    try:
        inside = Path(data).resolve().relative_to(uploads_folder().resolve()).parts
    except (OSError, ValueError, RuntimeError):  # outside, name too long, NUL in the name, or a link to itself
        return False
    return bool(inside) and re.fullmatch("[0-9a-f]{24}", inside[0]) is not None


def forget_old_uploads(days: float, now_s: float | None = None, used: Sequence[Path] = ()) -> int:
    """Remove uploads for training that were not used for this many days, except those in use; returns their number."""
    limit_s, removed = (time.time() if now_s is None else now_s) - 86_400 * days, 0
    for folder in uploads_folder().glob("*"):
        with suppress(OSError):
            if folder.stat().st_mtime < limit_s and not any(path.is_relative_to(folder) for path in used):
                shutil.rmtree(folder)
                removed += 1
    return removed


def digest_of(file: BinaryIO) -> str:
    file.seek(0)
    return hashlib.file_digest(cast("BufferedIOBase", file), "sha256").hexdigest()[:24]


def read_upload(
    file: BinaryIO,
    name: str,
    limits: Limits,
    progress: Progress | None = None,
    classes: str = "",
    faces: Faces = "auto",
) -> Dataset:
    """Read an uploaded CSV or zip without writing anything to disk. Raises DatasetError.

    name: the upload's file name. progress: called with the share done, 0..1. classes, faces: as in --classes, --faces.
    """
    size = _size(file, limits)
    if _is_zip(name):
        from fer.data.zips import read_zip

        return read_zip(file, name, faces, progress, True, False, parse_classes(classes), limits)
    return read_table(file, name, size, progress, True, parse_classes(classes), limits)


def stored_path(digest: str, name: str) -> Path:
    """Where `keep` stores an upload with this digest and file name."""
    return uploads_folder() / digest / ("upload.zip" if _is_zip(name) else "upload.csv")


def keep(file: BinaryIO, name: str, limits: Limits) -> Path:
    """Store an upload for a training worker, under the digest of its bytes; a zip is checked first.

    Its age counts from its last use, or on the shared demo from the first: see fer.app.server.retention.
    Raises DatasetError, also if all stored uploads would exceed the limit.
    """
    size, kept = _size(file, limits), stored_path(digest_of(file), name)
    if kept.exists():
        if not hosted():
            os.utime(kept.parent)
        return kept
    days = count_of(round(limits.kept_upload_days), "day")
    if _stored_bytes() + size > limits.kept_upload_bytes:
        raise DatasetError(
            f"This upload of {size / MB:.0f} MB no longer fits: all uploads stored for training may take "
            f"{limits.kept_upload_bytes // MB:,} MB. They are removed after {days}: try again later"
            + (", or give a path on the server." if limits.server_paths else ".")
        )
    if _is_zip(name):
        from fer.data.zips import Zip

        Zip(file, "This zip", limits)
    file.seek(0)
    try:
        with replacing(kept, 0o600) as whole:
            shutil.copyfileobj(file, whole)
    except OSError as error:
        raise DatasetError(
            f"The upload could not be saved: {error.strerror or 'unknown reason'}. Free some disk space, or "
            "give a path on the server."
        ) from None
    return kept


def _stored_bytes() -> int:
    total = 0
    for file in uploads_folder().glob("*/*"):
        with suppress(OSError):  # removed meanwhile
            total += file.stat().st_size
    return total


def _is_zip(name: str) -> bool:
    return name.lower().endswith(".zip")


def _size(file: BinaryIO, limits: Limits) -> int:
    """The size in bytes; rewinds the file. A client can bypass the browser's check. Raises DatasetError."""
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    if size > limits.dataset_bytes:
        raise DatasetError(
            f"The upload has {size / MB:.0f} MB; the limit is {limits.dataset_bytes // MB} MB. Upload part of it."
        )
    return size
