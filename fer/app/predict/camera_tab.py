"""Predict's second view: a single picture from the camera, which works in every browser with one."""

from __future__ import annotations

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from fer.app import session
from fer.app.markdown import plain
from fer.app.predict import photo_reading, photos_tab, state
from fer.app.predict.photo_reading import Photo
from fer.app.server import setup

SNAPSHOT = "snapshot"


def show() -> None:
    """Take a picture, which is read like an uploaded one. If a live stream did not start, shows why."""
    if reason := state.live_error.get():
        st.warning(plain(reason), icon=":material/videocam_off:")
        st.button("Try live again", on_click=_again, icon=":material/videocam:", key="live_again")
    key = f"snapshot_{state.inputs.get()}"
    st.camera_input(
        "Take a picture", key=key, label_visibility="collapsed", width=640, on_change=take_snapshot, args=(key,)
    )
    photo = state.snapshot()
    if photo is None:
        st.caption(
            "Allow the camera when your browser asks. This server reads the picture in memory and forgets it when you "
            "close the page. No camera? Choose a photo instead."
        )
        return
    st.button("Remove the snapshot", on_click=remove_snapshot, icon=":material/close:", type="tertiary")
    queue = st.empty()
    with queue:
        reading = photo_reading.read_photo(photo)
    if answer := photos_tab.show_answer(reading):
        photos_tab.follow_up(answer)


def take_snapshot(key: str) -> None:
    """The camera's callback: its picture stays until it is replaced or removed."""
    picture = session.widget(key, UploadedFile)
    if picture is None:
        remove_snapshot()
    else:
        setup.replace_upload(SNAPSHOT, picture)
        state.set_snapshot(Photo("snapshot.jpg", picture.getvalue()))


def remove_snapshot() -> None:
    setup.replace_upload(SNAPSHOT, None)
    state.remove_snapshot()


def _again() -> None:
    state.live_error.set("")
    state.open_view("live")
