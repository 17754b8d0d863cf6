"""Which data: drawn faces, a path on the server, or an upload. Every page that needs data asks here."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from fer.data.dataset import Dataset
from fer.data.fer2013 import Progress, read_fer2013
from fer.data.folders import read_folder
from fer.data.read import SYNTHETIC
from fer.data.uploads import unpack_zip, uploads_folder
from fer.errors import DatasetError
from fer.limits import MB, hosted, limits

SOURCES = {"synthetic": "Drawn faces", "path": "A path on this server", "upload": "Upload"}
UPLOAD_MB = limits().dataset_bytes // MB


def choose_data(key: str, none_word: str | None = None) -> str | UploadedFile | None:
    """What --data takes, or an upload, or None while nothing usable is chosen. key: tells the pages' widgets apart.

    none_word: a first choice that means no data. FER_DATA may name the path to start with.
    """
    sources = {**({"none": none_word} if none_word else {}), **SOURCES}
    if not limits().server_paths:
        del sources["path"]
    source = st.segmented_control(
        "Data",
        list(sources),
        default=next(iter(sources)),
        required=True,
        key=f"{key}_source",
        format_func=lambda name: sources[name],
        wrap=True,
        help="Drawn faces are made here, in seconds, and free to use. A path names "
        "fer2013.csv or a folder <split>/<class>/* on this server.",
    )
    if source == "path" and limits().server_paths:
        path = st.text_input(
            "Path of fer2013.csv, or of a folder with class folders in it",
            os.environ.get("FER_DATA", ""),
            key=f"{key}_path",
            placeholder="/data/fer2013/fer2013.csv",
        ).strip()
        if not path:
            return None
        try:
            there = Path(path).exists()
        except (OSError, ValueError):  # a name too long, a NUL in it
            there = False
        if not there:
            raise DatasetError(f"There is nothing at {path[-120:]} on this server. Check the path.")
        return str(Path(path).resolve())
    if source == "upload":
        return st.file_uploader(
            "fer2013.csv, or a zip of class folders",
            type=["csv", "zip"],
            key=f"{key}_upload",
            max_upload_size=UPLOAD_MB,
        )
    return SYNTHETIC if source == "synthetic" else None


def digest_of(upload: UploadedFile) -> str:
    return hashlib.file_digest(upload, "sha256").hexdigest()[:24]


def check_size(upload: UploadedFile) -> None:
    """The browser's own check can be left out by who sends the file some other way. Raises DatasetError."""
    if upload.size > limits().dataset_bytes:
        raise DatasetError(
            f"The upload has {upload.size / MB:.0f} MB; at most {UPLOAD_MB} MB are taken. Give a part of it."
        )


def read_upload(upload: UploadedFile, progress: Progress | None = None) -> Dataset:
    """Read an upload into memory; what had to be unpacked for that is removed again. Raises DatasetError.

    progress: called with the share done, 0..1, of the pictures of a zip.
    """
    check_size(upload)
    upload.seek(0)
    with tempfile.TemporaryDirectory(prefix="fer-upload-") as folder:
        if upload.name.lower().endswith(".zip"):
            return read_folder(unpack_zip(upload, "The zip", Path(folder)), progress=progress, quiet=True, cached=False)
        file = Path(folder) / "upload.csv"
        file.write_bytes(upload.getvalue())
        return read_fer2013(file, quiet=True, cached=False)


def keep(upload: UploadedFile) -> Path:
    """Write an upload where a training worker finds it; a zip is checked and unpacked.

    How old it is counts from the last use, on the shared demo from the upload: see fer.app.server.retention.
    """
    check_size(upload)
    upload.seek(0)
    folder = uploads_folder() / digest_of(upload)
    zipped = upload.name.lower().endswith(".zip")
    file = folder / "upload.csv"
    known = folder if zipped else file
    if known.exists():
        if not hosted():
            os.utime(folder)
        return known
    if zipped:
        return unpack_zip(upload, "The zip")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=file.parent, prefix=".upload-", delete=False) as half_done:
            half_done.write(upload.getvalue())
        os.replace(half_done.name, file)
    except OSError as error:
        raise DatasetError(
            f"The upload could not be kept: {error.strerror or 'the disk refused'}. Free some space, or "
            "give a path on the server."
        ) from None
    return file
