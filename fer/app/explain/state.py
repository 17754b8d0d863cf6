"""What Explain remembers of a visitor: the face, what was computed for it, and, in the address, what is selected."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import streamlit as st

from fer.app.session import RecentSlot, Slot

if TYPE_CHECKING:  # they load PyTorch, or need this module
    from fer.app.explain.job import ExplainJob
    from fer.app.predict.photo_reading import Photo

MAX_JOBS = 12


@dataclass(frozen=True)
class DataRow:
    """A face of a data set: what --data takes, FER2013's name of the split, the row in it from 0; classes: as --classes
    takes them.
    """

    data: str
    part: str
    number: int
    classes: str = ""


@dataclass(frozen=True)
class Explained:
    """The photo whose selected face Explain shows, the face's true class where that is known, the row it came from."""

    photo: Photo
    truth: str | None = None
    row: DataRow | None = None


_explained: Slot[Explained | None] = Slot("explained_face", lambda: None)
# What was computed for faces, by reading and the face's number in it.
jobs: RecentSlot[tuple[tuple[str, ...], int], ExplainJob] = RecentSlot("explain_jobs", MAX_JOBS)
# What the address said of the face when it was opened or written last: only another one is opened.
address: Slot[dict[str, str]] = Slot("explain_address", dict)
measure_all: Slot[bool] = Slot("measure_all_maps", bool)  # not the chosen map alone
stop_measuring: Slot[bool] = Slot("stop_explaining", bool)  # the slow measurements are to end where they are


def explained() -> Explained | None:
    """The face that was handed to Explain, if one was."""
    return _explained.get()


def explain_face(face: Explained) -> None:
    forget_face()
    _explained.set(face)


def forget_face() -> None:
    """Another photo is in use: Explain opens on that."""
    _explained.set(None)
    stop_measuring.set(False)
    measure_all.set(False)


def selected(parameter: str, choices: list[str], default: str) -> str:
    """The class, method or layer in the address, if it is one of the choices."""
    value = st.query_params.get(parameter)
    return value if value is not None and value in choices else default


def select(**parameters: str) -> None:
    """Put class, method or layer into the address, which reopens them."""
    for name, value in parameters.items():
        st.query_params[name] = value
