"""Explain's face in its address: a reload reopens samples and rows of a data set, and reports that uploads are gone."""

from __future__ import annotations

import streamlit as st

from fer.app import resources, session
from fer.app.explain import state
from fer.app.explain.face_choice import face_of_row
from fer.app.explain.state import DataRow, Explained
from fer.app.layout import DETECTORS
from fer.app.model_choice import ShippedModel, default_model
from fer.app.predict import face_picker
from fer.app.predict import state as predict_state
from fer.app.predict.photo_reading import Reading, sample, sample_name
from fer.data.read import SYNTHETIC
from fer.errors import FerError
from fer.limits import limits
from fer.models.weights import shipped_names

READ_WITH = ("model", "detector")
PARAMETERS = ("sample", "data", "part", "row", "classes", "photo", "face", *READ_WITH)
UPLOAD = {"photo": "upload"}  # the address's value for a face that cannot be reopened
GONE = (
    "This page showed a face from your own photo. Reloading ended that session, and photos are not stored. Choose the "
    "photo again under “Explain another face”; a sample is shown meanwhile."
)


def open_address() -> str:
    """Open the face in the address, if it has changed; returns a sentence if it cannot be opened."""
    named = {name: st.query_params[name] for name in PARAMETERS if name in st.query_params}
    name = named.get("sample")
    if named == state.address.get():
        return ""
    _choose_model_and_detector(named)
    if name in resources.SAMPLE_NAMES:
        state.explain_face(Explained(sample(name)))
    elif "data" in named and _may_name(named["data"]):
        try:
            state.explain_face(face_of_row(_row_of(named)))
        except FerError as error:
            return error.message
    elif named.get("photo") and state.explained() is None and predict_state.newest_face() is None:
        return GONE
    state.address.set(named)
    return ""


def _choose_model_and_detector(named: dict[str, str]) -> None:
    """Choose the address's model and detector once, and rerun the page, whose sidebar shows them."""
    given = {name: named[name] for name in READ_WITH if name in named}
    if not given:
        return
    for name in given:
        del st.query_params[name]  # put there again with the face
    if given.get("model") in shipped_names():
        session.choose_model(ShippedModel(given["model"]))
    if given.get("detector") in DETECTORS:
        session.detector.set(given["detector"])
    st.rerun()


def select_face(reading: Reading) -> None:
    """Select the face with the address's number, if no face of the photo was selected yet."""
    number = _whole(st.query_params.get("face", ""))
    if number and number <= len(reading.faces) and predict_state.selected_face(reading.photo.key) is None:
        face_picker.select(reading, number)


def show_in_address(chosen: Explained, number: int) -> None:
    """Put the face into the address. number: of its face, from 1."""
    wanted = {**_names(chosen), **({"face": str(number)} if number > 1 else {}), **_model_and_detector()}
    state.address.set(wanted)
    for name in PARAMETERS:
        if name not in wanted and name in st.query_params:
            del st.query_params[name]
        elif name in wanted and st.query_params.get(name) != wanted[name]:
            st.query_params[name] = wanted[name]


def _names(chosen: Explained) -> dict[str, str]:
    if (row := chosen.row) and _may_name(row.data):
        classes = {"classes": row.classes} if row.classes else {}
        return {"data": row.data, "part": row.part, "row": str(row.number), **classes}
    name = sample_name(chosen.photo)
    if name == resources.FIRST_SAMPLE and state.explained() is None:
        return {}  # the page opens with it anyway
    return {"sample": name} if name else UPLOAD


def _model_and_detector() -> dict[str, str]:
    """The model, if it is shipped, and the detector, where they are not what the page begins with."""
    model, detector = session.model(), session.detector.get()
    other = {"model": model.name} if isinstance(model, ShippedModel) and model != default_model() else {}
    return other | ({"detector": detector} if detector != "auto" else {})


def _row_of(named: dict[str, str]) -> DataRow:
    number = _whole(named.get("row", ""))
    return DataRow(named["data"], named.get("part", ""), -1 if number is None else number, named.get("classes", ""))


def _may_name(data: str) -> bool:
    """Whether the address may name this data; on the shared demo, it never names a path."""
    return data == SYNTHETIC or limits().server_paths


def _whole(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None
