"""What a visitor's session remembers. The only place where session keys are written as text."""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path

import streamlit as st

from fer.models.checkpoints import shipped_names

DEFAULT_MODEL = "mini_xception"
KEPT_RESULTS = 60


def model() -> str:
    """The chosen model, a name that resources.models() lists. Kept under a key that no widget owns."""
    chosen = st.session_state.get("chosen_model", "")
    if chosen in shipped_names() or (chosen and (Path(chosen) / "best.safetensors").is_file()):
        return chosen  # a run may have been deleted meanwhile
    return next((name for name in (DEFAULT_MODEL, *shipped_names()) if name in shipped_names()), "")


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


def training_view() -> str:
    """What the Training page shows: `run`, `new` or `compare`; empty until the visitor chose."""
    return st.session_state.get("training_view", "")


def show_training(view: str) -> None:
    st.session_state["training_view"] = view


def watched_epoch(run_id: str) -> int | None:
    """The epoch that the watch wall was set to; None follows the newest."""
    return st.session_state.get("watched_epochs", {}).get(run_id)


def watch_epoch(run_id: str, epoch: int | None) -> None:
    st.session_state.setdefault("watched_epochs", {})[run_id] = epoch


def widget(key: str) -> object:
    """What a keyed widget holds now, for its on_change."""
    return st.session_state.get(key)


def remedy() -> str:
    """The chosen remedy for imbalance, for the form: none, sampling or weights."""
    return st.session_state.get("chosen_remedy", "none")


def choose_remedy(name: str) -> None:
    st.session_state["chosen_remedy"] = name


def tell(message: str) -> None:
    """A sentence for the next drawing of the page, from a callback that could not do its work."""
    st.session_state["told"] = message


def told() -> str:
    return st.session_state.pop("told", "")
