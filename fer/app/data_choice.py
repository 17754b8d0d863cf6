"""Which data: drawn faces, a path on the server, or an upload, and what its folders show. Every page asks here."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import streamlit as st
from streamlit.delta_generator import DeltaGenerator
from streamlit.runtime.uploaded_file_manager import UploadedFile

from fer.app import session
from fer.app.markdown import plain
from fer.data.labels import format_classes, natural_order, parse_classes
from fer.data.read import SYNTHETIC
from fer.errors import DatasetError
from fer.expressions import NAMES
from fer.limits import MB, limits
from fer.wording import count_of

SOURCES = {"synthetic": "Drawn faces", "path": "A path on this server", "upload": "Upload"}
LEAVE_OUT = "leave out"
MOST_ASKED = 40  # folders


def choose_data(key: str, none_word: str | None = None) -> str | UploadedFile | None:
    """What --data takes, or an upload, or None while nothing usable is chosen. key: tells the pages' widgets apart.

    none_word: a first choice that means no data. FER_DATA may name the path to start with.
    """
    sources = {**({"none": none_word} if none_word else {}), **SOURCES}
    if not limits().server_paths:
        del sources["path"]
    source = st.segmented_control(
        "Data",
        list(sources),
        default=next(iter(sources)),
        required=True,
        key=f"{key}_source",
        format_func=lambda name: sources[name],
        wrap=True,
        help="Drawn faces are made here, in seconds, and free to use. A path names "
        "fer2013.csv, or a folder or a zip with a folder for each class, on this server.",
    )
    if source == "path" and limits().server_paths:
        path = st.text_input(
            "Path of fer2013.csv, or of a folder or a zip with class folders in it",
            os.environ.get("FER_DATA", ""),
            key=f"{key}_path",
            placeholder="/data/fer2013/fer2013.csv",
        ).strip()
        if not path:
            return None
        try:
            there = Path(path).exists()
        except (OSError, ValueError):  # a name too long, a NUL in it
            there = False
        if not there:
            raise DatasetError(f"There is nothing at {path[-120:]} on this server. Check the path.")
        return str(Path(path).resolve())
    if source == "upload":
        return st.file_uploader(
            "fer2013.csv, or a zip of class folders",
            type=["csv", "zip"],
            key=f"{key}_upload",
            max_upload_size=limits().dataset_bytes // MB,
        )
    return SYNTHETIC if source == "synthetic" else None


def chosen_classes(data: str) -> str:
    """What the visitor said that this data's folders or labels show, as --classes takes it. data: path or digest."""
    return session.data_classes.get().get(data, "")


@contextmanager
def asking_for_classes(data: str) -> Iterator[DeltaGenerator]:
    """Around the reading of data: where nothing is called by a class, ask in this place what is what.

    Yields the place, for `ask_for_classes` where only some of it is called otherwise.
    """
    place = st.container()
    try:
        yield place
    except DatasetError as error:
        unknown = error.details.get("unknown")
        if not isinstance(unknown, dict) or len(unknown) > MOST_ASKED:
            raise
        with place:
            _form(data, unknown)
        raise DatasetError(
            "No folder or label of this data is named by one of the seven classes. Say above what each one shows."
        ) from None


def ask_for_classes(place: DeltaGenerator, data: str, unknown: Mapping[str, int]) -> None:
    """A small form behind a line where some folders or labels are left out, or were given a class before."""
    given = parse_classes(chosen_classes(data))
    if given or 0 < len(unknown) <= MOST_ASKED:
        words = ", ".join(sorted({**given, **unknown}, key=natural_order)[:5])
        with place, st.expander(f"Folders or labels of other names: {plain(words)}", icon=":material/label:"):
            _form(data, unknown)


def _form(data: str, unknown: Mapping[str, int]) -> None:
    """One select for each folder or label that is none of the seven classes."""
    given, chosen = parse_classes(chosen_classes(data)), {}
    options = [LEAVE_OUT, *NAMES]
    digest = hashlib.blake2b(data.encode("utf-8", "surrogateescape"), digest_size=6).hexdigest()  # no path on the page
    with st.form(f"classes_{digest}", width=760):
        st.markdown("**What does each of these show?**")
        with st.container(horizontal=True):
            names = sorted({**given, **{name.lower(): 0 for name in unknown}}, key=natural_order)
            for number, name in enumerate(names):
                count = next((unknown[each] for each in unknown if each.lower() == name), None)
                label = name if count is None else f"{name} ({count_of(count, 'picture')})"
                start = options.index(given.get(name, LEAVE_OUT))
                chosen[name] = st.selectbox(plain(label), options, start, key=f"class_{digest}_{number}", width=170)
        if st.form_submit_button("Use these classes"):
            told = {name: one for name, one in chosen.items() if one != LEAVE_OUT}
            session.data_classes.get()[data] = format_classes(told)
            st.rerun()
