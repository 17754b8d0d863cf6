"""Explain: for one face, what each of the seven scores rests on, and whether to believe the picture."""

from __future__ import annotations

import streamlit as st

from fer.app import shell

detector_line = shell.open_page("Explain")
st.title("Explain")
st.markdown("What in this face speaks for each expression, and can you trust the picture that says so?")

with shell.guarded():
    with shell.loading("PyTorch for the maps"):
        from fer.app import explain_ask, explain_input, explain_maps, explain_trust, photos, studies
        from fer.explain.methods import METHODS
    explain_input.choose_face()
    chosen = studies.last_face()
    queue = st.empty()   # always there, so that what stands below keeps its place
    with queue:
        reading = photos.read_photo(chosen.photo)
    if explain_input.has_face(reading):
        number = explain_input.choose_number(reading, chosen)
        with queue:
            study = studies.study_of(reading, number, chosen.truth)
            layer = explain_maps.choose_layer(study)
            keys = [studies.key_of(method, layer) for method in METHODS]
            cell = explain_maps.chosen_cell(study, layer)
            studies.first_maps(study, keys, cell.key)
        look = explain_maps.top(study, cell)
        progress = st.container()
        explain_maps.grid(study, keys, cell, look)
        explain_trust.trust(study, keys, cell)
        explain_ask.regions(study, cell)
        explain_ask.ask_back(study, cell, look)
        explain_ask.downloads(study, keys, layer, look)
        with progress:
            explain_trust.work(study, keys, cell)
shell.close_page(detector_line)
