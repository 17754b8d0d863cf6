"""Look at the data of a run before it starts: counts, findings, faces."""

from __future__ import annotations

import numpy as np
import streamlit as st

from fer.app import resources, shell, state
from fer.data.read import read_dataset
from fer.data.report import SPLIT_LABELS, DataReport, report_on, samples
from fer.display import figures, training_figures
from fer.display.contact import contact_sheet
from fer.expressions import NAMES
from fer.limits import limits

SHEET_FACES = 8
KEPT_S = 86_400 * limits().kept_upload_days  # as an upload itself


@st.cache_data(max_entries=4, ttl=KEPT_S, show_spinner="Reading the data")
def look_at(data: str, faces: str, stamp: str) -> tuple[DataReport, dict[str, np.ndarray]]:
    """The report, and a few training pictures of each class. stamp only tells versions apart."""
    dataset = read_dataset(data, quiet=True, faces=faces)
    return report_on(dataset), {name: samples(dataset, index, SHEET_FACES) for index, name in enumerate(NAMES)}


def show_report(data: str, faces: str) -> None:
    """Counts, findings with their remedy, and a contact sheet per class."""
    st.header("What is in this data?")
    report, sheets = look_at(data, faces, resources.data_stamp(data))
    st.markdown(f"**{shell.plain(report.name)}**: {report.total:,} pictures in {len(report.counts)} splits.")
    words = "; ".join(f"{SPLIT_LABELS[split]}: " + ", ".join(f"{name} {count}" for name, count in classes.items())
                      for split, classes in report.counts.items())
    st.plotly_chart(training_figures.class_counts(report.counts, SPLIT_LABELS), width="stretch",
                    config=figures.CONFIG, key="class_counts", alt=f"Pictures per class; {words}")
    for line in report.findings():
        st.warning(shell.plain(line), icon=":material/info:")
    if report.imbalanced:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown("Remedy:")
            st.button("Draw rare classes more often", on_click=state.choose_remedy, args=("sampling", data),
                      icon=":material/balance:", key="remedy_sampling")
            st.button("Let rare classes weigh more", on_click=state.choose_remedy, args=("weights", data),
                      icon=":material/weight:", key="remedy_weights")
        if state.remedy(data) != "none":
            st.caption(("Balanced sampling is" if state.remedy(data) == "sampling" else "Class weights are")
                       + " set above, under More settings.")
    if not report.findings():
        st.caption("No duplicates, nothing unreadable, all classes alike.")
    with st.container(horizontal=True, gap="small"):
        for name, faces_of_class in sheets.items():
            if len(faces_of_class):
                with st.container(width=190, gap=None):
                    st.image(contact_sheet(faces_of_class, columns=4, enlarge=1), width=188,
                             alt=f"{len(faces_of_class)} pictures labelled {name}")
                    st.caption(name)
