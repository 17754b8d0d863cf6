"""What all visitors share: loaded models and detectors. Nobody changes them."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from fer.data.dataset import Dataset
from fer.data.read import read_dataset
from fer.inference.recognizer import Recognizer, load
from fer.models.checkpoints import Card, find_weights, read_card, shipped_names
from fer.training.shelf import list_runs
from fer.vision.detection import Detector, load_detector

SAMPLES = Path(__file__).parent / "samples"
SAMPLE_NAMES = {"astronaut": "Eileen Collins, NASA", "grace-hopper": "Grace Hopper, US Navy"}


def models() -> list[str]:
    """The models that can be chosen: the shipped ones, then the runs with a finished epoch, as their folders."""
    return [*shipped_names(), *(str(run.path) for run in list_runs() if run.best.is_file())]


def recognizer(name: str) -> Recognizer:
    """A loaded model, kept until its file changes. Raises WeightsError."""
    return _recognizer(name, find_weights(name).stat().st_mtime_ns)


@st.cache_resource(max_entries=4, show_spinner="Loading the model")
def _recognizer(name: str, changed_ns: int) -> Recognizer:
    return load(name)


def card(name: str) -> Card:
    return read_card(find_weights(name))


def detector(name: str) -> Detector:
    """The detector; `auto` never waits for the network: HOG serves until YuNet has come."""
    return load_detector(name, wait_s=0.2)


def sample_bytes(name: str) -> bytes:
    return (SAMPLES / f"{name}.jpg").read_bytes()


@st.cache_resource(max_entries=1, show_spinner="Reading the data set")
def dataset(path: str) -> Dataset:
    return read_dataset(path, quiet=True)
