"""What Predict remembers of a visitor: views, photos, the live stream, the video. Other pages read the photos."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from typing import TYPE_CHECKING

import streamlit as st

from fer.app import session
from fer.app.explain import state as explain_state
from fer.app.session import RecentSlot, Slot
from fer.limits import limits
from fer.records import FaceBox

if TYPE_CHECKING:  # they load PyAV and more, or need this module
    from fer.app.predict.photo_reading import Reading
    from fer.app.predict.video_job import VideoJob
    from fer.app.predict.webcam import Stream
    from fer.records import FaceRecord

TABS = "predict_tabs"  # the tabs' own key
VIEWS = {"photos": "Photos", "camera": "Camera", "live": "Live", "video": "Video"}
FACE_ORDERS = ("size", "uncertainty")  # as the page calls them
MAX_RESULTS = 120  # more than limits().photos, else each click would read them all again

_requested_view: Slot[str | None] = Slot("wanted_predict_view", lambda: None)
_results: RecentSlot[tuple[str, ...], Reading] = RecentSlot("photo_results", MAX_RESULTS)
_whole_photos: Slot[set[str]] = Slot("whole_photos", set)
sample: Slot[str | None] = Slot("chosen_sample", lambda: None)  # the sample photo in use
# The face that is selected in each photo, by the photo's key: a box, since another detector numbers faces anew. The
# picture, the list, the table and Explain all show it and change it; the last one that was selected is at the end.
_selected_faces: RecentSlot[str, FaceBox] = RecentSlot("selected_faces", MAX_RESULTS)
face_order: Slot[str] = Slot("face_order", lambda: FACE_ORDERS[0])
stop_reading: Slot[bool] = Slot("stop_reading", bool)  # the reading of many photos is to end where it is
live: Slot[Stream | None] = Slot("live_stream", lambda: None)
live_error: Slot[str] = Slot("live_error", str)  # why the last stream did not start
recording: Slot[list[FaceRecord]] = Slot("live_recording", list)  # the last one that was stopped
video_job: Slot[VideoJob | None] = Slot("video_job", lambda: None)  # the video that is being read, or was last
sample_video: Slot[bool] = Slot("sample_video", bool)  # whether the sample video is in use


def open_view(name: str) -> None:
    """Open one of VIEWS with the next run of the page: the tabs own their key while they are shown."""
    _requested_view.set(name)


def apply_requested_view() -> None:
    """Before the tabs are shown: open the view that was asked for, by the app or by the address."""
    requested = _requested_view.take()
    if session.widget(TABS, str) is None:
        requested = requested or st.query_params.get("view")
    if requested in VIEWS:
        session.set_widget(TABS, VIEWS[requested])


def choose_sample(name: str | None) -> None:
    sample.set(name)
    explain_state.forget_face()


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
    """This visitor's photos as they were read; the oldest leave first, by their number and by their files' bytes."""
    readings = _results.get()
    size = sum(len(reading.photo.data) for reading in readings.values())
    while readings and size > limits().session_bytes:
        size -= len(readings.popitem(last=False)[1].photo.data)
    return readings


def end_live() -> None:
    """Stop this visitor's stream; what is being recorded is not lost."""
    stream = live.get()
    if stream is None or not stream.wanted:
        return
    if stream.analyzer.state().recording:
        recording.set(stream.analyzer.stop_recording())
    stream.stop()
