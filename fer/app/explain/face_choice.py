"""Which face Explain explains: of a photo, a snapshot, a sample, or a row of a data set."""

from __future__ import annotations

import numpy as np
import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from fer.app import errors, resources
from fer.app.evaluate import state as evaluate_state
from fer.app.explain import state
from fer.app.explain.state import Explained
from fer.app.predict import state as predict_state
from fer.app.predict.photo_reading import Photo, Reading
from fer.expressions import NAMES
from fer.limits import MB, limits
from fer.records import FaceBox
from fer.vision.detection import overlap
from fer.vision.images import FORMATS
from fer.visualization import maps
from fer.visualization.render import face_label


def choose_number(reading: Reading, chosen: Explained) -> int:
    """Which face of the photo, from 1."""
    count = len(reading.faces)
    if count == 1:
        return 1
    box = state.picked_box(reading.photo.key) or chosen.box
    number = (
        st.pills(
            f"{count} faces, the largest first",
            range(1, count + 1),
            default=_nearest(reading, box),
            required=True,
            wrap=True,
            key=f"explain_face_{reading.photo.key}_{reading.detector}",
            format_func=lambda n: f"{n} {face_label(reading.faces[n - 1])}",
        )
        or 1
    )
    state.pick_box(reading.photo.key, reading.faces[number - 1].box)
    return number


def _nearest(reading: Reading, box: FaceBox | None) -> int:
    """The face that covers most of a box, which perhaps another detector drew; else the largest one."""
    if box is None:
        return 1
    return max(range(1, len(reading.faces) + 1), key=lambda n: overlap(reading.faces[n - 1].box, box))


def has_face(reading: Reading) -> bool:
    if reading.error:
        errors.show_error(reading.error.message, ":material/broken_image:")
        return False
    if not reading.faces:
        st.markdown("## No face found")
        st.markdown(
            "A face needs about 20 pixels, and to be turned towards the camera. Try another detector in the "
            "sidebar, or, if this is a close-up of one face:"
        )
        st.button(
            "Treat the whole picture as a face",
            on_click=predict_state.take_whole,
            args=(reading.photo.key,),
            icon=":material/crop_free:",
        )
        return False
    return True


def choose_face() -> None:
    """Another face: a photo, a snapshot, a sample; a row of a data set where its path may be named."""
    with st.expander("Explain another face", icon=":material/face:"):
        photo, camera, sample, *row = st.tabs(
            ["Photo", "Camera", "Samples", *(["Data set"] if limits().server_paths else [])]
        )
        with photo:
            upload = st.file_uploader(
                f"One photo: {FORMATS}",
                key="explain_upload",
                max_upload_size=limits().photo_bytes // MB,
            )
            _take(upload, "upload")
        with camera:
            if st.toggle("Use the camera", key="explain_camera_on"):
                _take(st.camera_input("Take a snapshot", key="explain_camera"), "camera")
        with sample:
            for name, source in resources.SAMPLE_NAMES.items():
                if st.button(source, key=f"explain_sample_{name}", icon=":material/image:"):
                    _explain(Explained(Photo(f"{name}.jpg", resources.sample_bytes(name))))
        for tab in row:
            with tab:
                _choose_row()


def _take(file: UploadedFile | None, uploader: str) -> None:
    """Explain an upload once, not again on every run."""
    if state.is_new_upload(uploader, file.file_id if file else None) and file:
        _explain(Explained(Photo(file.name, file.getvalue())))


def _choose_row() -> None:
    path = st.text_input("fer2013.csv, or a folder that holds it, on this machine", key="explain_data")
    split = st.selectbox(
        "Part",
        ["PublicTest", "Training"],
        key="explain_split",
        help="PublicTest is what models here are chosen on, Training what they learned from.",
    )
    if not path.strip():
        return
    faces = resources.dataset(path.strip()).split(split)
    row = st.number_input("Row", 0, len(faces) - 1, 0, key="explain_row")
    if st.button("Explain this row", icon=":material/table_rows:"):
        gray = faces.pixels[row]
        photo = Photo(f"{split} row {row}.png", maps.png(np.repeat(gray[..., None], 3, 2)))
        predict_state.take_whole(photo.key)
        _explain(Explained(photo, truth=NAMES[faces.labels[row]]))


def _explain(chosen: Explained) -> None:
    state.explain_face(chosen)
    st.query_params.clear()
    st.rerun()


def back_to_evaluation(chosen: Explained) -> None:
    """A way back to the gallery of Evaluate that this face was opened from."""
    if evaluate_state.opened_face.get() == chosen.photo.key:
        st.page_link("pages/evaluate.py", label="Back to the evaluation", icon=":material/arrow_back:")
