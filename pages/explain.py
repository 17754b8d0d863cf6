"""Explain: for one face, what each of the seven scores rests on, and whether to believe the picture."""

from __future__ import annotations

import streamlit as st

from fer.app import layout

detector_line = layout.open_page("Explain")
st.title("Explain")
st.markdown("What in this face speaks for each expression, and can you trust the picture that says so?")

with layout.guarded():
    with layout.loading("PyTorch for the maps"):
        from fer.app.explain import face_choice, job, maps, measurements, what_if
        from fer.app.predict import photo_reading
        from fer.explanation.methods import METHODS
    face_choice.choose_face()
    chosen = job.last_face()
    queue = st.empty()  # always there, so that what stands below keeps its place
    with queue:
        reading = photo_reading.read_photo(chosen.photo)
    if face_choice.has_face(reading):
        number = face_choice.choose_number(reading, chosen)
        with queue:
            study = job.study_of(reading, number, chosen.truth)
            layer = maps.choose_layer(study)
            keys = [job.key_of(method, layer) for method in METHODS]
            cell = maps.chosen_cell(study, layer)
            job.first_maps(study, keys, cell.key)
        look = maps.top(study, cell)
        progress = st.container()
        maps.grid(study, keys, cell, look)
        measurements.trust(study, keys, cell)
        what_if.regions(study, cell)
        what_if.ask_back(study, cell, look)
        what_if.downloads(study, keys, layer, look)
        with progress:
            measurements.work(study, keys, cell)
layout.close_page(detector_line)
