"""Explain: for one face, what each of the seven scores rests on, and whether to believe the map."""

from __future__ import annotations

import streamlit as st

from fer.app import errors, layout
from fer.app.markdown import plain

detector_line = layout.open_page("Explain")
st.title("Explain")
st.markdown("Which parts of the face led to this answer, and can you trust the map that shows them?")

with errors.guarded():
    with layout.loading("PyTorch for the maps"):
        from fer.app.explain import address, face_choice, job, maps, measurements, what_if
        from fer.app.predict import photo_input, photo_reading
        from fer.explanation.job import key_of
        from fer.explanation.methods import METHODS
    errors.show_message()
    photo_input.show_left_out()
    not_reopened = address.open_address()
    if not_reopened:
        st.info(plain(not_reopened), icon=":material/history:")
    chosen = job.last_face()
    with st.container(horizontal=True):
        face_choice.back_to_photo(chosen)
        face_choice.back_to_evaluation(chosen)
        photo_input.listen(face_choice.explain_first)
    face_choice.choose_face()
    queue = st.empty()  # always there, so that what stands below keeps its place
    with queue:
        reading = photo_reading.read_photo(chosen.photo)
    if face_choice.has_face(reading):
        address.select_face(reading)
        number = face_choice.choose_number(reading)
        if not not_reopened:
            address.show_in_address(chosen, number)
        with queue:
            face_job = job.job_of(reading, number, chosen.truth)
            layer = maps.choose_layer(face_job)
            keys = [key_of(method, layer) for method in METHODS]
            cell = maps.chosen_cell(face_job, layer)
            job.run_while(face_job, keys, cell.map, "asked")
        look = maps.top(face_job, cell)
        progress = st.container()
        with queue:
            job.run_while(face_job, keys, cell.map, "soon")
        maps.grid(face_job, keys, cell, look)
        measurements.trust(face_job, keys, cell)
        what_if.regions(face_job, cell)
        what_if.what_if(face_job, cell, look)
        what_if.downloads(face_job, keys, layer, look)
        with progress:
            measurements.work(face_job, keys, cell)
layout.close_page(detector_line)
