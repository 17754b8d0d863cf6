"""The folders of FER Studio: inside the installed package, or next to it in a checkout."""

from __future__ import annotations

import functools
import os
from collections.abc import MutableMapping
from pathlib import Path

import platformdirs

PACKAGE = Path(__file__).resolve().parent
SAMPLES = PACKAGE / "app" / "samples"


# The environment variables that name a file or a folder.
VARIABLES = ("FER_CACHE", "FER_DATA", "FER_ORT_WEB", "FER_RUNS", "FER_YUNET")


def make_folders_absolute(environment: MutableMapping[str, str]) -> None:
    """Resolve VARIABLES against the working directory, in place, for a process that runs in another."""
    for name in VARIABLES:
        if named := environment.get(name):
            environment[name] = os.path.abspath(named)


@functools.cache
def weights_folder() -> Path:
    """The folder of the shipped weights."""
    installed = PACKAGE / "weights"
    return installed if installed.is_dir() else PACKAGE.parent / "weights"


@functools.cache
def app_folder() -> Path:
    """The folder with streamlit_app.py, pages/ and .streamlit/."""
    installed = PACKAGE / "app" / "entry"
    return installed if installed.is_dir() else PACKAGE.parent


def runs_folder() -> Path:
    """The folder named by FER_RUNS, else runs/ in a checkout, else the user's data folder. It may not exist yet."""
    if named := os.environ.get("FER_RUNS"):
        return Path(named)
    if app_folder() == PACKAGE.parent:
        return PACKAGE.parent / "runs"
    return Path(platformdirs.user_data_dir("fer-studio", appauthor=False)) / "runs"


def cache_folder() -> Path:
    """The folder named by FER_CACHE, else the platform's cache folder. It may not exist yet."""
    named = os.environ.get("FER_CACHE")
    return Path(named) if named else Path(platformdirs.user_cache_dir("fer-studio", appauthor=False))
