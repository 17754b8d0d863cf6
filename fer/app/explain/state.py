"""What Explain remembers of a visitor: the face, what was computed for it, and, in the address, what is selected."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import streamlit as st

from fer.app.session import RecentSlot, Slot
from fer.records import FaceBox

if TYPE_CHECKING:  # they load PyTorch, or need this module
    from fer.app.explain.job import ExplainJob
    from fer.app.predict.photo_reading import Photo

MAX_JOBS = 12


@dataclass(frozen=True)
class Explained:
    """The face that Explain shows: its photo, where the face is in it, the true class.

    box: None is the photo's largest face.
    """

    photo: Photo
    box: FaceBox | None = None
    truth: str | None = None


_explained: Slot[Explained | None] = Slot("explained_face", lambda: None)
_picked_box: Slot[dict[str, FaceBox]] = Slot("picked_box", dict)  # of one photo, by its key
_seen_uploads: Slot[dict[str, str | None]] = Slot("seen_uploads", dict)  # by uploader
# What was computed for faces, by reading and the face's number in it.
jobs: RecentSlot[tuple[tuple[str, ...], int], ExplainJob] = RecentSlot("explain_jobs", MAX_JOBS)
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
    _picked_box.set({})
    stop_measuring.set(False)
    measure_all.set(False)


def picked_box(photo: str) -> FaceBox | None:
    """Where the face is that the visitor picked on Explain, in this photo: another detector numbers faces anew."""
    return _picked_box.get().get(photo)


def pick_box(photo: str, box: FaceBox) -> None:
    _picked_box.set({photo: box})


def is_new_upload(uploader: str, file: str | None) -> bool:
    """Whether this file has just been uploaded: an uploader returns it on every run. file: its id, None for none."""
    seen = _seen_uploads.get()
    new = file is not None and seen.get(uploader) != file
    seen[uploader] = file
    return new


def selected(parameter: str, choices: list[str], default: str) -> str:
    """The class, method or layer in the address, if it is one of the choices."""
    value = st.query_params.get(parameter)
    return value if value is not None and value in choices else default


def select(**parameters: str) -> None:
    """Put class, method or layer into the address, which reopens them."""
    for name, value in parameters.items():
        st.query_params[name] = value
