"""Predict's first view: photos in, expressions out."""

from __future__ import annotations

import streamlit as st

from fer.app import photos, resources, shell, state, widgets
from fer.app.photos import Photo, Reading
from fer.display import render
from fer.vision.images import MAX_BYTES


def show() -> None:
    """The uploader, then each photo with its faces, then all faces in a table."""
    readings = read_all(chosen_photos())
    for reading in readings:
        show_photo(reading)
    if any(reading.faces for reading in readings):
        show_table(readings)


def chosen_photos() -> list[Photo]:
    """What the visitor put in: uploads, else the sample they clicked."""
    uploads = st.file_uploader("Photos: PNG, JPEG, WebP, BMP or GIF", accept_multiple_files=True, key="photo_uploads",
                               on_change=forget_sample, max_upload_size=MAX_BYTES // 2**20)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown("Or take a sample:")
        for name, source in resources.SAMPLE_NAMES.items():
            st.button(source, key=f"sample_{name}", on_click=state.choose_sample, args=(name,),
                      icon=":material/image:")
    if state.sample():
        return [Photo(f"{state.sample()}.jpg", resources.sample_bytes(state.sample()))]
    if len(uploads) > photos.MAX_PHOTOS:
        st.warning(f"The first {photos.MAX_PHOTOS} of {len(uploads)} photos are read. For more, use "
                   "`python -m fer predict FOLDER`.")
    put_in = [Photo(upload.name, upload.getvalue()) for upload in uploads[:photos.MAX_PHOTOS]]
    return list({photo.key: photo for photo in put_in}.values())  # the same file put in twice is shown once


def forget_sample() -> None:
    state.choose_sample(None)
    state.stop_reading(False)


def read_all(chosen: list[Photo]) -> list[Reading]:
    """Read the photos one by one, with progress and a way out where they are many."""
    if len(chosen) < 3:
        return [photos.read_photo(photo) for photo in chosen]
    readings, place, way_out, queue = [], st.empty(), st.empty(), st.empty()
    way_out.button("Stop reading", on_click=state.stop_reading, icon=":material/stop_circle:")
    for number, photo in enumerate(chosen, 1):
        if state.stopped_reading():  # what was read before stays
            readings += [reading for reading in map(photos.known, chosen[number - 1:]) if reading]
            break
        place.progress(number / len(chosen), f"Photo {number} of {len(chosen)}")
        with queue:
            readings.append(photos.read_photo(photo))
    place.empty()
    way_out.empty()
    if len(readings) < len(chosen):
        st.info(f"Stopped: {len(readings)} of {len(chosen)} photos are read.")
        st.button("Go on", on_click=state.stop_reading, args=(False,), icon=":material/play_arrow:")
    return readings


def show_photo(reading: Reading) -> None:
    """One photo: the picture with its faces, and one face at a time in detail."""
    with st.container(border=True):
        widgets.photo_name(reading.photo.name)
        if reading.error:
            st.error(shell.plain(reading.error.message), icon=":material/broken_image:")
            return
        picture, detail = st.columns([3, 2], gap="medium")
        with picture:
            labels = ", ".join(render.face_label(face) for face in reading.faces) or "none"
            st.image(reading.drawn, width="stretch", alt=f"The photo with its faces marked: {labels}")
            steps = st.container()
        with detail:
            if not reading.faces:
                offer_whole(reading)
                return
            number = show_face(reading)
        with steps:
            widgets.steps_strip(reading.strip(number))


def show_face(reading: Reading) -> int:
    """One face's words and bars; returns which face that is, from 1."""
    chosen = 1
    if len(reading.faces) > 1:
        numbers = range(1, len(reading.faces) + 1)
        chosen = st.pills(f"{len(reading.faces)} faces, the largest first", numbers, default=1, required=True,
                          wrap=True, key=f"face_{reading.photo.key}_{reading.detector}",
                          format_func=lambda number: f"{number} {render.face_label(reading.faces[number - 1])}")
    face = reading.faces[(chosen or 1) - 1]
    widgets.verdict(face, reading.recognizer.card.threshold)
    widgets.probability_chart(face, key=f"bars_{reading.photo.key}_{reading.detector}_{chosen}")
    if (chosen or 1) <= len(reading.stabilities):
        widgets.stability_meter(reading.stabilities[(chosen or 1) - 1], face.expression)
    if st.button("Explain this face", key=f"explain_{reading.photo.key}", icon=":material/travel_explore:"):
        state.explain_face(state.Explained(reading.photo, face.box))
        st.switch_page("pages/explain.py")
    if state.as_whole(reading.photo.key):
        st.button("Look for faces again", key=f"search_{reading.photo.key}", on_click=state.take_whole,
                  args=(reading.photo.key, False))
    return chosen or 1


def offer_whole(reading: Reading) -> None:
    st.markdown("## No face found")
    st.markdown("A face needs about 20 pixels, and to be turned towards the camera. Try another detector in the "
                "sidebar, or, if this is a close-up of one face:")
    st.button("Treat the whole picture as a face", key=f"whole_{reading.photo.key}", on_click=state.take_whole,
              args=(reading.photo.key,), icon=":material/crop_free:")


def show_table(readings: list[Reading]) -> None:
    rows = photos.rows_of(readings)
    st.header("All faces")
    shares = ("confidence", *render.COLOURS)
    percent = {name: st.column_config.ProgressColumn(name, format="%.0f %%", min_value=0, max_value=100)
               for name in shares}
    shown = [{**row, **{name: 100 * row[name] for name in shares}} for row in rows]
    st.dataframe(shown, hide_index=True, width="stretch", column_config=percent,
                 column_order=["photo", "face", "expression", "confidence", "sure", *render.COLOURS, "quality"])
    with st.container(horizontal=True):
        st.download_button("CSV", photos.to_csv(rows), "expressions.csv", "text/csv", on_click="ignore",
                           icon=":material/download:")
        st.download_button("JSON", photos.to_json(readings), "expressions.json", "application/json",
                           on_click="ignore", icon=":material/download:")
