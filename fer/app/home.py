"""Home: try a photo, see its expressions, and where to go next."""

from __future__ import annotations

import streamlit as st

from fer.app import errors, layout, resources, sample_strip, session, widgets
from fer.app.explain import state as explain_state
from fer.app.explain.state import Explained
from fer.app.markdown import plain
from fer.app.model_choice import from_drawings
from fer.app.predict import face_picker, photo_input, photo_reading, state
from fer.app.predict.photo_reading import Photo, Reading


def show() -> None:
    if state.to_predict.take():
        state.open_view("photos")
        st.switch_page("pages/predict.py")
    detector_line = layout.open_page("Home")
    st.title("FER Studio")
    st.markdown("Facial expression recognition (FER): see which expression a face shows, and how sure the model is.")
    errors.show_message()
    photo_input.show_left_out()
    with errors.guarded():
        own = state.photos()
        photo = own[0] if own else photo_reading.sample(resources.FIRST_SAMPLE)
        # On a phone the columns are stacked: the answer with its bars, then suggestions.
        answer, beside = st.columns([6, 5], gap="medium")
        with beside:
            bars = st.empty()
            bars.container(height=widgets.CHART_HEIGHT, border=False)  # reserves their space
            _inputs(photo)
        with answer:
            reading = photo_reading.read_photo(photo)
            _show_answer(reading)
        with bars:
            if reading.faces:
                face = reading.faces[face_picker.selected(reading) - 1]
                widgets.probability_chart(face, key=f"home_bars_{photo.key}")
        if not reading.faces:
            bars.empty()
        _links(reading)
    with errors.guarded():
        _how_good()
    layout.close_page(detector_line)


def _inputs(shown: Photo) -> None:
    photo_input.drop_zone(_several_to_predict)
    if st.button("Use camera", icon=":material/videocam:"):
        state.open_view("live")
        st.switch_page("pages/predict.py")
    photo_input.listen(_several_to_predict)
    st.caption("Or try one of these:")
    sample_strip.choose_sample(photo_reading.sample_name(shown), photo_input.take_sample)


def _several_to_predict(photos: list[Photo]) -> None:
    state.to_predict.set(len(photos) > 1)


def _show_answer(reading: Reading) -> None:
    """The answer in words first, then the picture with its faces marked."""
    photo, faces = reading.photo, reading.faces
    if reading.error:
        widgets.photo_name(photo.name)
        errors.show_error(reading.error.message, ":material/broken_image:")
    elif faces:
        widgets.verdict(faces[face_picker.selected(reading) - 1], reading.reader.card)
    else:
        face_picker.no_face(reading)
    if not reading.error:
        face_picker.picture(reading)
        if name := photo_reading.sample_name(photo):
            st.caption(f"{resources.SAMPLE_NAMES[name]}, public domain")
    if len(faces) > 1:
        label = f"Click a face, or see all {len(faces)} in Predict"
        widgets.page_link("pages/predict.py", label, ":material/add_reaction:")
    face_picker.undo_whole(reading)
    if photo in state.photos():
        st.button(
            "Remove this photo",
            on_click=state.remove_photo,
            args=(photo.key,),
            icon=":material/close:",
            type="tertiary",
        )


def _links(reading: Reading) -> None:
    """Links to continue with this face."""
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        if reading.faces and st.button("Explain this face", icon=":material/travel_explore:"):
            explain_state.explain_face(Explained(reading.photo))
            st.switch_page("pages/explain.py")
        for path, label, icon in (
            ("pages/training.py", "Train your own model", ":material/model_training:"),
            ("pages/evaluate.py", "Evaluate a model", ":material/query_stats:"),
        ):
            widgets.page_link(path, label, icon)


def _how_good() -> None:
    st.header("How good is it?")
    model = session.model()
    st.markdown(f"The model **{plain(model.label)}**: {layout.accuracy_line(model)}.")
    if not from_drawings(model):
        st.markdown(
            "People agree with FER2013's labels on about 65% of its pictures. A model can score higher without reading "
            "faces better than people do: the labels are noisy, and it learned these labels' habits. When the model "
            "says 80%, it is right about 80 times in 100 on such pictures; when it is not sure enough, it says so. An "
            "expression is what a face shows, not what a person feels: do not judge people by it."
        )
    with st.expander("Limits and the law", icon=":material/balance:"):
        st.markdown(layout.LIMITS_AND_LAW)
