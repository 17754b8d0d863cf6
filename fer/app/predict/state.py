"""Predict's session state: views, photos, the live stream, the video. Other pages use the photos."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import streamlit as st

from fer.app import session
from fer.app.explain import state as explain_state
from fer.app.predict.browser import state as browser_state
from fer.app.session import RecentSlot, Slot
from fer.limits import limits
from fer.records import FaceBox

if TYPE_CHECKING:  # these load PyAV and more, or import this module
    from fer.app.predict.photo_reading import Photo, Reading
    from fer.app.predict.video_annotations import Annotations
    from fer.app.predict.video_job import VideoJob
    from fer.app.predict.webcam import Stream
    from fer.records import FaceRecord

TABS = "predict_tabs"  # the tabs' own key
VIEWS = {"photos": "Photos", "camera": "Camera", "live": "Live", "video": "Video"}
FACE_ORDERS = ("size", "uncertainty")  # as on the page
MAX_RESULTS = 120  # more than limits().photos, or each click would read all of them again
MAX_ANNOTATED = 8  # videos

_requested_view: Slot[str | None] = Slot("wanted_predict_view", lambda: None)
_last_view: Slot[str | None] = Slot("last_predict_view", lambda: None)
_photos: Slot[list[Photo]] = Slot("photos", list)
_snapshot: Slot[Photo | None] = Slot("snapshot_photo", lambda: None)
_newest: Slot[str] = Slot("newest_photo", str)  # the key of the newest photo or snapshot
crowded_out: Slot[list[str]] = Slot("crowded_out", list)  # names of photos removed to make room for the newest
refused: Slot[list[str]] = Slot("refused_photos", list)  # a sentence about each rejected photo
inputs: Slot[int] = Slot("photo_inputs", int)  # the uploader's number; a new number is an empty uploader
to_predict: Slot[bool] = Slot("to_predict", bool)  # several photos were added on Home, so Predict should show them
sample_of_address: Slot[str] = Slot("sample_of_address", str)  # the sample last read from the address or written to it
_results: RecentSlot[tuple[str, ...], Reading] = RecentSlot("photo_results", MAX_RESULTS)
_whole_photos: Slot[set[str]] = Slot("whole_photos", set)
# The selected face's box in each photo, by the photo's key; a box, since another detector renumbers faces. The
# picture, the list, the table and Explain show and change it; the most recent selection is at the end.
_selected_faces: RecentSlot[str, FaceBox] = RecentSlot("selected_faces", MAX_RESULTS)
face_order: Slot[str] = Slot("face_order", lambda: FACE_ORDERS[0])
stop_reading: Slot[frozenset[tuple[str, ...]]] = Slot("stop_reading", frozenset)  # keys of readings not to begin
live: Slot[Stream | None] = Slot("live_stream", lambda: None)
live_error: Slot[str] = Slot("live_error", str)  # why the last stream did not start
recording: Slot[list[FaceRecord]] = Slot("live_recording", list)  # the last one that was stopped
# By the video's digest and the detector, since another detector renumbers people.
video_notes: RecentSlot[tuple[str, str], Annotations] = RecentSlot("video_annotations", MAX_ANNOTATED)
video_job: Slot[VideoJob | None] = Slot("video_job", lambda: None)  # the video being read, or read last
_video: Slot[Video | None] = Slot("video", lambda: None)


@dataclass(frozen=True)
class Video:
    """A video as it came."""

    name: str
    data: bytes

    @cached_property
    def digest(self) -> str:
        return hashlib.blake2b(self.data, digest_size=12).hexdigest()


def open_view(name: str) -> None:
    """Open one of VIEWS on the next rerun, since the tabs own their key while shown."""
    _requested_view.set(name)


def apply_requested_view() -> None:
    """Before showing the tabs: open the view requested by the app or the address, or the last one on returning to the
    page.
    """
    requested = _requested_view.take()
    if session.widget(TABS, str) is None:
        requested = requested or st.query_params.get("view") or _last_view.get()
    if requested in VIEWS:
        session.set_widget(TABS, VIEWS[requested])


def remember_view() -> None:
    """After showing the tabs: remember the open one for the visitor's return."""
    shown = session.widget(TABS, str)
    _last_view.set(next((name for name, title in VIEWS.items() if title == shown), None))


def photos() -> list[Photo]:
    """The visitor's photos, uploads and samples, newest first."""
    return list(_photos.get())


def snapshot() -> Photo | None:
    return _snapshot.get()


def empty_inputs() -> None:
    """Replace the uploaders by new, empty ones on the next rerun."""
    inputs.set(inputs.get() + 1)


def put_first(new: Iterable[Photo]) -> None:
    """Add photos before the others, without duplicates. Removes the oldest if they are too many or too large."""
    listed = list({photo.key: photo for photo in (*new, *_photos.get())}.values())
    size, fitting = _size_of(_snapshot.get(), _video.get()), 0
    for photo in listed[: limits().photos]:
        size += len(photo.data)
        fitting += size <= limits().session_bytes
    _photos.set(listed[:fitting])
    crowded_out.set([photo.name for photo in listed[fitting:]])
    _newest.set(listed[0].key if listed else "")


def add_photos(new: list[Photo]) -> None:
    """The visitor adds photos; Explain opens with the first of them."""
    explain_state.forget_face()
    stop_reading.set(frozenset())
    empty_inputs()
    put_first(new)


def _size_of(*files: Photo | Video | None) -> int:
    return sum(len(file.data) for file in files if file)


def video() -> Video | None:
    """The current video; None if there is none, or if it was too large to keep."""
    return _video.get()


def set_video(video: Video) -> None:
    """In place of the last one."""
    remove_video()
    _video.set(video)


def remove_video() -> None:
    """Remove the video and its results."""
    if job := video_job.take():
        job.cancel()
    _video.set(None)
    empty_inputs()


def drop_large_video() -> None:
    """After starting to read the video: drop it if it does not fit beside the photos. Its results stay."""
    if _size_of(*_photos.get(), _snapshot.get(), _video.get()) > limits().session_bytes:
        _video.set(None)


def set_snapshot(photo: Photo) -> None:
    """In place of the last one."""
    if before := _snapshot.get():
        _forget(before.key)
    explain_state.forget_face()
    _snapshot.set(photo)
    _newest.set(photo.key)


def remove_snapshot() -> None:
    if photo := _snapshot.take():
        _forget(photo.key)
    empty_inputs()


def remove_photo(key: str) -> None:
    """Remove a photo and its results."""
    _photos.set([photo for photo in _photos.get() if photo.key != key])
    crowded_out.set([])
    refused.set([])
    _forget(key)


def remove_all_photos() -> None:
    for photo in photos():
        remove_photo(photo.key)


def _forget(photo: str) -> None:
    _forget_readings(photo)
    jobs = explain_state.jobs.get()
    for key in [key for key in jobs if key[0][0] == photo]:
        del jobs[key]
    take_whole(photo, False)
    _selected_faces.get().pop(photo, None)
    if (explained := explain_state.explained()) and explained.photo.key == photo:
        explain_state.forget_face()


def _forget_readings(photo: str) -> None:
    readings = _results.get()
    for key in [key for key, reading in readings.items() if reading.photo.key == photo]:
        del readings[key]


def newest_face() -> Photo | None:
    """The newest photo or snapshot with faces."""
    found = {reading.photo.key for reading in _results.get().values() if reading.faces}
    own = [photo for photo in (*_photos.get(), _snapshot.get()) if photo and photo.key in found]
    return min(own, key=lambda photo: photo.key != _newest.get(), default=None)


def as_whole(photo: str) -> bool:
    """Whether the visitor chose to treat this whole photo as one face. photo: its key."""
    return photo in _whole_photos.get()


def take_whole(photo: str, whole: bool = True) -> None:
    photos = _whole_photos.get()
    photos.add(photo) if whole else photos.discard(photo)


def selected_face(photo: str) -> FaceBox | None:
    """The box of the face selected in this photo, if any. photo: its key."""
    return _selected_faces.get().get(photo)


def select_face(photo: str, box: FaceBox) -> None:
    faces = _selected_faces.get()
    faces[photo] = box
    faces.move_to_end(photo)


def last_selected(photos: Iterable[str]) -> str | None:
    """The photo in which a face was last selected. photos: their keys."""
    among = set(photos)
    return next((photo for photo in reversed(_selected_faces.get()) if photo in among), None)


def results() -> OrderedDict[tuple[str, ...], Reading]:
    """This visitor's read photos. If their files are too large together, removes those that are no longer among the
    visitor's photos and snapshots, oldest first.
    """
    readings = _results.get()
    own = {photo.key: len(photo.data) for photo in (*_photos.get(), _snapshot.get()) if photo}
    others = {one.photo.key: len(one.photo.data) for one in readings.values() if one.photo.key not in own}
    size = sum(own.values()) + sum(others.values()) + _size_of(_video.get())
    for photo, its_size in others.items():
        if size <= limits().session_bytes:
            break
        _forget_readings(photo)
        size -= its_size
    return readings


def end_live() -> None:
    """Stop this visitor's stream and keep its recording."""
    stream = live.get()
    if stream is None or not stream.wanted:
        return
    if stream.analyzer.state().recording:
        recording.set(stream.analyzer.stop_recording())
    stream.stop()


def end_browser_recording() -> None:
    """End a recording whose browser no longer reads faces, and keep what it has sent."""
    if rows := browser_state.leave():
        recording.set(rows)
