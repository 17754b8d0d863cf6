"""The frame of every page: page settings and the sidebar."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from fer.app import resources, scheme, session
from fer.app.markdown import plain
from fer.app.model_choice import Model, ShippedModel, available_models, default_model, from_drawings, labels_of
from fer.app.predict import state as predict_state
from fer.app.server import setup
from fer.app.server.memory import collect_every_minute
from fer.app.server.retention import remove_expired_if_due
from fer.data.read import SYNTHETIC
from fer.errors import FerError
from fer.limits import hosted
from fer.models.card import DRAWINGS
from fer.vision.registry import DETECTOR_SPECS
from fer.wording import percent

PAGES = (
    ("streamlit_app.py", "Home", ":material/home:"),
    ("pages/predict.py", "Predict", ":material/add_reaction:"),
    ("pages/explain.py", "Explain", ":material/travel_explore:"),
    ("pages/training.py", "Training", ":material/model_training:"),
    ("pages/evaluate.py", "Evaluate", ":material/query_stats:"),
)
HOSTED_NOTICE = (
    "This is a shared demo. It reads your photos and videos in memory, never stores or logs them, and forgets them "
    "when you leave. Live can run in your browser. Only training data is kept, for a day. Show only people who agree."
)
LIMITS_AND_LAW = """
**What it cannot tell.** What a person feels: people smile without joy and frown to think, and the same feeling shows
differently in different people and places (Barrett et al. 2019). The models learned from photos found on the web,
mostly of adults who face the camera, with labels that people often disagree about. Nobody counted age or skin tone in
them, so we cannot say for whom they work worse.

**What the law says.** In the European Union the Artificial Intelligence Act (Regulation 2024/1689) forbids AI that
infers people's emotions at work and in places of education, except for medical or safety reasons: Article 5(1)(f),
which has applied since 2 February 2025. Elsewhere such systems are high-risk (Annex III, point 1(c)), and whoever uses
one must tell the people it looks at (Article 50(3)). This is no legal advice.

**What this app does about it.** It names expressions, not feelings, and never who someone is. Pictures are read in
memory and not stored. It says “not sure” rather than guess, and gives no label to a face that is blurred, dark, small
or turned away. Do not use it to judge, select or watch people.
"""
DETECTORS = {"auto": "Automatic", **{name: kind.label for name, kind in DETECTOR_SPECS.items() if kind.label}}


def open_page(title: str) -> DeltaGenerator:
    """Call first on each page: sets the title, the sidebar and, on the demo, the privacy notice. Returns the place for
    `close_page`.
    """
    # An emoji, since for an icon of Streamlit's font the browser would contact fonts.gstatic.com.
    st.set_page_config(page_title=f"{title} · FER Studio", page_icon="🙂", layout="wide")
    setup.prepare()
    remove_expired_if_due()
    collect_every_minute(remove_expired_if_due)
    if title != "Predict":
        predict_state.end_live()  # the view has left the page, so its recording ends
        predict_state.end_browser_recording()
    with st.sidebar:
        st.markdown("### :material/add_reaction: FER Studio")
        for path, label, icon in PAGES:
            st.page_link(path, label=label, icon=icon)
        st.divider()
        _model_picker()
        detector_line = _detector_picker()
        scheme.follow()
    if hosted():  # on the page, since the sidebar is closed on a phone
        st.caption(f":material/visibility: {HOSTED_NOTICE}")
    if title not in ("Training", "Evaluate"):  # Training reads nothing with it; on Evaluate it depends on the data
        match_banner(on_drawings=False)
    return detector_line


def close_page(detector_line: DeltaGenerator) -> None:
    """Call last on each page: names the detector that `auto` uses, which may have to be loaded first."""
    if session.detector.get() == "auto":
        name = resources.detector("auto").name
        detector_line.caption(
            "Using YuNet."
            if name == "yunet"
            else "Using HOG, which finds frontal faces and cannot tell turned ones: YuNet is not downloaded yet."
        )


@contextmanager
def loading(what: str) -> Iterator[None]:
    """Show what is loading during a slow import; nothing if it is fast."""
    with st.spinner(f"Loading {what}"):
        yield


def _model_picker() -> None:
    models = {model.spec: model for model in available_models()}
    if not models:
        st.warning("No model found. Train one first.")
        return
    labels, chosen = labels_of(models.values()), models.get(session.model().spec, next(iter(models.values())))
    specs = list(models)
    st.selectbox(
        "Model",
        specs,
        _index("model_widget", specs, chosen.spec),
        format_func=labels.__getitem__,
        key="model_widget",
        on_change=lambda: session.choose_model(models[session.widget("model_widget", str) or chosen.spec]),
    )
    try:
        st.caption(accuracy_line(chosen))
    except FerError as error:
        st.caption(plain(error.message))


def match_banner(on_drawings: bool) -> None:
    """Say whether the model fits what it reads: synthetic faces, or photos, with a button to a model for those."""
    model = session.model()
    if not from_drawings(model):
        if on_drawings and resources.card(model).data != SYNTHETIC:
            st.warning(
                f"**{plain(model.label)}** learned from photos. On drawings its answers mean little.",
                icon=":material/draw:",
            )
        return
    if on_drawings:
        about = "learned from synthetic faces like these. Its results here say nothing about photos."
        st.info(f"**{plain(model.label)}** {about}", icon=":material/draw:")
        return
    photos = default_model()
    with st.container(horizontal=True, vertical_alignment="center"):
        st.warning(
            f"**{plain(model.label)}** {DRAWINGS}. Its answers here mean little.",
            icon=":material/draw:",
            width="stretch",
        )
        if photos.exists:
            st.button(
                f"Use {photos.label} instead", on_click=session.choose_model, args=(photos,), key="leave_drawings"
            )


def _index(key: str, options: list[str], chosen: str) -> int:
    """The index to give to a select box, which is new on each page, so that it shows what is chosen.

    If it shows another option (chosen by a button or an address, or its run is gone), sets its value instead: Streamlit
    warns of both.
    """
    if session.widget(key, str) in (None, chosen):
        return options.index(chosen)
    session.set_widget(key, chosen)
    return 0


def _detector_picker() -> DeltaGenerator:
    names = list(DETECTORS)
    st.selectbox(
        "Face detector",
        names,
        _index("detector_widget", names, session.detector.get()),
        format_func=lambda name: DETECTORS[name],
        key="detector_widget",
        on_change=lambda: session.detector.set(session.widget("detector_widget", str) or "auto"),
        help="Automatic uses YuNet if it is installed or can be downloaded; otherwise HOG, which works offline.",
    )
    return st.empty()


def accuracy_line(model: Model) -> str:
    """The card's accuracy in one line, with the pictures it was measured on."""
    card = resources.card(model)
    if card.from_drawings:
        return DRAWINGS.capitalize()
    accuracy = card.metrics.get("accuracy")
    if not isinstance(accuracy, (int, float)):
        return "No accuracy on its card"
    own = not isinstance(model, ShippedModel) and "fer2013" not in card.data.lower()
    return f"{percent(accuracy, 1)} accuracy on {plain(card.data) if own else 'FER2013'}"
