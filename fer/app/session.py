"""Session state shared by one visitor's pages; each page's own state is in its state.py.

No other module uses `st.session_state`, which has string keys and no types.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from fer.app.model_choice import Model, default_model

Key = TypeVar("Key")
Value = TypeVar("Value")


class Slot(Generic[Value]):
    """One value of this visitor's session, in memory only.

    key: not a widget's. Streamlit drops a widget's value when the visitor opens another page, unless the widget has
    `persist_state="session"`.
    initial: creates a new visitor's value.
    """

    def __init__(self, key: str, initial: Callable[[], Value]) -> None:
        self.key, self._initial = key, initial

    def get(self) -> Value:
        """The value itself, not a copy, so that changes to a set or dictionary persist."""
        value: Value = st.session_state.setdefault(self.key, self._initial())
        return value

    def set(self, value: Value) -> None:
        st.session_state[self.key] = value

    def take(self) -> Value:
        """The value; resets it to the initial one."""
        value = self.get()
        del st.session_state[self.key]
        return value


class RecentSlot(Slot[OrderedDict[Key, Value]], Generic[Key, Value]):
    """Values with the most recently added or moved last, at most `most`."""

    def __init__(self, key: str, most: int) -> None:
        super().__init__(key, OrderedDict)
        self._most = most

    def get(self) -> OrderedDict[Key, Value]:
        values = super().get()
        while len(values) > self._most:
            values.popitem(last=False)
        return values


@dataclass
class Upload:
    """A visitor's file. faces: their number, once the file was read."""

    file: UploadedFile
    faces: int | None = None


@dataclass
class PageData:
    """A visitor's uploads on one page, kept across pages.

    uploads: by digest, oldest first. uploader: a new number is a new, empty file uploader. crowded_out: the names of
    uploads that the last one took the room of.
    """

    uploads: dict[str, Upload] = field(default_factory=dict)
    uploader: int = 0
    crowded_out: tuple[str, ...] = ()


_model: Slot[Model | None] = Slot("chosen_model", lambda: None)
detector: Slot[str] = Slot("chosen_detector", lambda: "auto")
# A sentence for the top of the page, from a failed callback.
message: Slot[str] = Slot("message", str)
# Set in a fragment's callback if the whole page must rerun to show the change.
page_rerun: Slot[bool] = Slot("page_rerun", bool)
# The visitor's classes for folders and labels, as in --classes, by the data's path or digest.
data_classes: Slot[dict[str, str]] = Slot("data_classes", dict)
held_uploads: Slot[dict[str, UploadedFile]] = Slot("held_uploads", dict)  # by their use: see setup.replace_upload
page_data: Slot[dict[str, PageData]] = Slot("page_data", dict)  # uploaded data sets, by the page's key


def model() -> Model:
    """The current model; the default one if the chosen one was deleted meanwhile."""
    chosen = _model.get()
    return chosen if chosen is not None and chosen.exists else default_model()


def choose_model(chosen: Model) -> None:
    _model.set(chosen)


def widget(key: str, kind: type[Value]) -> Value | None:
    """A keyed widget's current value, for its on_change; None if it is empty or of another type."""
    value = st.session_state.get(key)
    return value if isinstance(value, kind) else None


def set_widget(key: str, value: object) -> None:
    """Set a keyed widget's value; only before it is on the page."""
    st.session_state[key] = value


def dark() -> bool:
    """Whether the visitor's page is dark."""
    return st.context.theme.type == "dark"


def phone() -> bool:
    """Whether the visitor's browser is a phone's, which cannot drop or paste files."""
    return "Mobi" in st.context.headers.get("User-Agent", "")
