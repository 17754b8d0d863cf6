"""Read zips of pictures or of one FER2013 table in place, after checking all their contents."""

from __future__ import annotations

import lzma
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, BinaryIO, cast

from fer.data.arrangement import is_ignored, is_picture
from fer.data.dataset import Dataset
from fer.data.fer2013 import read_table
from fer.data.ferplus import FERPLUS_FILE
from fer.data.labels import NO_NAMES, ClassNames
from fer.data.pictures import Faces, read_pictures
from fer.errors import DatasetError, ImageError
from fer.limits import MB, OWNER, Limits
from fer.vision.images import decode_image

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MAX_DEPTH = 16  # levels of nested folders
RATIO_FLOOR = 2**20  # smaller files may have any compression ratio
ARCHIVES = (".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".7z", ".rar", ".zst", ".jar")
SCAN = 1 << 22
_ENTRY = b"PK\x01\x02"  # marks each entry in a zip's table of contents
# What Python's zipfile raises for damaged bytes, such as wrong offsets, sizes and names.
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
    OSError,
)


class Zip:
    """A source of pictures, see `fer.data.pictures.Source`. Nothing is unpacked to disk.

    Raises DatasetError for zip bombs, paths that lead outside, links, encrypted and nested archives, and other files.
    """

    def __init__(self, file: BinaryIO, name: str, limits: Limits = OWNER) -> None:
        self.name, self.key, self._limits = name, "zip", limits
        file.seek(0)
        _refuse_a_long_table(file, name, limits)
        try:
            self._archive = zipfile.ZipFile(file)
            infos = self._archive.infolist()
        except BROKEN:
            raise DatasetError(f"{name} is damaged or incomplete. Create the zip again.") from None
        self._members = _checked(infos, name, limits)
        self.files = list(self._members)

    def stamp(self, file: str) -> object:
        info = self._members[file]
        return info.CRC, info.file_size, info.header_offset

    def read(self, file: str) -> NDArray[np.uint8]:
        info, most = self._members[file], self._limits.photo_bytes
        if info.file_size > most:
            raise ImageError(f"The file has {info.file_size / MB:.0f} MB; the limit is {most // MB} MB.")
        try:
            with self._archive.open(info) as packed:
                data = packed.read(info.file_size + 1)
        except BROKEN:
            raise ImageError("The file is damaged inside the zip.") from None
        return decode_image(data, self._limits)

    def table(self) -> str | None:
        """The only CSV file of a zip without pictures, or its fer2013.csv."""
        found = [file for file in self.files if file.lower().endswith(".csv") and not file.endswith(FERPLUS_FILE)]
        own = [file for file in found if file.rpartition("/")[2].lower() == "fer2013.csv"]
        if any(map(is_picture, self.files)) or len(own or found) != 1:
            return None
        return (own or found)[0]

    def read_table(
        self, file: str, progress: Callable[[float], None] | None, quiet: bool, classes: ClassNames
    ) -> Dataset:
        info = self._members[file]
        _check_size(info, self.name, self._limits)
        try:
            with self._archive.open(info) as packed:
                return read_table(
                    cast("BinaryIO", packed),
                    file.rpartition("/")[2],
                    info.file_size,
                    progress,
                    quiet,
                    classes,
                    self._limits,
                )
        except BROKEN:
            raise DatasetError(f"{file[-60:]} is damaged inside {self.name}. Create the zip again.") from None


def read_zip(
    file: BinaryIO,
    name: str = "the zip",
    faces: Faces = "auto",
    progress: Callable[[float], None] | None = None,
    quiet: bool = False,
    cached: bool = True,
    classes: ClassNames = NO_NAMES,
    limits: Limits = OWNER,
) -> Dataset:
    """Read a zip's pictures, see `fer.data.pictures.read_pictures`, or its table. Raises DatasetError."""
    source = Zip(file, name, limits)
    if table := source.table():
        return source.read_table(table, progress, quiet, classes)
    return read_pictures(source, faces, progress, quiet, cached, classes, limits)


def _refuse_a_long_table(file: BinaryIO, name: str, limits: Limits) -> None:
    """Raises DatasetError for too many entries, counted by their marks: zipfile would load all of them first."""
    marks, most = 0, limits.archive_files
    while chunk := file.read(SCAN):
        marks += chunk.count(_ENTRY)
        if marks > 2 * most:  # folders are entries too, and a picture's bytes may contain a mark by chance
            raise DatasetError(f"{name} lists more than {2 * most:,} files and folders; the limit is {most:,} files.")
    file.seek(0)


def _checked(infos: list[zipfile.ZipInfo], name: str, limits: Limits) -> dict[str, zipfile.ZipInfo]:
    """Path with slashes -> member, except ignored ones, checked by the table of contents alone."""
    members = {}
    for info in infos:
        path = info.filename.replace("\\", "/")  # as written by Windows tools
        if not path or path.endswith("/") or is_ignored(path):
            continue
        _check_path(info, path, name)
        members[str(PurePosixPath(path))] = info
    if not members:
        raise DatasetError(f"{name} holds no files. Zip folders named after classes, with pictures in them.")
    if len(members) > limits.archive_files:
        raise DatasetError(f"{name} has {len(members):,} files; the limit is {limits.archive_files:,}. Use part of it.")
    pictures = [info for path, info in members.items() if is_picture(path)]
    total = sum(info.file_size for info in pictures)
    if total > limits.archive_bytes:
        raise DatasetError(
            f"{name} would unpack to {total / MB:.0f} MB; the limit is {limits.archive_bytes // MB} MB. Use part of it."
        )
    for info in pictures:
        _check_size(info, name, limits)
    return members


def _check_path(info: zipfile.ZipInfo, path: str, name: str) -> None:
    shown = info.filename[-60:]
    if path.count("/") > MAX_DEPTH:
        raise DatasetError(f"{name} has folders nested more than {MAX_DEPTH} deep. Zip <split>/<class>/*.png.")
    if path.startswith("/") or ".." in path.split("/") or ":" in path or "\0" in info.orig_filename:
        raise DatasetError(
            f"{name} contains the path {shown!r}, which leads outside its folder. Zip the class folders again."
        )
    if stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG):
        raise DatasetError(f"{name} contains {shown!r}, which is a link or a device. Zip only pictures.")
    if info.flag_bits & 1:
        raise DatasetError(f"{name} is protected by a password. Create it again without one.")
    if path.lower().endswith(ARCHIVES):
        raise DatasetError(f"{name} contains another archive, {shown!r}. Unpack it first, then zip the class folders.")


def _check_size(info: zipfile.ZipInfo, name: str, limits: Limits) -> None:
    grown = info.file_size // max(info.compress_size, 1)
    if info.file_size > RATIO_FLOOR and grown > limits.archive_ratio:
        raise DatasetError(
            f"{name}: {info.filename[-60:]!r} would unpack to {grown:,} times its size, unlike any picture. Leave it "
            "out."
        )
    if info.file_size > limits.archive_bytes:
        raise DatasetError(
            f"{name}: {info.filename[-60:]!r} has {info.file_size / MB:.0f} MB; the limit is "
            f"{limits.archive_bytes // MB} MB. Leave it out."
        )
