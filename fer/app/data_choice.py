"""Choose data on any page: synthetic faces, a path on the server or an upload, and the classes of its folders."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import streamlit as st
from streamlit.delta_generator import DeltaGenerator
from streamlit.runtime.uploaded_file_manager import UploadedFile

from fer.app import session, work_queue
from fer.app.markdown import plain
from fer.app.server import setup
from fer.app.session import PageData, Upload
from fer.data import uploads
from fer.data.dataset import Dataset
from fer.data.fer2013 import OWN_NUMBERS, Progress
from fer.data.labels import format_classes, natural_order, parse_classes
from fer.data.read import SYNTHETIC
from fer.errors import DatasetError
from fer.expressions import NAMES
from fer.limits import MB, limits
from fer.wording import count_of

SOURCES = {SYNTHETIC: "Synthetic faces", "path": "A path on this server", "upload": "Upload"}
LEAVE_OUT = "leave out"
MOST_ASKED = 40  # folders
ADDRESS = "data"  # the query parameter that names the data


def choose_data(
    key: str,
    none_word: str | None = None,
    in_address: bool = False,
    on_remove: Callable[[str], None] = lambda digest: None,
) -> str | UploadedFile | None:
    """The chosen data: a value of --data, an upload, or None while nothing usable is chosen. key: the page's choice.

    none_word: a first choice that means no data. in_address: keep synthetic data or a path in the address, which
    reopens it. on_remove: called with the digest of an upload that the visitor removes. FER_DATA may set the initial
    path.
    """
    sources = {**({"none": none_word} if none_word else {}), **SOURCES}
    if not limits().server_paths:
        del sources["path"]
    named = st.query_params.get(ADDRESS, "") if in_address else ""
    start = SYNTHETIC if named == SYNTHETIC else "path" if named else ""
    source = st.segmented_control(
        "Data",
        list(sources),
        default=start if start in sources else next(iter(sources)),
        required=True,
        key=f"{key}_source",
        persist_state="session",
        format_func=lambda name: sources[name],
        wrap=True,
        help="Synthetic faces are generated here in seconds and free to use. A path names "
        "fer2013.csv, or a folder or a zip with a folder for each class, on this server.",
    )
    data: str | UploadedFile | None = None
    if source == "path" and limits().server_paths:
        data = _choose_path(key, named if start == "path" else os.environ.get("FER_DATA", ""))
    elif source == "upload":
        data = _choose_upload(key, on_remove)
    elif source == SYNTHETIC:
        data = SYNTHETIC
    if in_address:
        _keep_in_address(data if isinstance(data, str) else None)
    return data


def choose_synthetic(key: str) -> None:
    """In a callback: choose the synthetic faces on this page, whatever was chosen before."""
    session.set_widget(f"{key}_source", SYNTHETIC)


def _keep_in_address(data: str | None) -> None:
    if data is None:
        st.query_params.pop(ADDRESS, None)
    elif st.query_params.get(ADDRESS) != data:
        st.query_params[ADDRESS] = data


def _choose_path(key: str, start: str) -> str | None:
    path = st.text_input(
        "Path of fer2013.csv, or of a folder or zip with class folders",
        start,
        key=f"{key}_path",
        persist_state="session",
        placeholder="/data/fer2013/fer2013.csv",
    ).strip()
    if not path:
        return None
    if not os.path.exists(path):
        raise DatasetError(f"There is nothing at {path[-120:]} on this server. Check the path.")
    return str(Path(path).resolve())


def _choose_upload(key: str, on_remove: Callable[[str], None]) -> UploadedFile | None:
    """The uploader, and below it earlier uploads, each with a button to remove it."""
    page, picker = session.page_data.get().setdefault(key, PageData()), f"{key}_uploads"
    uploader = f"{key}_upload" + (f"_{page.uploader}" if page.uploader else "")
    st.file_uploader(
        "fer2013.csv, or a zip of class folders",
        type=["csv", "zip"],
        key=uploader,
        max_upload_size=limits().dataset_bytes // MB,
        on_change=_take,
        args=(page, uploader, picker, on_remove),
    )
    if page.crowded_out:
        st.warning(
            f"Removed to make room: {plain(', '.join(page.crowded_out))}. The app holds up to "
            f"{limits().session_bytes // MB} MB.",
            icon=":material/database:",
        )
    if not page.uploads:
        return None
    if session.widget(picker, str) not in page.uploads:  # it was removed
        session.set_widget(picker, list(page.uploads)[-1])
    with st.container(horizontal=True, vertical_alignment="bottom"):
        digest = st.pills(
            "Your uploads",
            list(page.uploads),
            required=True,
            key=picker,
            persist_state="session",
            format_func=lambda digest: _words(page.uploads[digest]),
            wrap=True,
        )
        upload = page.uploads[digest or list(page.uploads)[-1]]
        st.button(
            f"Remove {plain(upload.file.name)}",
            key=f"{key}_remove",
            icon=":material/delete:",
            on_click=_remove,
            args=(page, digest, on_remove),
        )
    return upload.file


def _words(upload: Upload) -> str:
    faces = "" if upload.faces is None else f" · {count_of(upload.faces, 'face')}"
    return f"{plain(upload.file.name)}{faces}"


def _take(page: PageData, uploader: str, picker: str, on_remove: Callable[[str], None]) -> None:
    """Take an upload over into the list, and empty the uploader for the next one."""
    file = session.widget(uploader, UploadedFile)
    if file is None:
        return
    digest = uploads.digest_of(file)
    page.uploads[digest] = Upload(file)  # its bytes are in it
    setup.let_go(file)
    page.uploader += 1
    session.set_widget(picker, digest)
    dropped = _drop_oldest(digest)
    for old in dropped:
        on_remove(old)
    page.crowded_out = tuple(dropped.values())


def _drop_oldest(newest: str) -> dict[str, str]:
    """Keep a visitor's uploads within the session's limit by removing the oldest; the newest stays.

    Returns the names of those removed, by digest.
    """
    held = [(page, digest) for page in session.page_data.get().values() for digest in page.uploads]
    size, dropped = sum(page.uploads[digest].file.size for page, digest in held), dict[str, str]()
    for page, digest in held:
        if size > limits().session_bytes and digest != newest:
            upload = page.uploads.pop(digest)
            size -= upload.file.size
            dropped[digest] = upload.file.name
    return dropped


def _remove(page: PageData, digest: str, on_remove: Callable[[str], None]) -> None:
    page.uploads.pop(digest, None)
    page.crowded_out = ()
    on_remove(digest)


def digest_of(key: str, upload: UploadedFile) -> str:
    """Of an upload that `choose_data` returned."""
    return next(digest for digest, one in session.page_data.get()[key].uploads.items() if one.file is upload)


def short(data: str) -> str:
    """A digest of a path or upload for widget keys, which the browser sees, so that no path is revealed."""
    return hashlib.blake2b(data.encode("utf-8", "surrogateescape"), digest_size=6).hexdigest()


def note_faces(key: str, digest: str, faces: int) -> None:
    """Record how many faces an upload holds, to be shown with it."""
    upload = session.page_data.get()[key].uploads[digest]
    if upload.faces != faces:
        upload.faces = faces
        st.rerun()


def read_in_turns(read: Callable[[Progress], Dataset]) -> Dataset:
    """Read data in turns with other visitors' work, until the visitor leaves, with progress on the page.

    read: given a function to call with the share done, 0..1.
    """
    place = st.empty()

    def show(share: float) -> None:
        place.progress(share, "Reading your data. Finding the face takes about 0.1 s per photo.")

    def step(share: float) -> None:
        show(share)
        next_turn()

    try:
        with work_queue.in_turns() as next_turn:
            show(0.0)
            return read(step)
    finally:
        place.empty()


def chosen_classes(data: str) -> str:
    """The visitor's classes for this data's folders or labels, as in --classes. data: path or digest."""
    return session.data_classes.get().get(data, "")


@contextmanager
def asking_for_classes(data: str) -> Iterator[DeltaGenerator]:
    """Use around reading data: if no folder or label is named after a class, ask for their classes here.

    Yields the place, for `ask_for_classes` if only some names do not match.
    """
    place = st.container()
    try:
        yield place
    except DatasetError as error:
        unknown = error.details.get("unknown")
        if not isinstance(unknown, dict) or len(unknown) > MOST_ASKED:
            raise
        with place:
            _form(data, unknown, {})
        raise DatasetError(
            "No folder or label in this data is named after one of the seven classes. Say above what each one shows."
        ) from None


def ask_for_classes(place: DeltaGenerator, data: str, unknown: Mapping[str, int], assumed: Mapping[str, int]) -> None:
    """A form, if some folders or labels are left out or were assigned before; open if some were assumed.

    unknown, assumed: as in Dataset.
    """
    given = parse_classes(chosen_classes(data))
    if given or 0 < len(unknown) <= MOST_ASKED:
        words = ", ".join(sorted({**given, **unknown, **assumed}, key=natural_order)[:5])
        title = f"Folders or labels with other names: {plain(words)}"
        with place, st.expander(title, expanded=bool(assumed), icon=":material/label:"):
            _form(data, unknown, assumed)


def _form(data: str, unknown: Mapping[str, int], assumed: Mapping[str, int]) -> None:
    """One select box for each folder or label that matches no class, or whose class was assumed."""
    given, chosen = parse_classes(chosen_classes(data)), {}
    counts = {**assumed, **unknown}
    options = [LEAVE_OUT, *NAMES]
    digest = short(data)
    with st.form(f"classes_{digest}", width=760):
        st.markdown("**What does each of these show?**")
        with st.container(horizontal=True):
            names = sorted({**given, **{name.lower(): 0 for name in counts}}, key=natural_order)
            for number, name in enumerate(names):
                count = next((counts[each] for each in counts if each.lower() == name), None)
                label = name if count is None else f"{name} ({count_of(count, 'picture')})"
                start = options.index(OWN_NUMBERS[name] if name in assumed else given.get(name, LEAVE_OUT))
                chosen[name] = st.selectbox(plain(label), options, start, key=f"class_{digest}_{number}", width=170)
        if st.form_submit_button("Use these classes"):
            told = {name: one for name, one in chosen.items() if one != LEAVE_OUT}
            session.data_classes.get()[data] = format_classes(told)
            st.rerun()
