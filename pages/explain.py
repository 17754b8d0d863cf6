"""Explain: for one face, what each of the seven scores rests on, and whether to believe the picture."""

from __future__ import annotations

import streamlit as st

from fer.app import errors, layout

detector_line = layout.open_page("Explain")
st.title("Explain")
st.markdown("What in this face speaks for each expression, and can you trust the picture that says so?")

with errors.guarded():
    with layout.loading("PyTorch for the maps"):
        from fer.app.explain import face_choice, job, maps, measurements, what_if
        from fer.app.predict import photo_reading
        from fer.explanation.methods import METHODS
    face_choice.choose_face()
    chosen = job.last_face()
    face_choice.back_to_evaluation(chosen)
    queue = st.empty()  # always there, so that what stands below keeps its place
    with queue:
        reading = photo_reading.read_photo(chosen.photo)
    if face_choice.has_face(reading):
        number = face_choice.choose_number(reading, chosen)
        with queue:
            face_job = job.job_of(reading, number, chosen.truth)
            layer = maps.choose_layer(face_job)
            keys = [job.key_of(method, layer) for method in METHODS]
            cell = maps.chosen_cell(face_job, layer)
            job.first_maps(face_job, keys, cell.key)
        look = maps.top(face_job, cell)
        progress = st.container()
        maps.grid(face_job, keys, cell, look)
        measurements.trust(face_job, keys, cell)
        what_if.regions(face_job, cell)
        what_if.ask_back(face_job, cell, look)
        what_if.downloads(face_job, keys, layer, look)
        with progress:
            measurements.work(face_job, keys, cell)
layout.close_page(detector_line)
