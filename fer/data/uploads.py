"""Unpack a stranger's zip of pictures: everything is checked before anything is written, and nothing else gets in."""

from __future__ import annotations

import hashlib
import lzma
import os
import shutil
import stat
import struct
import tempfile
import time
import zipfile
import zlib
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, BinaryIO, cast

from fer.errors import DatasetError
from fer.limits import limits
from fer.locations import cache_folder
from fer.vision.images import SUFFIXES

if TYPE_CHECKING:
    from io import BufferedIOBase

MAX_BYTES = limits().photo_bytes
MAX_FILES, MAX_TOTAL, MAX_RATIO = limits().archive_files, limits().archive_bytes, limits().archive_ratio
MAX_DEPTH = 16  # folders in folders
RATIO_FLOOR = 2**20  # a small file may shrink as it likes
ARCHIVES = (".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".7z", ".rar", ".zst", ".jar")
IGNORED = (".ds_store", "thumbs.db", "desktop.ini")
CHUNK, SCAN = 1 << 16, 1 << 22
_ENTRY = b"PK\x01\x02"  # begins each entry of a zip's table of contents
# What Python's zipfile raises on damaged bytes: wrong offsets, sizes and names among them.
BROKEN = (
    zipfile.BadZipFile,
    EOFError,
    NotImplementedError,
    RuntimeError,
    ValueError,
    IndexError,
    OverflowError,
    struct.error,
    zlib.error,
    lzma.LZMAError,
)
_MAGIC = (b"\x89PNG", b"\xff\xd8\xff", b"RIFF", b"BM", b"GIF8")


def uploads_folder() -> Path:
    return cache_folder() / "uploads"


def forget_old_uploads(days: float, now_s: float | None = None, used: Sequence[Path] = ()) -> int:
    """Remove what was kept for training and not used for so many days, but for what is in use; returns how many."""
    limit_s, removed = (time.time() if now_s is None else now_s) - 86_400 * days, 0
    for folder in uploads_folder().glob("*"):
        with suppress(OSError):
            if folder.stat().st_mtime < limit_s and not any(path.is_relative_to(folder) for path in used):
                shutil.rmtree(folder)
                removed += 1
    return removed


def unpack_zip(file: BinaryIO, name: str = "the zip", parent: Path | None = None) -> Path:
    """Unpack into the cache (or parent), under the digest of the file's bytes; returns that folder. The same
    zip is unpacked once.

    Raises DatasetError for bombs, paths that lead outside, links, locked or nested archives and files that are no
    pictures; then nothing is left behind.
    """
    file.seek(0)
    target = (parent or uploads_folder()) / hashlib.file_digest(cast("BufferedIOBase", file), "sha256").hexdigest()[:24]
    if target.is_dir():
        os.utime(target)  # in use again: see forget_old_uploads
        return target
    file.seek(0)
    _refuse_a_long_table(file, name)
    try:
        with zipfile.ZipFile(file) as archive:
            members = check_members(archive, name)
            target.parent.mkdir(parents=True, exist_ok=True)
            half_done = Path(tempfile.mkdtemp(dir=target.parent, prefix=".unpacking-"))
            try:
                _extract(archive, members, half_done, name)
                os.replace(half_done, target)
            finally:
                shutil.rmtree(half_done, ignore_errors=True)
    except BROKEN:
        raise DatasetError(f"{name} is no whole zip file. Zip the class folders again.") from None
    except OSError as error:
        if target.is_dir():  # another visitor unpacked the same zip at the same time
            return target
        raise DatasetError(
            f"{name} could not be unpacked: {error.strerror or 'the disk refused'}. Free some space, "
            "or give a path on the server."
        ) from None
    return target


def _refuse_a_long_table(file: BinaryIO, name: str) -> None:
    """Raises DatasetError for more entries than are taken, by their marks: zipfile would first hold them all."""
    marks = 0
    while chunk := file.read(SCAN):
        marks += chunk.count(_ENTRY)
        if marks > 2 * MAX_FILES:  # folders are entries too, and by chance a picture's bytes hold a mark
            raise DatasetError(
                f"{name} lists more than {2 * MAX_FILES} files and folders; at most {MAX_FILES} files are unpacked."
            )
    file.seek(0)


def check_members(archive: zipfile.ZipFile, name: str) -> list[zipfile.ZipInfo]:
    """The members to unpack, judged by the table of contents alone. Raises DatasetError with what is wrong."""
    infos = [info for info in archive.infolist() if not info.is_dir() and not _ignored(info.filename)]
    if not infos:
        raise DatasetError(f"{name} holds no files. Expected folders named by class, with pictures in them.")
    if len(infos) > MAX_FILES:
        raise DatasetError(f"{name} holds {len(infos)} files; at most {MAX_FILES} are unpacked.")
    total = sum(info.file_size for info in infos)
    if total > MAX_TOTAL:
        raise DatasetError(
            f"{name} would unpack to {total / 2**20:.0f} MB; at most {MAX_TOTAL // 2**20} MB are "
            "unpacked. Put the data on the server and give its path."
        )
    for info in infos:
        _check(info, name)
    return infos


def _check(info: zipfile.ZipInfo, name: str) -> None:
    path, shown = PurePosixPath(info.filename.replace("\\", "/")), info.filename[-60:]
    if path.is_absolute() or ".." in path.parts or ":" in info.filename or "\0" in info.orig_filename:
        raise DatasetError(f"{name} holds the path {shown!r}, which leads outside its folder. It was not unpacked.")
    if len(path.parts) > MAX_DEPTH:
        raise DatasetError(f"{name} holds folders in folders, more than {MAX_DEPTH} deep. Zip <split>/<class>/*.png.")
    if stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG):
        raise DatasetError(f"{name} holds {shown!r}, which is a link or a device. Zip plain pictures only.")
    if info.flag_bits & 1:
        raise DatasetError(f"{name} is locked with a password. Zip the pictures without one.")
    if path.suffix.lower() in ARCHIVES:
        raise DatasetError(f"{name} holds another archive, {shown!r}. Unpack it first, and zip the class folders.")
    if path.suffix.lower() not in SUFFIXES:
        raise DatasetError(f"{name} holds {shown!r}, which is no picture. Zip pictures only: {', '.join(SUFFIXES)}.")
    if info.file_size > MAX_BYTES:
        raise DatasetError(
            f"{name}: {shown!r} has {info.file_size / 2**20:.0f} MB; at most {MAX_BYTES // 2**20} MB "
            "a picture are read."
        )
    if info.file_size > RATIO_FLOOR and info.file_size > MAX_RATIO * max(info.compress_size, 1):
        raise DatasetError(
            f"{name}: {shown!r} would grow {info.file_size // max(info.compress_size, 1)}-fold. "
            "Pictures do not; it was not unpacked."
        )


def _extract(archive: zipfile.ZipFile, members: list[zipfile.ZipInfo], target: Path, name: str) -> None:
    for info in members:
        path = target.joinpath(*PurePosixPath(info.filename.replace("\\", "/")).parts)
        path.parent.mkdir(parents=True, exist_ok=True)
        left = info.file_size
        with archive.open(info) as packed, open(path, "wb") as out:
            while chunk := packed.read(CHUNK):
                if left == info.file_size and not chunk.startswith(_MAGIC):
                    raise DatasetError(f"{name}: {info.filename[-60:]!r} is named like a picture but is none.")
                left -= len(chunk)
                if left < 0:  # the table of contents lied
                    raise DatasetError(
                        f"{name}: {info.filename[-60:]!r} is larger than its zip says. It was not unpacked."
                    )
                out.write(chunk)


def _ignored(filename: str) -> bool:
    parts = PurePosixPath(filename).parts
    return "__MACOSX" in parts or (bool(parts) and parts[-1].lower() in IGNORED)
