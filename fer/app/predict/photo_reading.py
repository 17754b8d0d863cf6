"""Read a visitor's photos: one result per photo, in this session's memory, never on disk."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from typing import Any

import cv2
import numpy as np

from fer.app import resources, session, work_queue
from fer.app.model_choice import Model
from fer.app.predict import state
from fer.errors import FerError
from fer.inference.photo import PhotoReading
from fer.inference.recognizer import Recognizer
from fer.inference.stability import stability
from fer.limits import limits
from fer.memory import return_freed_memory
from fer.records import FaceRecord, Prediction, faces_csv
from fer.vision.detection import Auto, Detector
from fer.vision.images import decode
from fer.visualization import render

STEPS = ("Found", "Aligned", "Gray", "Standardized")
STEP_SIDE = 100  # displayed size of a step's picture in pixels; Streamlit would re-encode a larger one each time


@dataclass(frozen=True)
class Photo:
    """A photo as received. key: the same for the same bytes and name."""

    name: str
    data: bytes

    @cached_property
    def key(self) -> str:
        return hashlib.blake2b(self.name.encode() + b"\0" + self.data, digest_size=12).hexdigest()


def sample(name: str) -> Photo:
    """One of resources.SAMPLE_NAMES."""
    return Photo(f"{name}.jpg", resources.sample_bytes(name))


def sample_name(photo: Photo) -> str | None:
    """The sample's name; None for the visitor's own photo."""
    return _samples().get(photo.key)


@cache
def _samples() -> dict[str, str]:
    return {sample(name).key: name for name in resources.SAMPLE_NAMES}


@dataclass(frozen=True)
class Reading:
    """One photo's result, with its model and detector; error is a sentence if the photo could not be read.

    The answer is complete from the start; stabilities and strips take longer, and are added by `follow_up`.
    """

    photo: Photo
    model: Model
    detector: str
    width: int | None = None
    height: int | None = None
    picture: bytes = b""  # for the screen, upright, as JPEG, since the pixels of 100 photos take gigabytes
    faces: tuple[Prediction, ...] = ()
    notes: tuple[str, ...] = ()  # about the file
    error: FerError | None = None
    recognizer: Recognizer | None = None
    automatic: bool = False  # the detector was chosen automatically
    # For the largest faces, the share of views that keep the label; for each face viewed, its way to the network as
    # small JPEGs, by the names in STEPS.
    stabilities: list[float] = field(default_factory=list, compare=False)
    strips: dict[int, dict[str, bytes]] = field(default_factory=dict, compare=False)

    @property
    def reader(self) -> Recognizer:
        """The model that read the photo. Raises ValueError if it could not be loaded, so that nothing was read."""
        if self.recognizer is None:
            raise ValueError(f"no model read {self.photo.name}")
        return self.recognizer

    @property
    def measured_faces(self) -> list[Prediction]:
        """The faces, with their stability if already known."""
        known: list[float | None] = [*self.stabilities, *[None] * (len(self.faces) - len(self.stabilities))]
        return [replace(face, stability=share) for face, share in zip(self.faces, known)]

    def image_rgb(self) -> np.ndarray:
        """The photo's pixels, decoded again."""
        return decode(self.photo.data, limits()).rgb

    def strip(self, number: int) -> dict[str, bytes]:
        """The steps from photo to network for face `number`, from 1, as small pictures; made once, on demand."""
        if number not in self.strips:
            self._make(number, work_queue.photo_slot)
        return self.strips[number]

    def followed_up(self, number: int) -> bool:
        """Whether everything about face `number` is known, so that `follow_up` costs nothing."""
        return number in self.strips and bool(self.stabilities)

    def follow_up(self, number: int) -> None:
        """Measure the stabilities and draw the steps of face `number`, from 1, if not yet known, and store them.

        Waits in the queue behind all photos without an answer; do not call it from inside the queue.
        """
        if not self.followed_up(number):
            self._make(number, work_queue.follow_up_slot, measure=not self.stabilities)

    def _make(self, number: int, place: Callable[[], AbstractContextManager[None]], measure: bool = False) -> None:
        # Decode the photo again: keeping the pixels of all visitors' photos would fill the memory.
        with place():
            image_rgb = self.image_rgb()
            self.strips[number] = _strip(self.reader, image_rgb, self.faces[number - 1])
            if measure:
                largest = list(self.faces[: limits().stable_faces])
                self.stabilities[:] = stability(self.reader, image_rgb, largest)

    @property
    def key(self) -> tuple[str, ...]:
        """The same for the same photo, weights and detector; weights by digest, since a run replaces its own."""
        digest = self.recognizer.card.sha256 if self.recognizer else ""
        return (self.photo.key, self.model.spec, digest, self.detector, str(self.automatic))

    def to_json(self) -> dict[str, Any]:
        """The line that `python -m fer predict --json` prints, plus model and detector."""
        reading = PhotoReading(
            self.photo.name, self.width, self.height, tuple(self.measured_faces), self.notes, self.error
        )
        return {
            **reading.to_json(),
            "model": self.model.name,
            "detector": self.detector,
        }


def read_photo(photo: Photo) -> Reading:
    """Decode the photo, and read its faces with the session's model and detector; cached, so that a click costs
    nothing.

    Waits in the queue if not yet known; do not call it from inside the queue.
    """
    unread, detector = _unread(photo)
    if unread.error:
        return unread
    readings = state.results()
    if unread.key not in readings:
        with work_queue.photo_slot():
            readings[unread.key] = _read(unread, detector)
    readings.move_to_end(unread.key)
    return readings[unread.key]


def key_of(photo: Photo) -> tuple[str, ...]:
    """The key of this photo's result by the current model and detector."""
    return _unread(photo)[0].key


def failed(photo: Photo, error: FerError) -> Reading:
    """The result for a photo that could not be read."""
    return Reading(photo, session.model(), session.detector.get(), error=error)


def _unread(photo: Photo) -> tuple[Reading, Detector]:
    """The empty reading, with an error if its model cannot be loaded, and the detector to use."""
    model = session.model()
    detector = resources.detector("none" if state.as_whole(photo.key) else session.detector.get())
    unread = Reading(photo, model, detector.name, automatic=isinstance(detector, Auto))
    try:
        return replace(unread, recognizer=resources.recognizer(model)), detector
    except FerError as error:
        return replace(unread, error=error), detector


def _read(unread: Reading, detector: Detector) -> Reading:
    """The reading of a photo whose recognizer is known."""
    recognizer = unread.reader
    try:
        decoded = decode(unread.photo.data, limits())
        faces = recognizer.predict(decoded.rgb, detector)
        found = PhotoReading.of(unread.photo.name, decoded, faces)
        return replace(
            unread,
            width=found.width,
            height=found.height,
            faces=found.faces,
            notes=found.notes,
            picture=render.jpeg(render.for_screen(decoded.rgb)),
        )
    except FerError as error:
        return replace(unread, error=error)
    finally:
        return_freed_memory()


def _strip(recognizer: Recognizer, image_rgb: np.ndarray, face: Prediction) -> dict[str, bytes]:
    """The face as detected, aligned, gray and standardized, each as JPEG."""
    steps = recognizer.steps(image_rgb, face.box)
    pictures = (
        render.surroundings(image_rgb, face),
        steps.aligned_rgb,
        render.gray_picture(steps.gray),
        render.gray_picture(steps.standardized),
    )
    return {name: _small_jpeg(picture) for name, picture in zip(STEPS, pictures, strict=True)}


def _small_jpeg(picture: np.ndarray) -> bytes:
    """(H, H, 3) or (H, H) uint8 -> a JPEG of STEP_SIDE pixels."""
    small = cv2.resize(picture, (STEP_SIDE, STEP_SIDE), interpolation=cv2.INTER_AREA)
    return render.jpeg(small if small.ndim == 3 else np.repeat(small[..., None], 3, 2))


def records_of(readings: list[Reading]) -> list[FaceRecord]:
    """One record per face, for the table and the CSV."""
    return [
        FaceRecord(face, reading.photo.name, person=number, model=reading.model.name)
        for reading in readings
        for number, face in enumerate(reading.measured_faces, 1)
    ]


def to_csv(records: list[FaceRecord]) -> bytes:
    return faces_csv(records).encode()


def to_json(readings: list[Reading]) -> bytes:
    return json.dumps([reading.to_json() for reading in readings], indent=2, ensure_ascii=False).encode()
