"""Predict's second view: one picture from the camera, which works wherever a browser has one."""

from __future__ import annotations

import streamlit as st

from fer.app.explain import state as explain_state
from fer.app.markdown import plain
from fer.app.predict import photo_reading, photos_tab, state


def show() -> None:
    """Take a picture; it is read like an uploaded one. After a live stream that did not start: why."""
    if reason := state.live_error.get():
        st.warning(plain(reason), icon=":material/videocam_off:")
        st.button("Try live again", on_click=_again, icon=":material/videocam:", key="live_again")
    picture = st.camera_input(
        "Take a picture",
        key="snapshot",
        label_visibility="collapsed",
        width=640,
        on_change=explain_state.forget_face,
    )
    if picture is None:
        st.caption(
            "Your browser asks whether it may use the camera. The picture is read on this server, stays in "
            "memory, and is gone when you leave. No camera? Upload a photo instead."
        )
        return
    queue = st.empty()
    with queue:
        reading = photo_reading.read_photo(photo_reading.Photo("snapshot.jpg", picture.getvalue()))
    if answer := photos_tab.show_answer(reading):
        photos_tab.follow_up(answer)


def _again() -> None:
    state.live_error.set("")
    state.open_view("live")
