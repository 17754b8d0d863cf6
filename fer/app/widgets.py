"""Pieces that several pages show."""

from __future__ import annotations

import numpy as np
import streamlit as st

from fer.app.shell import plain
from fer.display import figures
from fer.records import Prediction

STEP_WIDTH = 100  # pixels: four stand side by side on a desktop, two by two on a phone


def percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def verdict(face: Prediction, threshold: float) -> None:
    """In words what one face says; "not sure" is an answer like any other."""
    first, second = face.ranking[:2]
    by_name = dict(zip(figures.NAMES, face.probabilities, strict=True))
    if face.sure:
        st.markdown(f"#### {first.capitalize()}, {percent(by_name[first])}")
        return
    st.markdown("#### Not sure")
    if not face.quality.ok:
        st.markdown(f"This face is hard to read: {'; '.join(face.quality.reasons)}.")
    else:
        st.markdown(f"**{first}** {percent(by_name[first])} or **{second}** {percent(by_name[second])}. Below "
                    f"{percent(threshold)} this model is too often wrong to name one.")


def probability_chart(face: Prediction, key: str) -> None:
    words = ", ".join(f"{name} {percent(p)}" for name, p in zip(figures.NAMES, face.probabilities, strict=True))
    st.plotly_chart(figures.probability_bars(face.probabilities), width="stretch", config=figures.CONFIG, key=key,
                    alt=f"Probabilities: {words}")


def steps_strip(pictures: dict[str, np.ndarray]) -> None:
    """How the face got to the network: found, aligned, grey, standardised."""
    with st.container(horizontal=True, gap="small"):
        for caption, picture in pictures.items():
            st.image(picture, caption=caption, width=STEP_WIDTH, alt=f"The face, step: {caption}")


def photo_name(name: str) -> None:
    st.markdown(f"**{plain(name)}**")
