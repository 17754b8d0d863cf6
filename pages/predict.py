"""Predict: photos, a snapshot, a live camera or a film in, expressions out."""

from __future__ import annotations

import streamlit as st

from fer.app import predict_photos, shell, state

detector_line = shell.open_page("Predict")
st.title("Predict")
st.markdown("What do these faces express, and how sure is that? What you show stays in memory and is never stored.")
shell.tell_hosted()

state.settle_predict_view()
photos_tab, camera_tab, live_tab, video_tab = st.tabs(
    list(state.PREDICT_VIEWS.values()), key=state.PREDICT_TABS, on_change="rerun")

with photos_tab, shell.guarded():
    predict_photos.show()  # always: an uploader that is not drawn forgets its files
with camera_tab, shell.guarded():
    if camera_tab.open:
        from fer.app import predict_camera

        predict_camera.show()
# What live streams and films need takes a second to load: nobody waits for it before a photo.
with live_tab, shell.guarded():
    if live_tab.open or state.live():
        from fer.app import predict_live

        predict_live.show(live_tab.open)
with video_tab, shell.guarded():
    if video_tab.open or state.film_job():
        from fer.app import predict_video

        predict_video.show()
shell.close_page(detector_line)
