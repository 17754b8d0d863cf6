"""Choose the face to explain: from a photo, a snapshot, a sample, or a row of a data set."""

from __future__ import annotations

import numpy as np
import streamlit as st

from fer.app import errors, resources
from fer.app.evaluate import state as evaluate_state
from fer.app.explain import state
from fer.app.explain.state import DataRow, Explained
from fer.app.predict import camera_tab, face_picker, photo_input
from fer.app.predict import state as predict_state
from fer.app.predict.photo_reading import Photo, Reading
from fer.data.labels import SPLITS
from fer.errors import DatasetError
from fer.expressions import NAMES
from fer.limits import limits
from fer.visualization import maps

PARTS = ("PublicTest", "Training")


def choose_number(reading: Reading) -> int:
    """The face of the photo, from 1, that is selected here or on Predict."""
    if len(reading.faces) > 1:
        picture, names = st.columns([2, 3], gap="medium")
        with picture:
            face_picker.picture(reading)
        with names:
            face_picker.names(reading, sortable=False)
    return face_picker.selected(reading)


def has_face(reading: Reading) -> bool:
    """Whether there is a face to explain; if not, shows why."""
    if reading.error:
        errors.show_error(reading.error.message, ":material/broken_image:")
        return False
    if not reading.faces:
        face_picker.no_face(reading)
        return False
    return True


def back_to_photo(chosen: Explained) -> None:
    """A link back to the photo in Predict; not for a data set's face, which has no photo."""
    ours = (*predict_state.photos(), predict_state.snapshot())
    if chosen.truth or (state.explained() is None and chosen.photo not in ours):
        return
    if st.button("Back to this photo in Predict", icon=":material/arrow_back:", type="tertiary"):
        if chosen.photo == predict_state.snapshot():
            predict_state.open_view("camera")
        else:
            predict_state.put_first([chosen.photo])
            predict_state.open_view("photos")
        st.switch_page("pages/predict.py")


def choose_face() -> None:
    """Choose another face: a photo, a snapshot or a sample, or a row of a data set if paths are allowed."""
    with st.expander("Explain another face", icon=":material/face:"):
        photo, camera, sample, *row = st.tabs(
            ["Photo", "Camera", "Samples", *(["Data set"] if limits().server_paths else [])]
        )
        with photo:
            photo_input.drop_zone(explain_first)
        with camera:
            if st.toggle("Use the camera", key="explain_camera_on"):
                key = f"explain_camera_{predict_state.inputs.get()}"
                st.camera_input("Take a snapshot", key=key, on_change=_explain_snapshot, args=(key,))
        with sample:
            photo_input.sample_buttons("explain_sample", _explain_sample)
        for tab in row:
            with tab, errors.guarded():
                _choose_row()


def face_of_row(row: DataRow) -> Explained:
    """Raises DatasetError if the data cannot be read or has no such row."""
    if row.part not in SPLITS:
        raise DatasetError(f"There is no part {row.part[:40]!r}. Choose {', '.join(SPLITS[:-1])} or {SPLITS[-1]}.")
    faces = resources.dataset(row.data, row.classes).split(row.part)
    if not 0 <= row.number < len(faces):
        raise DatasetError(f"{row.part} has the rows 0 to {len(faces) - 1:,}. Choose one of them.")
    gray = faces.pixels[row.number]
    photo = Photo(f"{row.part} row {row.number}.png", maps.png(np.repeat(gray[..., None], 3, 2)))
    predict_state.take_whole(photo.key)
    return Explained(photo, truth=NAMES[faces.labels[row.number]], row=row)


def _choose_row() -> None:
    """A form that keeps its values even if the data cannot be read."""
    with st.form("explain_row_form", border=False):
        path = st.text_input(
            "fer2013.csv, or a folder that holds it, on this machine", key="explain_data", persist_state="session"
        ).strip()
        part = st.selectbox(
            "Part",
            PARTS,
            key="explain_split",
            persist_state="session",
            help="Models here learned from Training and were chosen by their results on PublicTest.",
        )
        number = st.number_input("Row", 0, value=0, key="explain_row", persist_state="session")
        asked = st.form_submit_button("Explain this row", icon=":material/table_rows:")
    if asked and not path:
        st.caption("Enter the path of fer2013.csv first.")
    elif asked:
        _explain(face_of_row(DataRow(path, part, number)))
        st.rerun()


def explain_first(photos: list[Photo]) -> None:
    _explain(Explained(photos[0]))


def _explain_sample(name: str) -> None:
    photo_input.take_sample(name)
    explain_first(predict_state.photos())


def _explain_snapshot(key: str) -> None:
    camera_tab.take_snapshot(key)
    if photo := predict_state.snapshot():
        _explain(Explained(photo))


def _explain(chosen: Explained) -> None:
    """Clear map and face from the address, since they belong to the previous face."""
    state.explain_face(chosen)
    st.query_params.clear()


def back_to_evaluation(chosen: Explained) -> None:
    """A link back to Evaluate's gallery, from which this face was opened."""
    if evaluate_state.opened_face.get() == chosen.photo.key:
        st.page_link("pages/evaluate.py", label="Back to the evaluation", icon=":material/arrow_back:")
