"""Where a visitor's photos come in, the same on every page: browse, drop, paste, take a sample."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from fer.app import errors, resources, session
from fer.app.predict import dropped_photos, photo_reading, state
from fer.app.predict.photo_reading import Photo
from fer.app.server import setup
from fer.limits import MB, limits
from fer.vision.images import FORMATS

Then = Callable[[list[Photo]], None]


def nothing_more(_photos: list[Photo]) -> None:
    pass


def drop_zone(key: str, then: Then = nothing_more) -> None:
    """An uploader that hands its files over, and is empty again. then: given them, once state.photos() has them."""
    key = f"{key}_{state.inputs.get()}"
    st.file_uploader(
        f"Photos: {FORMATS}",
        accept_multiple_files=True,
        key=key,
        on_change=errors.guarded_callback(_take_uploads),
        args=(key, then),
        max_upload_size=limits().photo_bytes // MB,
    )


def listen(then: Then = nothing_more) -> None:
    """Take what is pasted into the page or dropped beside the uploader; shows nothing. Once a page, at its end."""
    dropped_photos.listen(errors.guarded_callback(lambda: _take_dropped(then)))


def take_sample(name: str) -> None:
    state.add_photos([photo_reading.sample(name)])


def sample_buttons(key: str, on_click: Callable[[str], None]) -> None:
    """A button a sample. on_click: is given its name."""
    for name, source in resources.SAMPLE_NAMES.items():
        st.button(source, key=f"{key}_{name}", on_click=on_click, args=(name,), icon=":material/image:")


def _take_uploads(key: str, then: Then) -> None:
    uploads = session.widget(key, list) or []
    photos = [Photo(upload.name, upload.getvalue()) for upload in uploads]
    for upload in uploads:
        setup.let_go(upload)
    state.inputs.set(state.inputs.get() + 1)
    _add(photos, then)


def _take_dropped(then: Then) -> None:
    photos, refused = dropped_photos.received()
    session.message.set(" ".join(refused))
    _add([Photo(name, data) for name, data in photos], then)


def _add(photos: list[Photo], then: Then) -> None:
    if photos:
        state.add_photos(photos)
        then(photos)
