"""Check a run's data before it starts: counts, findings, faces."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
import streamlit as st

from fer.app import resources, widgets
from fer.app.markdown import plain
from fer.app.training import state
from fer.data.pictures import Faces
from fer.data.read import SYNTHETIC, read_dataset
from fer.data.report import SPLIT_LABELS, DataReport, report_on, samples
from fer.expressions import NAMES
from fer.limits import Limits, limits
from fer.visualization.contact_sheet import contact_sheet
from fer.wording import count_of

SHEET_FACES, SHEET_WIDTH = 8, 188


@dataclass(frozen=True)
class Sheet:
    """A few pictures of one class in one picture."""

    count: int
    png: bytes


def look_at(data: str, faces: Faces, classes: str, stamp: str) -> tuple[DataReport, dict[str, Sheet]]:
    """The report, and a contact sheet of training pictures for each class. stamp only distinguishes versions."""
    return _looked_at(limits())(data, faces, classes, stamp)


@functools.cache
def _looked_at(limits: Limits) -> Callable[[str, Faces, str, str], tuple[DataReport, dict[str, Sheet]]]:
    """The check, cached for as long as an upload itself is kept."""

    @st.cache_data(max_entries=4, ttl=86_400 * limits.kept_upload_days, show_spinner="Reading the data")
    def look(data: str, faces: Faces, classes: str, stamp: str) -> tuple[DataReport, dict[str, Sheet]]:
        dataset = read_dataset(data, quiet=True, faces=faces, classes=classes, limits=limits)
        found = {name: samples(dataset, index, SHEET_FACES) for index, name in enumerate(NAMES)}
        return report_on(dataset), {
            name: Sheet(len(faces), _sheet_png(faces)) for name, faces in found.items() if len(faces)
        }

    return look


def _sheet_png(faces: np.ndarray) -> bytes:
    """Gray faces (N, S, S) uint8 -> a PNG of SHEET_WIDTH pixels; Streamlit would re-encode a wider one each time."""
    sheet = contact_sheet(faces, columns=4, enlarge=1)
    height = max(round(sheet.shape[0] * SHEET_WIDTH / sheet.shape[1]), 1)
    small = cv2.resize(sheet, (SHEET_WIDTH, height), interpolation=cv2.INTER_AREA)
    return cv2.imencode(".png", cv2.cvtColor(small, cv2.COLOR_RGBA2BGRA))[1].tobytes()


def show_report(data: str, faces: Faces, classes: str, upload: str = "") -> DataReport:
    """Counts, findings with their remedies, and a contact sheet per class; returns the report.

    upload: the file name of uploaded data.
    """
    st.header("What is in this data?")
    # The charts' libraries take most of a second to load; the form above is shown meanwhile.
    from fer.visualization import training_figures

    report, sheets = look_at(data, faces, classes, resources.data_stamp(data))
    name = upload or ("Synthetic faces" if data == SYNTHETIC else report.name)
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
                args=("sampling", data),
                icon=":material/balance:",
                key="remedy_sampling",
            )
            st.button(
                "Weight rare classes more",
                on_click=state.choose_remedy,
                args=("weights", data),
                icon=":material/weight:",
                key="remedy_weights",
            )
        if state.remedy(data) != "none":
            st.caption(
                ("Balanced sampling is" if state.remedy(data) == "sampling" else "Class weights are")
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
