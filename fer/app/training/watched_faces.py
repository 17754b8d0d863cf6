"""The watched faces: sixteen validation faces, the truth, and what the model predicted after each epoch."""

from __future__ import annotations

import cv2
import numpy as np
import streamlit as st

from fer.app import session
from fer.app.training import state
from fer.expressions import NAMES
from fer.training import watched_faces
from fer.training.run_directory import RunDirectory
from fer.wording import count_of, percent

TILE = 106  # pixels; three fit side by side on a phone


def show_wall(run: RunDirectory, validation_faces: int) -> None:
    """The faces below a slider for the epoch, which follows the newest until it is moved. validation_faces: how many
    there are in all.
    """
    if not watched_faces.allowed(run):
        st.caption("No watched faces: on this shared demo everyone sees all runs, and this one uses uploaded pictures.")
        return
    wall = watched_faces.read(run)
    if wall is None:
        return
    st.markdown(
        "**Watched faces**",
        help="Sixteen faces that the model does not train on, and what it predicts for them after each epoch.",
    )
    epochs = sorted(wall.beliefs)
    shown = _slider(run.id, epochs)
    beliefs = wall.beliefs[shown]
    right = sum(int(shares.argmax() == label) for shares, label in zip(beliefs, wall.labels, strict=True))
    watched = len(wall.labels)
    of_all = f" These are {watched} of the {count_of(validation_faces, 'validation face')} that the accuracy counts."
    st.caption(f"After epoch {shown}: {right} of {watched} right." + (of_all if watched < validation_faces else ""))
    with st.container(horizontal=True, gap="small"):
        for pixels, label, shares in zip(wall.pixels, wall.labels, beliefs, strict=True):
            _tile(pixels, NAMES[label], NAMES[int(shares.argmax())], float(shares.max()))


def _slider(run_id: str, epochs: list[int]) -> int:
    """The epoch to show. The key contains the newest epoch, so that an untouched slider follows the run."""
    if len(epochs) == 1:
        return epochs[0]
    set_to = state.watched_epoch(run_id)
    value = set_to if set_to in epochs else epochs[-1]
    key = f"wall_{run_id}_{epochs[-1]}"
    return st.select_slider("Epoch", epochs, value, key=key, on_change=_remember, args=(run_id, key, epochs[-1]))


def _remember(run_id: str, key: str, newest: int) -> None:
    chosen = session.widget(key, int)
    state.watch_epoch(run_id, None if chosen == newest else chosen)


def _tile(pixels: np.ndarray, truth: str, belief: str, share: float) -> None:
    right = truth == belief
    with st.container(width=TILE, gap=None):
        st.image(
            cv2.resize(pixels, (2 * TILE, 2 * TILE), interpolation=cv2.INTER_CUBIC),
            width=TILE,
            alt=f"A face labeled {truth}; predicted {belief}, {percent(share)}",
        )
        mark = ":green[:material/check:]" if right else ":red[:material/close:]"
        lines = [f":small[{mark} {belief}]", f":small[:gray[{percent(share)}]]"]
        st.markdown("  \n".join(lines if right else [*lines, f":small[actually {truth}]"]))
