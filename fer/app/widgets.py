"""Pieces that several pages show."""

from __future__ import annotations

import numpy as np
import streamlit as st

from fer.app.shell import plain
from fer.display import figures
from fer.inference.stability import VIEWS
from fer.records import Prediction

STEP_WIDTH = 100  # pixels: four stand side by side on a desktop, two by two on a phone


def main_label(words: str) -> str:
    """The label of a page's main button, in the accent colour.

    Streamlit's filled button has white words, whose contrast is 2.3 on the accent that the dark page needs.
    """
    return f":primary[**{words}**]"


def percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def verdict(face: Prediction, threshold: float) -> None:
    """In words what one face says; "not sure" is an answer like any other."""
    first, second = face.ranking[:2]
    by_name = dict(zip(figures.NAMES, face.probabilities, strict=True))
    if face.sure:
        st.markdown(f"## {first.capitalize()}, {percent(by_name[first])}")
        return
    st.markdown("## Not sure")
    if not face.quality.ok:
        st.markdown(f"This face is hard to read: {'; '.join(face.quality.reasons)}.")
    else:
        st.markdown(f"**{first}** {percent(by_name[first])} or **{second}** {percent(by_name[second])}. Below "
                    f"{percent(threshold)} this model is too often wrong to name one.")


def probability_chart(face: Prediction, key: str) -> None:
    words = ", ".join(f"{name} {percent(p)}" for name, p in zip(figures.NAMES, face.probabilities, strict=True))
    st.plotly_chart(figures.probability_bars(face.probabilities), width="stretch", config=figures.CONFIG, key=key,
                    alt=f"Probabilities: {words}")


def stability_meter(share: float, expression: str) -> None:
    """How many slightly different cuts of the same face keep the label."""
    word = "Steady" if share >= 0.9 else "Depends a little on the cut" if share >= 0.6 else "Depends on the cut"
    st.caption(f"{word}: {percent(share)} of {VIEWS} views keep “{expression}”.",
               help="The same face cut a little higher, lower, larger, smaller, turned by up to 6 degrees, and "
                    "mirrored. A label that changes with the cut is not to be trusted.")


def steps_strip(pictures: dict[str, np.ndarray]) -> None:
    """How the face got to the network: found, aligned, grey, standardised."""
    with st.container(horizontal=True, gap="small"):
        for caption, picture in pictures.items():
            st.image(picture, caption=caption, width=STEP_WIDTH, alt=f"The face, step: {caption}")


def photo_name(name: str) -> None:
    st.markdown(f"**{plain(name)}**")
