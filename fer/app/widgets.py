"""Elements shared by several pages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from fer.app import session
from fer.app.markdown import plain
from fer.expressions import NAMES
from fer.inference.stability import VIEWS, stability_words
from fer.records import Prediction, set_words
from fer.wording import percent, percents_apart

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from fer.models.card import Card

STEP_WIDTH = 100  # pixels; four fit side by side on a desktop, two by two on a phone
CHART_HEIGHT = 250  # height of the seven bars in pixels
SIDE_BY_SIDE = 4  # fields of a form per row
STABILITY_HELP = (
    "Each copy is shifted, scaled and turned a little, up to 6 degrees; half of them are mirrored. Do not trust a best "
    "guess that such small changes alter."
)
MAX_CHARTS = 256  # more than the faces on a page of many photos, so that a click rebuilds none


def main_label(words: str) -> str:
    """The label of a page's main button, in the accent color.

    Streamlit's filled button has white text, with a contrast of 2.3 on the dark page's accent color.
    """
    return f":primary[**{words}**]"


def page_link(path: str, label: str, icon: str) -> None:
    """A link to another page, in the accent color; Streamlit's own looks like plain text."""
    st.page_link(path, label=f":primary[{label}]", icon=icon)


def download(what: str, data: bytes | Callable[[], bytes | str], file: str, mime: str, key: str) -> None:
    """A button to download a file. data: the file, or a function that makes it on request."""
    label, icon = f"Download {what}", ":material/download:"
    st.download_button(label, data, file, mime, on_click="ignore", icon=icon, key=key)


def chart(figure: go.Figure, key: str, alt: str, on_click: Callable[[Sequence[Any]], None] | None = None) -> None:
    """A chart of full width. on_click: called with a clicked point's customdata before the page reruns.

    The key depends on the color scheme, since under the same key Streamlit keeps the text color when it changes.
    """
    from fer.visualization import figures

    key = f"{key}_{'dark' if session.dark() else 'light'}"
    if on_click is None:
        st.plotly_chart(figure, width="stretch", config=figures.CONFIG, key=key, alt=alt)
        return

    def take_click() -> None:
        points = (session.widget(key, dict) or {}).get("selection", {}).get("points")
        if points:
            on_click(points[0]["customdata"])

    st.plotly_chart(
        figure,
        width="stretch",
        config=figures.CONFIG,
        key=key,
        alt=alt,
        on_select=take_click,
        selection_mode="points",
    )


def filled_label(words: str, icon: str) -> str:
    """The label of a filled button (`type="primary"`), in a color readable on the accent, light or dark.

    .streamlit/config.toml defines that color as violet. A disabled button gets plain text.
    """
    return f":violet[{icon} **{words}**]"


def form_places(count: int) -> list[DeltaGenerator]:
    """Places for a form's fields: SIDE_BY_SIDE in a row, or full width on a phone."""
    rows = range(0, count, SIDE_BY_SIDE)
    return [place for _ in rows for place in st.columns(SIDE_BY_SIDE)][:count]


def verdict(face: Prediction, card: Card) -> None:
    """One face's answer in words; "not sure" is an answer too, and comes with the set.

    A model that is not meant for photos gets no headline.
    """
    answer = face.answer.capitalize() + (f", {percent(face.confidence)}" if face.sure else "")
    st.markdown(f"**{answer}** (learned from drawings)" if card.from_drawings else f"## {answer}")
    if face.sure:
        return
    if not face.quality.ok:
        st.markdown(
            f"This face is hard to read: {'; '.join(face.quality.reasons)}.",
            help=" ".join(face.quality.measurements) or None,
        )
        return
    confidence, threshold = percents_apart(face.confidence, card.threshold)
    too_low = (
        f"The best guess is {face.expression} at {confidence}. This model names an expression from {threshold} up."
    )
    if face.prediction_set and card.prediction_sets:
        st.markdown(
            f"**{set_words(face.prediction_set).capitalize()}.** {too_low}",
            help=f"Each expression has its own cutoff, chosen so that for {percent(card.prediction_sets.level)} of the "
            "faces like those in FER2013 the label is among those listed; their probabilities need not add up to that. "
            "On other photos the label may be missing more often.",
        )
    else:
        st.markdown(too_low)


def probability_chart(face: Prediction, key: str) -> None:
    # Its libraries take most of a second to load; the picture and the words above are shown meanwhile.
    words = ", ".join(f"{name} {percent(p)}" for name, p in zip(NAMES, face.probabilities, strict=True))
    chart(_bars(face.probabilities), key, f"Probabilities: {words}")


@lru_cache(maxsize=MAX_CHARTS)
def _bars(probabilities: tuple[float, ...]) -> go.Figure:
    """Shared by all pages; never change it."""
    from fer.visualization import figures

    return figures.probability_bars(probabilities, CHART_HEIGHT)


def stability_note(share: float, expression: str, card: Card) -> None:
    """Show whether the best guess survives small changes of the face, without praise for a model that is not meant for
    photos. share: of the copies that agree, 0..1.
    """
    st.caption(stability_words(share, expression, judged=not card.from_drawings), help=STABILITY_HELP)


def stability_to_come(expression: str) -> None:
    """A placeholder for the note while measuring: as many lines, so that nothing below moves."""
    st.caption(f"Reading: {expression} in … of {VIEWS} slightly changed copies.", help=STABILITY_HELP)


def steps_strip(pictures: dict[str, bytes]) -> None:
    """The steps from photo to network: detected, aligned, gray, standardized."""
    with st.container(horizontal=True, gap="small"):
        for caption, picture in pictures.items():
            st.image(picture, caption=caption, width=STEP_WIDTH, alt=f"The face, step: {caption}")


def steps_to_come(names: Sequence[str]) -> None:
    """A placeholder of the strip's size on any screen, so that nothing below moves."""
    with st.container(horizontal=True, gap="small"):
        for caption in names:
            st.image(_blank(), caption=caption, width=STEP_WIDTH, alt=f"The face, step: {caption}, to come")


@cache
def _blank() -> bytes:
    """A faint gray square as a translucent PNG, for light and dark pages."""
    return cv2.imencode(".png", np.full((STEP_WIDTH, STEP_WIDTH, 4), (128, 128, 128, 40), np.uint8))[1].tobytes()


def photo_name(name: str) -> None:
    st.markdown(f"**{plain(name)}**")
