"""The faces behind the numbers: a cell of the matrix, the worst errors, disagreements; each opens in Explain."""

from __future__ import annotations

import cv2
import numpy as np
import streamlit as st

from fer.app import resources, widgets
from fer.app.evaluate import state
from fer.app.evaluate.inputs import Choice
from fer.app.explain import state as explain_state
from fer.app.explain.state import DataRow, Explained
from fer.app.predict import state as predict_state
from fer.app.predict.photo_reading import Photo
from fer.evaluation.evaluation import Evaluation
from fer.expressions import NAMES
from fer.visualization import evaluation_figures as charts
from fer.wording import count_of, percent

SHOWN = 12
SIDE = 104  # pixels: three side by side on a phone


def gallery(item: Evaluation, choice: Choice, rows: np.ndarray, key: str) -> None:
    """The faces of these rows, SHOWN per page, each with its label and the model's prediction."""
    if not len(rows):
        st.caption("No faces here.")
        return
    pages, page = -(-len(rows) // SHOWN), 1
    if pages > 1:
        page = st.number_input(f"Page (of {pages})", 1, pages, key=f"{key}_page", persist_state="session", width=160)
    with st.container(horizontal=True, gap="small"):
        for row in rows[(page - 1) * SHOWN : page * SHOWN]:
            _tile(item, choice, int(row), key)


def _tile(item: Evaluation, choice: Choice, row: int, key: str) -> None:
    truth, predicted = NAMES[item.labels[row]], NAMES[item.probabilities[row].argmax()]
    confidence = percent(float(item.probabilities[row].max()))
    with st.container(width=SIDE, gap="small"):
        picture = cv2.resize(item.part.pixels[row], (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
        st.image(picture, width=SIDE, alt=f"A face labeled {truth}, predicted {predicted}")
        st.caption(f"labeled {truth}  \npredicted {predicted}, {confidence}")
        if st.button("Explain", key=f"{key}_explain_{row}", width="stretch"):
            _open_in_explain(item, choice, row, truth)


def _open_in_explain(item: Evaluation, choice: Choice, row: int, truth: str) -> None:
    data = cv2.imencode(".png", item.part.pixels[row])[1].tobytes()
    name = str(item.part.names[row]) if item.part.names is not None else f"face-{row}.png"
    photo = Photo(name, data)
    predict_state.take_whole(photo.key)  # it is already cropped
    explain_state.explain_face(Explained(photo, truth=truth, row=row_of(item, choice, row)))
    state.opened_face.set(photo.key)
    st.switch_page("pages/explain.py")


def row_of(item: Evaluation, choice: Choice, row: int) -> DataRow | None:
    """The source from which the server can reload these faces; None for an upload, which it does not keep."""
    if choice.uploaded:
        return None
    whole = resources.dataset(choice.data, choice.classes)
    usage = str(item.part.usage[row])
    here, there = item.part.pixels[row], np.flatnonzero(whole.usage == usage)
    found = np.flatnonzero((whole.pixels[there] == here).all((1, 2)) & (whole.labels[there] == item.labels[row]))
    return DataRow(choice.data, usage, int(found[0]), choice.classes) if len(found) else None


def errors(item: Evaluation, choice: Choice) -> None:
    """The galleries of mistakes."""
    choices = {"Most confident mistakes": item.confident_errors, "Hardest faces": item.hardest}
    chosen = st.segmented_control(
        "Which faces",
        list(choices),
        default=next(iter(choices)),
        required=True,
        key="error_gallery",
        persist_state="session",
        label_visibility="collapsed",
    )
    gallery(item, choice, choices[chosen](), f"errors_{chosen}")


def people(item: Evaluation, choice: Choice) -> None:
    """Compare the model with FER+'s ten people."""
    found = item.people
    if found is None:
        st.info("This data has no FER+ votes. To compare with people, put fer2013new.csv next to fer2013.csv.")
        return
    st.markdown(
        f"{count_of(found.pictures, 'face')} have FER+ votes, by ten people each. The model agrees with most of these "
        f"people on **{percent(found.agreement_with_majority)}** of the faces; they agree with the label on "
        f"**{percent(found.majority_accuracy)}**.",
        help=f"The model's probabilities and the people's votes differ by {found.distance:.2f} on average (total "
        "variation distance: 0 for the same, 1 for nothing in common).",
    )
    widgets.chart(charts.people_chart(found.by_strength), "people", "Accuracy by how strongly people agree")
    st.markdown("**Wrong labels?** Confident mistakes where most people agree with the model, not with the label.")
    gallery(item, choice, found.label_noise, "noise")
    st.markdown("**Real errors.** Confident mistakes where most people agree with the label.")
    gallery(item, choice, found.real_errors, "real")


def cell(item: Evaluation, choice: Choice, chosen: tuple[int, int]) -> None:
    truth, predicted = chosen
    rows = item.cell(truth, predicted)
    if not len(rows):
        st.caption(f"No face labeled {NAMES[truth]} was predicted as {NAMES[predicted]}.")
        return
    st.markdown(
        f"**{count_of(len(rows), 'face')} labeled {NAMES[truth]}, predicted {NAMES[predicted]}**, the most confident "
        "first"
    )
    gallery(item, choice, rows, f"cell_{truth}_{predicted}")
