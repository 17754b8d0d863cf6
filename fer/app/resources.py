"""Models, detectors and data shared by all visitors; do not change them."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import streamlit as st

from fer.app.model_choice import Model
from fer.app.server.memory import collect
from fer.data.dataset import Dataset
from fer.data.ferplus import FERPLUS_FILE
from fer.data.photo_files import files_below
from fer.data.read import SYNTHETIC, read_dataset
from fer.data.uploads import is_upload
from fer.errors import DatasetError
from fer.inference.recognizer import Recognizer, load
from fer.limits import limits
from fer.locations import SAMPLES
from fer.models.card import Card
from fer.models.weights import find_weights, read_card
from fer.vision.detection import Detector, load_detector

# The app's public-domain samples (SOURCES.md): file and caption.
SAMPLE_NAMES = {
    "astronaut": "Eileen Collins, NASA",
    "grace-hopper": "Grace Hopper, US Navy",
    "barack-obama": "Barack Obama, White House",
    "joe-biden": "Joe Biden, White House",
    "four-portraits": "Four portraits",
}
FIRST_SAMPLE = "astronaut"  # the pages' initial photo


def recognizer(model: Model) -> Recognizer:
    """A loaded model, cached until its file changes. Raises WeightsError."""
    return _recognizer(model.spec, find_weights(model.spec).stat().st_mtime_ns)


@st.cache_resource(max_entries=4, show_spinner="Loading the model")
def _recognizer(spec: str, changed_ns: int) -> Recognizer:
    recognizer = load(spec)
    collect(now=True)
    return recognizer


def card(model: Model) -> Card:
    return read_card(find_weights(model.spec))


def detector(name: str) -> Detector:
    """The detector; `auto` never waits for the network but uses HOG until YuNet is downloaded."""
    return load_detector(name, wait_s=0.2)


def sample_bytes(name: str) -> bytes:
    return (SAMPLES / f"{name}.jpg").read_bytes()


def dataset(path: str, classes: str = "") -> Dataset:
    """A data set by its --data and --classes, cached until its files change.

    Raises DatasetError, on the shared demo for every path except an upload's.
    """
    if path != SYNTHETIC and not limits().server_paths and not is_upload(path):
        raise DatasetError("This shared demo does not read data by path. Use the synthetic faces, or upload your data.")
    return _dataset(path, classes, data_stamp(path))


@st.cache_resource(max_entries=3, show_spinner="Reading the data set")
def _dataset(path: str, classes: str, stamp: str) -> Dataset:
    return read_dataset(path, quiet=True, classes=classes, limits=limits())


@st.cache_data(ttl=10, max_entries=32, show_spinner=False)
def data_stamp(path: str) -> str:
    """A digest of the names, sizes and times of a data set's files, which changes when they do."""
    if path == SYNTHETIC:
        return SYNTHETIC
    place = Path(path)
    if os.path.isdir(place) and not os.path.isfile(place / "fer2013.csv"):
        files = [place / file for file in files_below(place)]
    else:
        file = place / "fer2013.csv" if os.path.isdir(place) else place
        files = [file, file.with_name(FERPLUS_FILE)]
    found = [file for file in files if os.path.isfile(file)]
    stats = [(str(file), stat.st_size, stat.st_mtime_ns) for file in found for stat in [file.stat()]]
    return hashlib.blake2b(repr(stats).encode(), digest_size=12).hexdigest()
