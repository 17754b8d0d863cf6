"""The folder for what can be made or fetched again: parsed data sets, the detector."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import platformdirs


def cache_folder() -> Path:
    """The folder that FER_CACHE names, else the platform's own. It need not exist yet."""
    named = os.environ.get("FER_CACHE")
    return Path(named) if named else Path(platformdirs.user_cache_dir("fer-studio", appauthor=False))


def content_key(*files: Path) -> str:
    """A digest of the files' bytes, so that a changed file never meets an old cache."""
    digest = hashlib.sha256()
    for file in files:
        with open(file, "rb") as opened:
            digest.update(hashlib.file_digest(opened, "sha256").digest())
    return digest.hexdigest()[:32]
