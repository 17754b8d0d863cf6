"""Explain's session state: the face, its results, and, in the address, the selected map."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import streamlit as st

from fer.app.session import RecentSlot, Slot

if TYPE_CHECKING:  # these load PyTorch, or import this module
    from fer.app.explain.job import ExplainJob
    from fer.app.predict.photo_reading import Photo

MAX_JOBS = 12


@dataclass(frozen=True)
class DataRow:
    """A face of a data set: a value of --data, FER2013's name of the split, and the row in it, from 0. classes: as in
    --classes.
    """

    data: str
    part: str
    number: int
    classes: str = ""


@dataclass(frozen=True)
class Explained:
    """The photo whose selected face Explain shows, the face's true class if known, and its row."""

    photo: Photo
    truth: str | None = None
    row: DataRow | None = None


_explained: Slot[Explained | None] = Slot("explained_face", lambda: None)
# The faces' jobs, by reading and the face's number in it.
jobs: RecentSlot[tuple[tuple[str, ...], int], ExplainJob] = RecentSlot("explain_jobs", MAX_JOBS)
# The address's face when last opened or written, so that only a different one is opened.
address: Slot[dict[str, str]] = Slot("explain_address", dict)
measure_all: Slot[bool] = Slot("measure_all_maps", bool)  # not only the chosen map
stop_measuring: Slot[bool] = Slot("stop_explaining", bool)  # stop the slow measurements


def explained() -> Explained | None:
    """The face handed to Explain, if any."""
    return _explained.get()


def explain_face(face: Explained) -> None:
    forget_face()
    _explained.set(face)


def forget_face() -> None:
    """Another photo is in use; Explain opens with it."""
    _explained.set(None)
    stop_measuring.set(False)
    measure_all.set(False)


def selected(parameter: str, choices: list[str], default: str) -> str:
    """The class, method or layer in the address, if it is one of the choices."""
    value = st.query_params.get(parameter)
    return value if value is not None and value in choices else default


def select(**parameters: str) -> None:
    """Store class, method or layer in the address, which reopens them."""
    for name, value in parameters.items():
        st.query_params[name] = value
