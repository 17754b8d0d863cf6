"""Choose the data of a run and look at it: drawn faces, a path on the server, or an upload."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import streamlit as st

from fer.app import shell, state
from fer.data.archives import unpack_zip, uploads_folder
from fer.data.read import SYNTHETIC, read_dataset
from fer.data.report import SPLIT_LABELS, DataReport, report_on, samples
from fer.display import figures, training_figures
from fer.display.contact import contact_sheet
from fer.errors import DatasetError
from fer.expressions import NAMES

SOURCES = {"synthetic": "Drawn faces", "path": "A path on this server", "upload": "Upload"}
UPLOAD_MB = 400
SHEET_FACES = 8


def choose_data() -> str | None:
    """The --data of the next run, or None while nothing usable is chosen."""
    source = st.segmented_control("Data", list(SOURCES), default="synthetic", required=True, key="data_source",
                                  format_func=SOURCES.get, help="Drawn faces are made here, in seconds, and free to "
                                  "use. A path names fer2013.csv or a folder <split>/<class>/* on this server.")
    if source == "path":
        path = st.text_input("Path of fer2013.csv, or of a folder with class folders in it", key="data_path",
                             placeholder="/data/fer2013/fer2013.csv").strip()
        if not path:
            return None
        if not Path(path).exists():
            raise DatasetError(f"There is nothing at {path[-120:]} on this server. Check the path.")
        return str(Path(path).resolve())
    if source == "upload":
        upload = st.file_uploader("fer2013.csv, or a zip of class folders", type=["csv", "zip"], key="data_upload",
                                  max_upload_size=UPLOAD_MB)
        st.caption("Kept on this server, under the digest of its bytes, until its cache is cleared.")
        return str(_keep(upload)) if upload else None
    return SYNTHETIC


def _keep(upload) -> Path:
    """Write an upload where the worker finds it; a zip is checked and unpacked."""
    if upload.name.lower().endswith(".zip"):
        return unpack_zip(upload, "The zip")
    data = upload.getvalue()
    folder = uploads_folder() / hashlib.sha256(data).hexdigest()[:24]
    file = folder / "upload.csv"
    if not file.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
    return file


@st.cache_data(max_entries=4, show_spinner="Reading the data")
def look_at(data: str, faces: str, changed_ns: int) -> tuple[DataReport, dict[str, np.ndarray]]:
    """The report, and a few training pictures of each class. changed_ns only tells versions apart."""
    dataset = read_dataset(data, quiet=True, faces=faces)
    return report_on(dataset), {name: samples(dataset, index, SHEET_FACES) for index, name in enumerate(NAMES)}


def changed_ns(data: str) -> int:
    return 0 if data == SYNTHETIC else Path(data).stat().st_mtime_ns


def show_report(data: str, faces: str) -> None:
    """Counts, findings with their remedy, and a contact sheet per class."""
    st.subheader("What is in this data?")
    report, sheets = look_at(data, faces, changed_ns(data))
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
            st.button("Draw rare classes more often", on_click=state.choose_remedy, args=("sampling",),
                      icon=":material/balance:", key="remedy_sampling")
            st.button("Let rare classes weigh more", on_click=state.choose_remedy, args=("weights",),
                      icon=":material/weight:", key="remedy_weights")
        if state.remedy() != "none":
            st.caption("Balanced sampling is set below." if state.remedy() == "sampling" else
                       "Class weights are set below.")
    if not report.findings():
        st.caption("No duplicates, nothing unreadable, all classes alike.")
    with st.container(horizontal=True, gap="small"):
        for name, faces_of_class in sheets.items():
            if len(faces_of_class):
                with st.container(width=190, gap=None):
                    st.image(contact_sheet(faces_of_class, columns=4, enlarge=1), width=188,
                             alt=f"{len(faces_of_class)} pictures labelled {name}")
                    st.caption(name)
