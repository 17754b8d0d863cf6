"""Read a visitor's photos: one result a photo, in this session's memory, never on disk."""

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
STEP_SIDE = 100  # pixels of a step's picture, as it is shown: Streamlit would encode a larger one anew each time


@dataclass(frozen=True)
class Photo:
    """A photo as it came. key: the same for the same bytes under the same name."""

    name: str
    data: bytes

    @cached_property
    def key(self) -> str:
        return hashlib.blake2b(self.name.encode() + b"\0" + self.data, digest_size=12).hexdigest()


def sample(name: str) -> Photo:
    """One of resources.SAMPLE_NAMES."""
    return Photo(f"{name}.jpg", resources.sample_bytes(name))


def sample_name(photo: Photo) -> str | None:
    """Which of the samples this is; None where it is the visitor's own."""
    return _samples().get(photo.key)


@cache
def _samples() -> dict[str, str]:
    return {sample(name).key: name for name in resources.SAMPLE_NAMES}


@dataclass(frozen=True)
class Reading:
    """What was read off one photo, and by what; error is a sentence where nothing could be.

    The answer is whole from the start; stabilities and strips take longer, and are filled in by `follow_up`.
    """

    photo: Photo
    model: Model
    detector: str
    width: int | None = None
    height: int | None = None
    picture: bytes = b""  # for the screen, upright, a JPEG: 100 photos' pixels are gigabytes
    faces: tuple[Prediction, ...] = ()
    notes: tuple[str, ...] = ()  # about the file
    error: FerError | None = None
    recognizer: Recognizer | None = None
    automatic: bool = False  # nobody chose the detector
    # Of the largest faces the share of views that keep the label; and of each face that was looked at, how it got to
    # the network, as small JPEGs by the names in STEPS.
    stabilities: list[float] = field(default_factory=list, compare=False)
    strips: dict[int, dict[str, bytes]] = field(default_factory=dict, compare=False)

    @property
    def reader(self) -> Recognizer:
        """What reads the photo. Raises ValueError where its model could not be loaded, and so nothing was read."""
        if self.recognizer is None:
            raise ValueError(f"no model read {self.photo.name}")
        return self.recognizer

    @property
    def measured_faces(self) -> list[Prediction]:
        """The faces, with their stability where it is known by now."""
        known: list[float | None] = [*self.stabilities, *[None] * (len(self.faces) - len(self.stabilities))]
        return [replace(face, stability=share) for face, share in zip(self.faces, known)]

    def image_rgb(self) -> np.ndarray:
        """The photo's pixels, decoded again."""
        return decode(self.photo.data, limits()).rgb

    def strip(self, number: int) -> dict[str, bytes]:
        """How face `number`, from 1, got to the network, as small pictures; made when first asked for, then kept."""
        if number not in self.strips:
            self._make(number, work_queue.photo_slot)
        return self.strips[number]

    def followed_up(self, number: int) -> bool:
        """Whether everything about face `number` is known, so that `follow_up` costs nothing."""
        return number in self.strips and bool(self.stabilities)

    def follow_up(self, number: int) -> None:
        """Measure the stabilities and picture the steps of face `number`, from 1, where they are not known; keep them.

        Takes a place of the queue, behind all photos that have no answer yet: not to be called from inside it.
        """
        if not self.followed_up(number):
            self._make(number, work_queue.follow_up_slot, measure=not self.stabilities)

    def _make(self, number: int, place: Callable[[], AbstractContextManager[None]], measure: bool = False) -> None:
        # The photo is decoded again: kept since its answer, the pixels of all visitors' photos would fill the memory.
        with place():
            image_rgb = self.image_rgb()
            self.strips[number] = _strip(self.reader, image_rgb, self.faces[number - 1])
            if measure:
                largest = list(self.faces[: limits().stable_faces])
                self.stabilities[:] = stability(self.reader, image_rgb, largest)

    @property
    def key(self) -> tuple[str, ...]:
        """The same for the same photo, read by the same weights and detector: a run replaces its weights by better."""
        digest = self.recognizer.card.sha256 if self.recognizer else ""
        return (self.photo.key, self.model.spec, digest, self.detector, str(self.automatic))

    def to_json(self) -> dict[str, Any]:
        """The same line as `python -m fer predict --json` prints, plus model and detector."""
        reading = PhotoReading(
            self.photo.name, self.width, self.height, tuple(self.measured_faces), self.notes, self.error
        )
        return {
            **reading.to_json(),
            "model": self.model.name,
            "detector": self.detector,
        }


def read_photo(photo: Photo) -> Reading:
    """The answer: decode, detect and read by the session's model and detector; remembered, so that a click costs
    nothing.

    Takes a place of the queue for what is not known yet: not to be called from inside it.
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


def known(photo: Photo) -> Reading | None:
    """What was read off this photo in this session by the model and detector in use, else None."""
    return state.results().get(_unread(photo)[0].key)


def failed(photo: Photo, error: FerError) -> Reading:
    """In place of a reading that could not be made."""
    return Reading(photo, session.model(), session.detector.get(), error=error)


def _unread(photo: Photo) -> tuple[Reading, Detector]:
    """The reading to be made, with an error where its model cannot be loaded, and the detector to make it with."""
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
    """Found, aligned, gray, standardized: a JPEG each."""
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
    """One record a face, for the table and the CSV."""
    return [
        FaceRecord(face, reading.photo.name, person=number, model=reading.model.name)
        for reading in readings
        for number, face in enumerate(reading.measured_faces, 1)
    ]


def to_csv(records: list[FaceRecord]) -> bytes:
    return faces_csv(records).encode()


def to_json(readings: list[Reading]) -> bytes:
    return json.dumps([reading.to_json() for reading in readings], indent=2, ensure_ascii=False).encode()
