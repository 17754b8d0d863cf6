"""Home: a face read at once, what this is, and where to go next."""

from __future__ import annotations

import streamlit as st

from fer.app import errors, layout, resources, session, widgets
from fer.app.predict import face_picker, photo_reading
from fer.limits import hosted


def show() -> None:
    detector_line = layout.open_page("Home")
    st.title("FER Studio")
    st.markdown(
        "FER Studio finds the faces in a photo and reads which of seven expressions each one shows. It says how sure "
        "it is: where it says 80%, about 80 of 100 such answers were right on photos it had not learned from. Where "
        f"that is too little, it says “not sure”. Everything runs on {'this server' if hosted() else 'this machine'}, "
        "with open models that were trained from scratch on FER2013, a public collection of face photos."
    )

    with errors.guarded():
        reading = photo_reading.read_photo(
            photo_reading.Photo("astronaut.jpg", resources.sample_bytes("astronaut")), own=False
        )
        picture, result = st.columns([3, 2], gap="large", vertical_alignment="center")
        with picture:
            if reading.error:
                errors.show_error(reading.error.message, ":material/broken_image:")
            else:
                face_picker.picture(reading)
                st.caption("Eileen Collins, NASA, public domain")
        with result:
            if reading.faces:
                widgets.verdict(reading.faces[0], reading.reader.card)
                widgets.probability_chart(reading.faces[0], key="home_bars")
            for path, label in (
                ("pages/predict.py", "Read your own photos"),
                ("pages/explain.py", "See why it says so"),
                ("pages/training.py", "Train a model of your own"),
                ("pages/evaluate.py", "See how good it is"),
            ):
                st.page_link(path, label=label, icon=":material/arrow_forward:")

        st.header("How good is it?")
        st.markdown(
            f"The model in use is **{session.model().label}**: {layout.accuracy_line(session.model())}. "
            "PublicTest is a part of FER2013 that the models do not learn from. People agree with FER2013's labels on "
            "about 65 of 100 pictures. An expression is what a face shows, not what a person feels; do not judge "
            "people by it."
        )
        with st.expander("Limits and the law", icon=":material/balance:"):
            st.markdown(layout.LIMITS_AND_LAW)
    layout.close_page(detector_line)
