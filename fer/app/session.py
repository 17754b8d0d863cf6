"""What the pages of one visitor share. What belongs to a single page is in that page's own state.py.

No other module touches `st.session_state`: it keeps values under strings and knows no types.
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

    key: no widget's. Streamlit forgets what a widget holds when the visitor goes to another page, unless it is drawn
    with `persist_state="session"`.
    initial: makes the value of a visitor who has none yet.
    """

    def __init__(self, key: str, initial: Callable[[], Value]) -> None:
        self.key, self._initial = key, initial

    def get(self) -> Value:
        """The value itself: what is added to a set or a dictionary stays in it."""
        value: Value = st.session_state.setdefault(self.key, self._initial())
        return value

    def set(self, value: Value) -> None:
        st.session_state[self.key] = value

    def take(self) -> Value:
        """The value, which is the initial one again afterwards."""
        value = self.get()
        del st.session_state[self.key]
        return value


class RecentSlot(Slot[OrderedDict[Key, Value]], Generic[Key, Value]):
    """The values that were added or moved to the end last, `most` at most."""

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
    """A file that a visitor gave. faces: how many it holds, once it has been read."""

    file: UploadedFile
    faces: int | None = None


@dataclass
class PageData:
    """What a visitor uploaded on one page, which outlives a change of pages.

    uploads: by digest, the oldest first. uploader: another number is another, empty file uploader.
    """

    uploads: dict[str, Upload] = field(default_factory=dict)
    uploader: int = 0


_model: Slot[Model | None] = Slot("chosen_model", lambda: None)
detector: Slot[str] = Slot("chosen_detector", lambda: "auto")
# A sentence for the top of the page, from a callback that could not do its work.
message: Slot[str] = Slot("message", str)
# From a fragment's callback: what changed is shown outside the fragment, so the whole page has to run.
page_rerun: Slot[bool] = Slot("page_rerun", bool)
# What folders and labels of this visitor's data show, as --classes takes it, by the data's path or digest.
data_classes: Slot[dict[str, str]] = Slot("data_classes", dict)
page_data: Slot[dict[str, PageData]] = Slot("page_data", dict)  # uploaded data sets, by the page's key


def model() -> Model:
    """The model in use. Another one than was chosen where that was deleted meanwhile."""
    chosen = _model.get()
    return chosen if chosen is not None and chosen.exists else default_model()


def choose_model(chosen: Model) -> None:
    _model.set(chosen)


def widget(key: str, kind: type[Value]) -> Value | None:
    """What a keyed widget holds now, for its on_change; None where it holds nothing, or nothing of that kind."""
    value = st.session_state.get(key)
    return value if isinstance(value, kind) else None


def set_widget(key: str, value: object) -> None:
    """What a keyed widget shows; only before it is on the page."""
    st.session_state[key] = value


def dark() -> bool:
    """Whether the visitor's page is dark."""
    return st.context.theme.type == "dark"


def phone() -> bool:
    """Whether the visitor's browser says that it is a phone's, where nothing can be dropped or pasted."""
    return "Mobi" in st.context.headers.get("User-Agent", "")
