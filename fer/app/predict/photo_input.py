"""Photo input, the same on every page: browse, drop, paste, or choose a sample."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from fer.app import errors, resources, session
from fer.app.markdown import plain
from fer.app.predict import dropped_photos, photo_reading, state
from fer.app.predict.photo_reading import Photo
from fer.app.server import setup
from fer.limits import MB, limits
from fer.vision.images import FORMATS
from fer.wording import count_of

UPLOADER = "photo_uploads"  # prefix of its keys on every page
SHOWN_NAMES, SHOWN_REFUSED = 3, 5
Then = Callable[[list[Photo]], None]


def nothing_more(_photos: list[Photo]) -> None:
    pass


def drop_zone(then: Then = nothing_more) -> None:
    """An uploader that hands over its files and becomes empty. then: called with them, once state.photos() has them."""
    key, most_mb = f"{UPLOADER}_{state.inputs.get()}", limits().photo_bytes // MB
    st.file_uploader(
        f"{'Choose' if session.phone() else 'Choose, drop or paste'} photos, up to {most_mb} MB each",
        help=f"{FORMATS}. Photos are read in memory and never stored."
        + ("" if session.phone() else " You can drop or paste them anywhere on this page."),
        accept_multiple_files=True,
        key=key,
        on_change=errors.guarded_callback(_take_uploads),
        args=(key, then),
        max_upload_size=most_mb,
    )


def listen(then: Then = nothing_more) -> None:
    """Take photos pasted into the page or dropped beside the uploader; invisible. Call once per page, near its top."""
    dropped_photos.listen(errors.guarded_callback(lambda: _take_dropped(then)), UPLOADER)


def show_left_out() -> None:
    """Name the photos that were too large, and those removed to make room."""
    refused = state.refused.get()
    for sentence in refused[:SHOWN_REFUSED]:
        errors.show_error(sentence, ":material/broken_image:")
    if len(refused) > SHOWN_REFUSED:
        more = count_of(len(refused) - SHOWN_REFUSED, "more photo")
        errors.show_error(f"{more} could not be taken, either.", ":material/broken_image:")
    if names := state.crowded_out.get():
        more = f" and {len(names) - SHOWN_NAMES} more" if len(names) > SHOWN_NAMES else ""
        st.warning(
            f"Removed to make room: {plain(', '.join(names[:SHOWN_NAMES]))}{more}. The app holds up to "
            f"{limits().photos} photos and {limits().session_bytes // MB} MB. For more, use `fer predict FOLDER`.",
            icon=":material/photo_library:",
        )


def take_sample(name: str) -> None:
    state.refused.set([])
    state.add_photos([photo_reading.sample(name)])


def sample_buttons(key: str, on_click: Callable[[str], None]) -> None:
    """One button per sample. on_click: called with its name."""
    for name, source in resources.SAMPLE_NAMES.items():
        st.button(source, key=f"{key}_{name}", on_click=on_click, args=(name,), icon=":material/image:")


def _take_uploads(key: str, then: Then) -> None:
    # A slow browser may refer again to an upload that was taken over; Streamlit then returns something else.
    uploads = [upload for upload in session.widget(key, list) or [] if isinstance(upload, UploadedFile)]
    photos = [Photo(upload.name, upload.getvalue()) for upload in uploads]
    for upload in uploads:
        setup.let_go(upload)
    if photos:
        _add(photos, [], then)


def _take_dropped(then: Then) -> None:
    photos, refused = dropped_photos.received()
    _add([Photo(name, data) for name, data in photos], refused, then)


def _add(photos: list[Photo], refused: list[str], then: Then) -> None:
    state.empty_inputs()
    state.refused.set(refused)
    if photos:
        state.add_photos(photos)
        then(photos)
