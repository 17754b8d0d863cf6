"""What every page has around it: page settings, sidebar, and one place where errors end."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import streamlit as st
from streamlit.runtime.scriptrunner import StopException
from streamlit.runtime.scriptrunner_utils.exceptions import RerunException

from fer.app import resources, state
from fer.errors import FerError

PAGES = (
    ("streamlit_app.py", "Home", ":material/home:"),
    ("pages/predict.py", "Predict", ":material/add_reaction:"),
    ("pages/explain.py", "Explain", ":material/travel_explore:"),
    ("pages/training.py", "Training", ":material/model_training:"),
    ("pages/evaluate.py", "Evaluate", ":material/query_stats:"),
)
DETECTORS = {
    "auto": "Automatic",
    "yunet": "YuNet (neural network)",
    "hog": "HOG (dlib)",
    "haar": "Haar cascade",
}


def open_page(title: str) -> None:
    """Each page's first line: the browser's title, then the sidebar."""
    st.set_page_config(page_title=f"{title} · FER Studio", page_icon=":material/add_reaction:", layout="wide")
    with st.sidebar:
        st.markdown("### :material/add_reaction: FER Studio")
        for path, label, icon in PAGES:
            st.page_link(path, label=label, icon=icon)
        st.divider()
        _model_picker()
        _detector_picker()


@contextmanager
def guarded() -> Iterator[None]:
    """Errors with a message are shown as it stands; all others are logged and end in a plain sentence."""
    try:
        yield
    except FerError as error:
        st.error(plain(error.message), icon=":material/error:")
    except (StopException, RerunException):
        raise
    except Exception:
        logging.getLogger(__name__).exception("A page failed")
        st.error("Something went wrong on our side, and the details are in the server's log. Your other inputs are "
                 "still here: reload the page, or try another photo.", icon=":material/error:")


def plain(text: str) -> str:
    """A stranger's text, such as a file name, for places that read Markdown: shown letter by letter."""
    return "".join(f"\\{letter}" if letter in "\\`*_{}[]()#+-.!|<>~$:^&=" else letter
                   for letter in text.replace("\n", " "))


def _model_picker() -> None:
    names = resources.models()
    if not names:
        st.warning("No weights were found in weights/. Train a model first.")
        return
    chosen = state.model() if state.model() in names else names[0]
    st.selectbox("Model", names, names.index(chosen), format_func=model_label, key="model_widget",
                 on_change=lambda: state.choose_model(st.session_state["model_widget"]))
    try:
        st.caption(accuracy_line(chosen))
    except FerError as error:
        st.caption(plain(error.message))


def _detector_picker() -> None:
    names = list(DETECTORS)
    st.selectbox("Face detector", names, names.index(state.detector()), format_func=DETECTORS.get,
                 key="detector_widget",
                 on_change=lambda: state.choose_detector(st.session_state["detector_widget"]),
                 help="Automatic takes YuNet where its file is at hand or can be fetched, else HOG, which needs no "
                      "network.")
    if state.detector() == "auto":
        name = resources.detector("auto").name
        st.caption("Using YuNet." if name == "yunet" else
                   "Using HOG: YuNet's file is not here yet and could not be fetched. HOG finds frontal faces.")


def model_label(name: str) -> str:
    return f"run {Path(name).name}" if "/" in name else name.replace("_", "-")


def accuracy_line(name: str) -> str:
    """One honest line from the card: accuracy, where it was measured, when."""
    card = resources.card(name)
    accuracy, split = card.metrics.get("accuracy"), card.metrics.get("split", "PublicTest")
    if not isinstance(accuracy, (int, float)):
        return f"No accuracy on its card. {card.date}"
    where = f"FER2013's {split}" if "/" not in name or "fer2013" in card.data.lower() else \
        f"the validation pictures of {plain(card.data)}"
    return f"{100 * accuracy:.1f} % right on {where} · {card.date}"
