"""What a visitor's session remembers. The only place where session keys are written as text."""

from __future__ import annotations

from collections import OrderedDict

import streamlit as st

from fer.models.checkpoints import shipped_names

DEFAULT_MODEL = "mini_xception"
KEPT_RESULTS = 60


def model() -> str:
    """The chosen model, a name that resources.models() lists. Kept under a key that no widget owns."""
    return st.session_state.get("chosen_model") or next(
        (name for name in (DEFAULT_MODEL, *shipped_names()) if name in shipped_names()), "")


def choose_model(name: str) -> None:
    st.session_state["chosen_model"] = name


def detector() -> str:
    return st.session_state.get("chosen_detector", "auto")


def choose_detector(name: str) -> None:
    st.session_state["chosen_detector"] = name


def sample() -> str | None:
    """The sample photo in use, if one is."""
    return st.session_state.get("chosen_sample")


def choose_sample(name: str | None) -> None:
    st.session_state["chosen_sample"] = name


def as_whole(photo: str) -> bool:
    """Whether the visitor asked to take this whole photo for one face."""
    return photo in st.session_state.get("whole_photos", set())


def take_whole(photo: str, whole: bool = True) -> None:
    photos = st.session_state.setdefault("whole_photos", set())
    photos.add(photo) if whole else photos.discard(photo)


def stop_reading(stop: bool = True) -> None:
    """Ask for the reading of many photos to end where it is."""
    st.session_state["stop_reading"] = stop


def stopped_reading() -> bool:
    return st.session_state.get("stop_reading", False)


def results() -> OrderedDict:
    """This session's read photos, in memory only; the oldest leave first."""
    kept = st.session_state.setdefault("photo_results", OrderedDict())
    while len(kept) > KEPT_RESULTS:
        kept.popitem(last=False)
    return kept
