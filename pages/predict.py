"""Predict: photos, a snapshot, a live camera or a video in, expressions out."""

from __future__ import annotations

import streamlit as st

from fer.app import errors, layout
from fer.app.predict import photos_tab, state
from fer.app.predict.browser import state as browser_state

detector_line = layout.open_page("Predict")
st.title("Predict")
st.markdown(
    "See which expression each face shows, and how sure the model is. Pictures stay in memory and are never stored."
)

with st.container():  # always created, so that the tabs, and a camera in them, keep their place
    errors.show_message()
state.apply_requested_view()
photos, camera, live, video = st.tabs(list(state.VIEWS.values()), key=state.TABS, on_change="rerun")
state.remember_view()

with photos, errors.guarded():
    photos_tab.show()
with camera, errors.guarded():
    if camera.open:
        from fer.app.predict import camera_tab

        camera_tab.show()
# What live streams and videos need takes a second to load: nobody waits for it before a photo.
with live, errors.guarded():
    if live.open or state.live.get() or browser_state.is_recording():
        from fer.app.predict import live_tab

        live_tab.show(bool(live.open))
with video, errors.guarded():
    if video.open or state.video_job.get():
        from fer.app.predict import video_tab

        video_tab.show()
layout.close_page(detector_line)
