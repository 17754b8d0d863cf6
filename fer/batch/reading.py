"""Read one input; every worker calls this, on this machine or another."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
import os
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace

import cv2

import fer
from fer.batch.inputs import Input
from fer.errors import FerError
from fer.failure_log import log_failure
from fer.inference.photo import PhotoReading
from fer.inference.recognizer import Recognizer, load
from fer.inference.stability import with_stability
from fer.inference.video import READINGS_PER_S, read_video
from fer.memory import LARGE_PIXELS, return_freed_memory, share_arenas
from fer.models.card import Card
from fer.models.graph import card_of
from fer.records import FaceRecord
from fer.vision.detection import Auto, Detector, load_detector
from fer.vision.images import read

PIECE = 2**16  # bytes of a table to unpack at a time


@dataclass(frozen=True)
class Settings:
    """The settings of a table; inputs read with other settings are read again.

    card: the digest of the model's card. automatic: whether `auto` chose the detector, which then takes a photo the
    size of a face crop as one face (`fer.vision.search.find_faces`).
    """

    model: str
    card: str
    detector: str
    device: str = "cpu"
    readings_per_s: float = READINGS_PER_S
    stability: bool = False
    automatic: bool = False

    @property
    def key(self) -> str:
        """Identifies settings that produce the same table, so it ignores the model's path and the device."""
        values = {**asdict(self), "model": "", "device": "", "version": fer.__version__}
        if not self.automatic:
            del values["automatic"]  # as in ledgers from before this setting, whose photos were all read like this
        return _digest(values)[:16]


def settings_for(
    model: str, detector: str, device: str = "cpu", readings_per_s: float = READINGS_PER_S, stability: bool = False
) -> Settings:
    """Settings with the weights and detector resolved, so that every worker uses the same. Raises FerError."""
    card, found = card_digest(card_of(model)), load_detector(detector)
    return Settings(model, card, found.name, device, readings_per_s, stability, isinstance(found, Auto))


@dataclass(frozen=True)
class Reading:
    """The result for one input: its compressed table lines, or an error sentence.

    size, changed_ns: the file's when it was read, to detect changes. key: the settings' key. Workers send it, and the
    ledger stores it, as JSON.
    """

    input: str
    size: int
    changed_ns: int
    key: str
    video: bool
    faces: int = 0
    answers: dict[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    seconds: float = 0.0
    table: bytes = field(default=b"", repr=False)  # CSV lines, compressed
    error: str = ""

    def lines(self) -> Iterator[bytes]:
        """The CSV lines in UTF-8, in chunks."""
        unpacking, packed = zlib.decompressobj(), self.table
        while packed:
            yield unpacking.decompress(packed, PIECE)
            packed = unpacking.unconsumed_tail
        yield unpacking.flush()

    def to_line(self) -> str:
        return json.dumps({**asdict(self), "table": base64.b64encode(self.table).decode()})

    @classmethod
    def from_line(cls, line: str | bytes) -> Reading:
        """Parse a line written by to_line. Raises ValueError for any other."""
        try:
            values = json.loads(line)
            packed = base64.b64decode(values["table"], validate=True)
            return cls(**{**values, "table": packed, "notes": tuple(values["notes"])})
        except (TypeError, KeyError) as error:
            raise ValueError(f"this is not a reading: {error}") from None


def card_digest(card: Card) -> str:
    """Identifies a model regardless of its name, by its card, which includes its files' sha256."""
    return _digest(card.to_json())


def _digest(values: object) -> str:
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


class Reader:
    """A worker's model and detector, each on one thread. Raises FerError if they do not match the settings."""

    def __init__(self, settings: Settings) -> None:
        cv2.setNumThreads(1)
        share_arenas()
        self.settings = settings
        self.recognizer: Recognizer = load(settings.model, threads=1, device=settings.device)
        detector = load_detector(settings.detector)
        self.detector: Detector = Auto(detector) if settings.automatic else detector
        if card_digest(self.recognizer.card) != settings.card:
            raise FerError(
                f"{self.recognizer.name} on this worker differs from the model on the machine that started the batch. "
                "Copy the same weights to every machine."
            )


class Interrupted(Exception):
    """The batch no longer wants this input."""


def read_input(reader: Reader, given: Input, on_progress: Callable[[float], bool] = lambda done: True) -> Reading:
    """Read a photo or video; reports a bad input in the Reading instead of raising.

    on_progress: called with the share of a video that is done, 0..1; raises Interrupted if it returns False.
    """
    began, settings = time.monotonic(), reader.settings
    size, changed_ns = file_state(given)
    blank = Reading(given.name, size, changed_ns, settings.key, given.is_video)
    packing = _Packing()
    notes: tuple[str, ...] = ()
    try:
        if given.is_video:
            notes = _read_video(reader, given, packing, on_progress)
        else:
            notes = _read_photo(reader, given, packing)
    except Interrupted:
        raise
    except FerError as error:
        return replace(blank, error=error.message)
    except MemoryError:
        return replace(blank, error="There is not enough memory for it. Save it smaller, or use fewer --workers.")
    except Exception as error:  # one input must not end the batch
        number = log_failure("An input failed", error)
        return replace(blank, error=f"Something went wrong on our side (number {number} in the log).")
    return replace(
        blank,
        faces=packing.count,
        answers=dict(packing.answers),
        notes=notes,
        seconds=round(time.monotonic() - began, 3),
        table=packing.packed(),
    )


def file_state(given: Input) -> tuple[int, int]:
    """The size and modification time, in nanoseconds, of an input's file; -1 and 0 if it is missing."""
    try:
        stat = os.stat(given.path)
        return stat.st_size, stat.st_mtime_ns
    except (OSError, ValueError):
        return -1, 0


def _read_photo(reader: Reader, given: Input, packing: _Packing) -> tuple[str, ...]:
    decoded, recognizer = read(given.path), reader.recognizer
    faces = recognizer.predict(decoded.rgb, reader.detector)
    if reader.settings.stability:
        faces = with_stability(recognizer, decoded.rgb, faces)
    packing.add(
        FaceRecord(face, given.name, person=number, model=recognizer.name) for number, face in enumerate(faces, 1)
    )
    notes = PhotoReading.of(given.name, decoded, faces).notes
    if decoded.rgb.size > 3 * LARGE_PIXELS:
        del decoded
        return_freed_memory()
    return notes


def _read_video(
    reader: Reader, given: Input, packing: _Packing, on_progress: Callable[[float], bool]
) -> tuple[str, ...]:
    video = read_video(
        given.path,
        None,
        reader.recognizer,
        reader.detector,
        lambda frame_rgb, faces: frame_rgb,
        reader.settings.readings_per_s,
        lambda progress: on_progress(progress.done),
        on_rows=lambda rows: packing.add(replace(row, input=given.name) for row in rows),
    )
    if video.cancelled:
        raise Interrupted
    return video.notes


class _Packing:
    """Compresses faces into CSV lines: an hour of video takes a few megabytes."""

    def __init__(self) -> None:
        self.count, self.answers = 0, Counter[str]()
        self._compressor, self._parts = zlib.compressobj(6), list[bytes]()

    def add(self, faces: Iterable[FaceRecord]) -> None:
        for face in faces:
            self.count += 1
            self.answers[face.prediction.answer] += 1
            line = csv_line(face.to_row()).encode("utf-8", "backslashreplace")
            if packed := self._compressor.compress(line):
                self._parts.append(packed)

    def packed(self) -> bytes:
        """All compressed lines; call it last."""
        return b"".join([*self._parts, self._compressor.flush()])


def csv_line(values: Sequence[str]) -> str:
    """One line of CSV with its line ending."""
    file = io.StringIO()
    csv.writer(file).writerow(values)
    return file.getvalue()
