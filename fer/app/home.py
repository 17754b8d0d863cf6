"""Home, the playground: a photo in, what its face shows, and where to go next."""

from __future__ import annotations

import streamlit as st

from fer.app import errors, layout, resources, sample_strip, session, widgets
from fer.app.explain import state as explain_state
from fer.app.explain.state import Explained
from fer.app.predict import face_picker, photo_input, photo_reading, state
from fer.app.predict.photo_reading import Photo, Reading


def show() -> None:
    if state.to_predict.take():
        state.open_view("photos")
        st.switch_page("pages/predict.py")
    detector_line = layout.open_page("Home")
    st.title("FER Studio")
    st.markdown("What does a face express, and how sure is that? Try a photo.")
    errors.show_message()
    photo_input.show_left_out()
    with errors.guarded():
        own = state.photos()
        photo = own[0] if own else photo_reading.sample(resources.FIRST_SAMPLE)
        # On a phone the columns stand one below the other: the answer, then what to try next.
        answer, beside = st.columns([6, 5], gap="large")
        with beside:
            _inputs(photo)
            bars = st.container()
        with answer:
            reading = photo_reading.read_photo(photo)
            _show_answer(reading)
        if reading.faces:
            with bars:
                face = reading.faces[face_picker.selected(reading) - 1]
                widgets.probability_chart(face, key=f"home_bars_{photo.key}")
        _links(reading)
    with errors.guarded():
        _how_good()
    layout.close_page(detector_line)


def _inputs(shown: Photo) -> None:
    photo_input.drop_zone(_several_to_predict)
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button("Use camera", icon=":material/videocam:"):
            state.open_view("live")
            st.switch_page("pages/predict.py")
        st.caption("Or paste a photo, or try one:")
        photo_input.listen(_several_to_predict)
    sample_strip.choose_sample(photo_reading.sample_name(shown), photo_input.take_sample)


def _several_to_predict(photos: list[Photo]) -> None:
    state.to_predict.set(len(photos) > 1)


def _show_answer(reading: Reading) -> None:
    """The words first, and the picture with its faces marked."""
    photo, faces = reading.photo, reading.faces
    if reading.error:
        widgets.photo_name(photo.name)
        errors.show_error(reading.error.message, ":material/broken_image:")
    elif faces:
        widgets.verdict(faces[face_picker.selected(reading) - 1], reading.reader.card)
    else:
        st.markdown("## No face found")
        st.markdown("A face needs about 20 pixels, and to be turned towards the camera. Try another photo.")
    if not reading.error:
        face_picker.picture(reading)
        if name := photo_reading.sample_name(photo):
            st.caption(f"{resources.SAMPLE_NAMES[name]}, public domain")
    if len(faces) > 1:
        st.page_link("pages/predict.py", label=f"Click a face, or see all {len(faces)} in Predict")
    if photo in state.photos():
        st.button(
            "Remove this photo",
            on_click=state.remove_photo,
            args=(photo.key,),
            icon=":material/close:",
            type="tertiary",
        )


def _links(reading: Reading) -> None:
    """Where to go from this face."""
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        if reading.faces and st.button("Explain this face", icon=":material/travel_explore:", type="tertiary"):
            explain_state.explain_face(Explained(reading.photo))
            st.switch_page("pages/explain.py")
        for path, label, icon in (
            ("pages/training.py", "Train a model of your own", ":material/model_training:"),
            ("pages/evaluate.py", "Evaluate a model", ":material/query_stats:"),
        ):
            st.page_link(path, label=label, icon=icon)


def _how_good() -> None:
    st.header("How good is it?")
    st.markdown(
        f"**{session.model().label}**: {layout.accuracy_line(session.model())}. People agree with those labels on "
        "about 65 of 100 pictures. Where it says 80%, about 80 of 100 such answers were right on photos it had not "
        "learned from; where that is too little, it says “not sure”. An expression is what a face shows, not what a "
        "person feels: do not judge people by it."
    )
    with st.expander("Limits and the law", icon=":material/balance:"):
        st.markdown(layout.LIMITS_AND_LAW)
