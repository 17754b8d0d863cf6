"""Predict: photos, a snapshot, a live camera or a video in, expressions out."""

from __future__ import annotations

import streamlit as st

from fer.app import layout, session
from fer.app.predict import photos_tab
from fer.app.predict.browser import state

detector_line = layout.open_page("Predict")
st.title("Predict")
st.markdown("What do these faces express, and how sure is that? What you show stays in memory and is never stored.")
layout.tell_hosted()

session.settle_predict_view()
photos, camera, live, video = st.tabs(list(session.PREDICT_VIEWS.values()), key=session.PREDICT_TABS, on_change="rerun")

with photos, layout.guarded():
    photos_tab.show()  # always: an uploader that is not drawn forgets its files
with camera, layout.guarded():
    if camera.open:
        from fer.app.predict import camera_tab

        camera_tab.show()
# What live streams and videos need takes a second to load: nobody waits for it before a photo.
with live, layout.guarded():
    if live.open or session.live() or state.is_recording():
        from fer.app.predict import live_tab

        live_tab.show(bool(live.open))
with video, layout.guarded():
    if video.open or session.video_job():
        from fer.app.predict import video_tab

        video_tab.show()
layout.close_page(detector_line)
