"""Check a run's data before it starts: counts, findings, faces."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import streamlit as st

from fer.app import resources, widgets
from fer.app.data_choice import read_in_turns
from fer.app.markdown import plain
from fer.app.training import state
from fer.app.training.state import TrainingData
from fer.data.dataset import Dataset
from fer.data.fer2013 import Progress
from fer.data.pictures import Faces
from fer.data.read import SYNTHETIC, read_dataset
from fer.data.report import SPLIT_LABELS, DataReport, report_on, samples
from fer.data.uploads import read_upload
from fer.expressions import NAMES
from fer.limits import limits
from fer.visualization.contact_sheet import contact_sheet
from fer.wording import count_of

SHEET_FACES, SHEET_WIDTH = 8, 188


@dataclass(frozen=True)
class Sheet:
    """A few pictures of one class in one picture."""

    count: int
    png: bytes


def look_at(data: TrainingData, faces: Faces, classes: str) -> tuple[DataReport, dict[str, Sheet]]:
    """The report, and a contact sheet of training pictures for each class; made once per session."""
    stamp = "" if data.upload else resources.data_stamp(data.path)
    key, reports = (data.path, faces, classes, stamp), state.reports.get()
    if key not in reports:
        dataset = read_in_turns(partial(_read, data, faces, classes))
        found = {name: samples(dataset, index, SHEET_FACES) for index, name in enumerate(NAMES)}
        sheets = {name: Sheet(len(faces), _sheet_png(faces)) for name, faces in found.items() if len(faces)}
        reports[key] = report_on(dataset), sheets
    return reports[key]


def _read(data: TrainingData, faces: Faces, classes: str, progress: Progress) -> Dataset:
    """As the run's worker reads it, which knows an upload by the name that it is stored under."""
    if data.upload:
        return read_upload(data.upload, Path(data.path).name, limits(), progress, classes, faces)
    return read_dataset(data.path, progress, True, faces, classes, limits())


def _sheet_png(faces: np.ndarray) -> bytes:
    """Gray faces (N, S, S) uint8 -> a PNG of SHEET_WIDTH pixels; Streamlit would re-encode a wider one each time."""
    sheet = contact_sheet(faces, columns=4, enlarge=1)
    height = max(round(sheet.shape[0] * SHEET_WIDTH / sheet.shape[1]), 1)
    small = cv2.resize(sheet, (SHEET_WIDTH, height), interpolation=cv2.INTER_AREA)
    return cv2.imencode(".png", cv2.cvtColor(small, cv2.COLOR_RGBA2BGRA))[1].tobytes()


def show_report(data: TrainingData, faces: Faces, classes: str) -> DataReport:
    """Counts, findings with their remedies, and a contact sheet per class; returns the report."""
    st.header("What is in this data?")
    # The charts' libraries take most of a second to load; the form above is shown meanwhile.
    from fer.visualization import training_figures

    report, sheets = look_at(data, faces, classes)
    name = data.name or ("Synthetic faces" if data.path == SYNTHETIC else report.name)
    pictures, splits = count_of(report.total, "picture"), count_of(len(report.counts), "split")
    st.markdown(f"**{plain(name)}**: {pictures} in {splits}.")
    words = "; ".join(
        f"{SPLIT_LABELS[split]}: " + ", ".join(f"{name} {count}" for name, count in classes.items())
        for split, classes in report.counts.items()
    )
    bars = training_figures.class_counts(report.counts, SPLIT_LABELS)
    widgets.chart(bars, "class_counts", f"Pictures per class; {words}")
    for line in report.findings():
        st.warning(plain(line), icon=":material/info:")
    if report.imbalanced:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown("Remedy:")
            st.button(
                "Show rare classes more often",
                on_click=state.choose_remedy,
                args=("sampling", data.path),
                icon=":material/balance:",
                key="remedy_sampling",
            )
            st.button(
                "Weight rare classes more",
                on_click=state.choose_remedy,
                args=("weights", data.path),
                icon=":material/weight:",
                key="remedy_weights",
            )
        if state.remedy(data.path) != "none":
            st.caption(
                ("Balanced sampling is" if state.remedy(data.path) == "sampling" else "Class weights are")
                + " now set, under More settings above."
            )
    if not report.findings():
        st.caption("No problems found: no duplicates, every file readable, no class much rarer than the others.")
    with st.container(horizontal=True, gap="small"):
        for name, sheet in sheets.items():
            with st.container(width=190, gap=None):
                st.image(sheet.png, width=SHEET_WIDTH, alt=f"{sheet.count} pictures labeled {name}")
                st.caption(name)
    return report
