"""What Predict remembers of a visitor: views, photos, the live stream, the video. Other pages read the photos."""

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
from fer.app.session import RecentSlot, Slot
from fer.limits import limits
from fer.records import FaceBox

if TYPE_CHECKING:  # they load PyAV and more, or need this module
    from fer.app.predict.photo_reading import Photo, Reading
    from fer.app.predict.video_annotations import Annotations
    from fer.app.predict.video_job import VideoJob
    from fer.app.predict.webcam import Stream
    from fer.records import FaceRecord

TABS = "predict_tabs"  # the tabs' own key
VIEWS = {"photos": "Photos", "camera": "Camera", "live": "Live", "video": "Video"}
FACE_ORDERS = ("size", "uncertainty")  # as the page calls them
MAX_RESULTS = 120  # more than limits().photos, else each click would read them all again
MAX_ANNOTATED = 8  # videos

_requested_view: Slot[str | None] = Slot("wanted_predict_view", lambda: None)
_last_view: Slot[str | None] = Slot("last_predict_view", lambda: None)
_photos: Slot[list[Photo]] = Slot("photos", list)
_snapshot: Slot[Photo | None] = Slot("snapshot_photo", lambda: None)
_newest: Slot[str] = Slot("newest_photo", str)  # the key of the photo or snapshot that was put in last
crowded_out: Slot[list[str]] = Slot("crowded_out", list)  # names of photos that left for those put in last
refused: Slot[list[str]] = Slot("refused_photos", list)  # a sentence about each that was not taken
inputs: Slot[int] = Slot("photo_inputs", int)  # which uploader is on the page: the next number is an empty one
to_predict: Slot[bool] = Slot("to_predict", bool)  # Home was given several photos, which Predict is to show
sample_of_address: Slot[str] = Slot("sample_of_address", str)  # the one that was opened from it, or put into it
_results: RecentSlot[tuple[str, ...], Reading] = RecentSlot("photo_results", MAX_RESULTS)
_whole_photos: Slot[set[str]] = Slot("whole_photos", set)
# The face that is selected in each photo, by the photo's key: a box, since another detector numbers faces anew. The
# picture, the list, the table and Explain all show it and change it; the last one that was selected is at the end.
_selected_faces: RecentSlot[str, FaceBox] = RecentSlot("selected_faces", MAX_RESULTS)
face_order: Slot[str] = Slot("face_order", lambda: FACE_ORDERS[0])
stop_reading: Slot[bool] = Slot("stop_reading", bool)  # the reading of many photos is to end where it is
live: Slot[Stream | None] = Slot("live_stream", lambda: None)
live_error: Slot[str] = Slot("live_error", str)  # why the last stream did not start
recording: Slot[list[FaceRecord]] = Slot("live_recording", list)  # the last one that was stopped
# By the video's digest and the detector: another detector numbers the people anew.
video_notes: RecentSlot[tuple[str, str], Annotations] = RecentSlot("video_annotations", MAX_ANNOTATED)
video_job: Slot[VideoJob | None] = Slot("video_job", lambda: None)  # the video that is being read, or was last
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
    """Open one of VIEWS with the next run of the page: the tabs own their key while they are shown."""
    _requested_view.set(name)


def apply_requested_view() -> None:
    """Before the tabs are shown: open the view that was asked for, by the app or by the address; on a return to the
    page, else, the one that was open.
    """
    requested = _requested_view.take()
    if session.widget(TABS, str) is None:
        requested = requested or st.query_params.get("view") or _last_view.get()
    if requested in VIEWS:
        session.set_widget(TABS, VIEWS[requested])


def remember_view() -> None:
    """After the tabs are shown: the open one opens again when the visitor comes back."""
    shown = session.widget(TABS, str)
    _last_view.set(next((name for name, title in VIEWS.items() if title == shown), None))


def photos() -> list[Photo]:
    """What the visitor put in, uploads and samples, the newest first."""
    return list(_photos.get())


def snapshot() -> Photo | None:
    return _snapshot.get()


def empty_inputs() -> None:
    """The next run of the page has new, empty uploaders."""
    inputs.set(inputs.get() + 1)


def put_first(new: Iterable[Photo]) -> None:
    """Put photos before those that are there, each once. The oldest leave where they are too many or too large."""
    listed = list({photo.key: photo for photo in (*new, *_photos.get())}.values())
    size, fitting = _size_of(_snapshot.get(), _video.get()), 0
    for photo in listed[: limits().photos]:
        size += len(photo.data)
        fitting += size <= limits().session_bytes
    _photos.set(listed[:fitting])
    crowded_out.set([photo.name for photo in listed[fitting:]])
    _newest.set(listed[0].key if listed else "")


def add_photos(new: list[Photo]) -> None:
    """The visitor puts photos in: Explain opens on the first of them."""
    explain_state.forget_face()
    stop_reading.set(False)
    empty_inputs()
    put_first(new)


def _size_of(*files: Photo | Video | None) -> int:
    return sum(len(file.data) for file in files if file)


def video() -> Video | None:
    """The video to read, or that was read; None where the visitor has none, or it was too large to keep."""
    return _video.get()


def set_video(video: Video) -> None:
    """In place of the last one."""
    remove_video()
    _video.set(video)


def remove_video() -> None:
    """Take the video out, with what was read of it."""
    if job := video_job.take():
        job.cancel()
    _video.set(None)
    empty_inputs()


def drop_large_video() -> None:
    """Once the video is being read: let go of it where it does not fit beside the photos. What is read of it stays."""
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
    """Take a photo out, with all that is known of it."""
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
    """Of the photos and the snapshot in which faces were found, the one that was put in last."""
    found = {reading.photo.key for reading in _results.get().values() if reading.faces}
    own = [photo for photo in (*_photos.get(), _snapshot.get()) if photo and photo.key in found]
    return min(own, key=lambda photo: photo.key != _newest.get(), default=None)


def as_whole(photo: str) -> bool:
    """Whether the visitor asked to take this whole photo for one face. photo: its key."""
    return photo in _whole_photos.get()


def take_whole(photo: str, whole: bool = True) -> None:
    photos = _whole_photos.get()
    photos.add(photo) if whole else photos.discard(photo)


def selected_face(photo: str) -> FaceBox | None:
    """Where the face is that the visitor selected in this photo, if they did. photo: its key."""
    return _selected_faces.get().get(photo)


def select_face(photo: str, box: FaceBox) -> None:
    faces = _selected_faces.get()
    faces[photo] = box
    faces.move_to_end(photo)


def last_selected(photos: Iterable[str]) -> str | None:
    """In which of these photos a face was selected last. photos: their keys."""
    among = set(photos)
    return next((photo for photo in reversed(_selected_faces.get()) if photo in among), None)


def results() -> OrderedDict[tuple[str, ...], Reading]:
    """This visitor's photos as they were read. Where their files are too large together, those leave that are not
    among the photos and snapshots put in, the oldest first.
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
    """Stop this visitor's stream; what is being recorded is not lost."""
    stream = live.get()
    if stream is None or not stream.wanted:
        return
    if stream.analyzer.state().recording:
        recording.set(stream.analyzer.stop_recording())
    stream.stop()
