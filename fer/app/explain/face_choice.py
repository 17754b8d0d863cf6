"""Which face Explain explains: of a photo, a snapshot, a sample, or a row of a data set."""

from __future__ import annotations

import numpy as np
import streamlit as st

from fer.app import layout, resources, session
from fer.app.predict.photo_reading import Photo, Reading
from fer.expressions import NAMES
from fer.limits import MB, limits
from fer.records import FaceBox
from fer.vision.detection import overlap
from fer.vision.images import FORMATS
from fer.visualization import maps
from fer.visualization.render import face_label


def choose_number(reading: Reading, chosen: session.Explained) -> int:
    """Which face of the photo, from 1."""
    count = len(reading.faces)
    if count == 1:
        return 1
    box = session.picked_box(reading.photo.key) or chosen.box
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
    session.pick_box(reading.photo.key, reading.faces[number - 1].box)
    return number


def _nearest(reading: Reading, box: FaceBox | None) -> int:
    """The face that covers most of a box, which perhaps another detector drew; else the largest one."""
    if box is None:
        return 1
    return max(range(1, len(reading.faces) + 1), key=lambda n: overlap(reading.faces[n - 1].box, box))


def has_face(reading: Reading) -> bool:
    if reading.error:
        st.error(layout.plain(reading.error.message), icon=":material/broken_image:")
        return False
    if not reading.faces:
        st.markdown("## No face found")
        st.markdown(
            "A face needs about 20 pixels, and to be turned towards the camera. Try another detector in the "
            "sidebar, or, if this is a close-up of one face:"
        )
        st.button(
            "Treat the whole picture as a face",
            on_click=session.take_whole,
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
                    _explain(session.Explained(Photo(f"{name}.jpg", resources.sample_bytes(name))))
        for tab in row:
            with tab:
                _choose_row()


def _take(file, slot: str) -> None:
    """Explain what was put in, once; not again on every run."""
    if session.newly_put_in(slot, file.file_id if file else None):
        _explain(session.Explained(Photo(file.name, file.getvalue())))


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
        session.take_whole(photo.key)
        _explain(session.Explained(photo, truth=NAMES[faces.labels[row]]))


def _explain(chosen: session.Explained) -> None:
    session.explain_face(chosen)
    st.query_params.clear()
    st.rerun()
