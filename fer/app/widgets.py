"""Pieces that several pages show."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, lru_cache
from typing import TYPE_CHECKING

import cv2
import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from fer.app.markdown import plain
from fer.expressions import NAMES
from fer.inference.stability import VIEWS, stability_words
from fer.records import Prediction, set_words
from fer.wording import percent

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from fer.models.card import Card

STEP_WIDTH = 100  # pixels: four stand side by side on a desktop, two by two on a phone
SIDE_BY_SIDE = 4  # fields of a form
MAX_CHARTS = 256  # more than the faces on a page of many photos: a click builds none of them anew


def main_label(words: str) -> str:
    """The label of a page's main button, in the accent color.

    Streamlit's filled button has white words, whose contrast is 2.3 on the accent that the dark page needs.
    """
    return f":primary[**{words}**]"


def filled_label(words: str, icon: str) -> str:
    """The label of a filled button (`type="primary"`), in ink that can be read on the accent, light or dark.

    That ink is what .streamlit/config.toml calls violet. For a button that is disabled, plain words.
    """
    return f":violet[{icon} **{words}**]"


def form_places(count: int) -> list[DeltaGenerator]:
    """A place for each field of a form: SIDE_BY_SIDE in a row, or each as wide as a phone."""
    rows = range(0, count, SIDE_BY_SIDE)
    return [place for _ in rows for place in st.columns(SIDE_BY_SIDE)][:count]


def verdict(face: Prediction, card: Card) -> None:
    """In words what one face says; "not sure" is an answer like any other, and comes with the set."""
    if face.sure:
        st.markdown(f"## {face.answer.capitalize()}, {percent(face.confidence)}")
        return
    st.markdown(f"## {face.answer.capitalize()}")
    if not face.quality.ok:
        st.markdown(
            f"This face is hard to read: {'; '.join(face.quality.reasons)}.",
            help=" ".join(face.quality.measurements) or None,
        )
        return
    too_low = f"Below {percent(card.threshold)} this model is too often wrong to name one."
    if face.prediction_set and card.prediction_sets:
        st.markdown(
            f"**{set_words(face.prediction_set).capitalize()}.** {too_low}",
            help=f"The best guess is {face.expression}, {percent(face.confidence)}. A set like this holds the true "
            f"expression of {percent(card.prediction_sets.level)} of faces like FER2013's; other photos may get less.",
        )
    else:
        st.markdown(f"The best guess is **{face.expression}**, {percent(face.confidence)}. {too_low}")


def probability_chart(face: Prediction, key: str) -> None:
    # Its libraries take most of a second to load: the picture and the words above are shown meanwhile.
    from fer.visualization import figures

    words = ", ".join(f"{name} {percent(p)}" for name, p in zip(NAMES, face.probabilities, strict=True))
    st.plotly_chart(
        _bars(face.probabilities), width="stretch", config=figures.CONFIG, key=key, alt=f"Probabilities: {words}"
    )


@lru_cache(maxsize=MAX_CHARTS)
def _bars(probabilities: tuple[float, ...]) -> go.Figure:
    """Shared by all pages: shown, never changed."""
    from fer.visualization import figures

    return figures.probability_bars(probabilities)


def stability_note(share: float, expression: str) -> None:
    """How many slightly shifted crops of the same face lead to the same expression, 0..1 of them."""
    st.caption(
        stability_words(share),
        help=f"The same face cropped a little higher, lower, larger, smaller, turned by up to 6 degrees, and mirrored: "
        f"in how many crops “{expression}” leads. A best guess that changes with the crop is not to be trusted.",
    )


def stability_to_come() -> None:
    """In the meter's place while it is being measured: as high, so that nothing below it moves."""
    st.caption(f"Reading {VIEWS} slightly shifted crops of this face.")


def steps_strip(pictures: dict[str, bytes]) -> None:
    """How the face got to the network: found, aligned, gray, standardized."""
    with st.container(horizontal=True, gap="small"):
        for caption, picture in pictures.items():
            st.image(picture, caption=caption, width=STEP_WIDTH, alt=f"The face, step: {caption}")


def steps_to_come(names: Sequence[str]) -> None:
    """In the strip's place while it is being made: as large on any screen, so that nothing below it moves."""
    with st.container(horizontal=True, gap="small"):
        for caption in names:
            st.image(_blank(), caption=caption, width=STEP_WIDTH, alt=f"The face, step: {caption}, to come")


@cache
def _blank() -> bytes:
    """A faint gray square, a PNG that lets light and dark pages through."""
    return cv2.imencode(".png", np.full((STEP_WIDTH, STEP_WIDTH, 4), (128, 128, 128, 40), np.uint8))[1].tobytes()


def photo_name(name: str) -> None:
    st.markdown(f"**{plain(name)}**")
