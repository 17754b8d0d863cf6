"""Which data: drawn faces, a path on the server, or an upload. Every page that needs data asks here."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import streamlit as st

from fer.data.archives import unpack_zip, uploads_folder
from fer.data.read import SYNTHETIC
from fer.errors import DatasetError

SOURCES = {"synthetic": "Drawn faces", "path": "A path on this server", "upload": "Upload"}
UPLOAD_MB = 400


def choose_data(key: str, none_word: str | None = None) -> str | None:
    """What --data takes, or None while nothing usable is chosen. key: tells the pages' widgets apart.

    none_word: a first choice that means no data. FER_DATA may name the path to start with.
    """
    sources = {**({"none": none_word} if none_word else {}), **SOURCES}
    source = st.segmented_control("Data", list(sources), default=next(iter(sources)), required=True,
                                  key=f"{key}_source", format_func=sources.get, wrap=True,
                                  help="Drawn faces are made here, in seconds, and free to use. A path names "
                                       "fer2013.csv or a folder <split>/<class>/* on this server.")
    if source == "path":
        path = st.text_input("Path of fer2013.csv, or of a folder with class folders in it",
                             os.environ.get("FER_DATA", ""), key=f"{key}_path",
                             placeholder="/data/fer2013/fer2013.csv").strip()
        if not path:
            return None
        if not Path(path).exists():
            raise DatasetError(f"There is nothing at {path[-120:]} on this server. Check the path.")
        return str(Path(path).resolve())
    if source == "upload":
        upload = st.file_uploader("fer2013.csv, or a zip of class folders", type=["csv", "zip"], key=f"{key}_upload",
                                  max_upload_size=UPLOAD_MB)
        st.caption("Kept on this server, under the digest of its bytes, until its cache is cleared.")
        return str(_keep(upload)) if upload else None
    return SYNTHETIC if source == "synthetic" else None


def _keep(upload) -> Path:
    """Write an upload where readers and workers find it; a zip is checked and unpacked."""
    if upload.name.lower().endswith(".zip"):
        return unpack_zip(upload, "The zip")
    data = upload.getvalue()
    folder = uploads_folder() / hashlib.sha256(data).hexdigest()[:24]
    file = folder / "upload.csv"
    if not file.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
    return file
