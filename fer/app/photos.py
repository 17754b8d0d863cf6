"""Read a visitor's photos: one result a photo, in this session's memory, never on disk."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from dataclasses import dataclass, replace

import numpy as np

from fer.app import resources, state
from fer.errors import FerError
from fer.expressions import NAMES
from fer.inference.recognizer import Recognizer
from fer.records import Prediction
from fer.vision.images import decode_image

MAX_PHOTOS = 100


@dataclass(frozen=True)
class Photo:
    """A photo as it came. key: the same for the same bytes under the same name."""

    name: str
    data: bytes

    @property
    def key(self) -> str:
        return hashlib.blake2b(self.name.encode() + b"\0" + self.data, digest_size=12).hexdigest()


@dataclass(frozen=True)
class Reading:
    """What was read off one photo, and by what; error is a sentence where nothing could be."""

    photo: Photo
    model: str
    detector: str
    image_rgb: np.ndarray | None = None
    faces: tuple[Prediction, ...] = ()
    error: FerError | None = None
    recognizer: Recognizer | None = None

    @property
    def key(self) -> tuple[str, ...]:
        """The same for the same photo, read by the same weights and detector: a run replaces its weights by better."""
        return (self.photo.key, self.model, self.recognizer.card.sha256 if self.recognizer else "", self.detector)

    def to_json(self) -> dict:
        """The same line as `python -m fer predict --json` prints, plus model and detector."""
        height, width = self.image_rgb.shape[:2] if self.image_rgb is not None else (None, None)
        error = self.error and {"type": type(self.error).__name__, "message": self.error.message}
        return {"path": self.photo.name, "width": width, "height": height,
                "faces": [face.to_json() for face in self.faces], "error": error,
                "model": self.model, "detector": self.detector}


def read_photo(photo: Photo) -> Reading:
    """Decode, detect and read by the session's model and detector; remembered, so that a click costs nothing."""
    model = state.model()
    detector = resources.detector("none" if state.as_whole(photo.key) else state.detector())
    try:
        recognizer = resources.recognizer(model)
    except FerError as error:
        return Reading(photo, model, detector.name, error=error)
    unread, kept = Reading(photo, model, detector.name, recognizer=recognizer), state.results()
    if unread.key not in kept:
        try:
            image_rgb = decode_image(photo.data)
            faces = recognizer.predict(image_rgb, detector)
            kept[unread.key] = replace(unread, image_rgb=image_rgb, faces=tuple(faces))
        except FerError as error:
            kept[unread.key] = replace(unread, error=error)
    kept.move_to_end(unread.key)
    return kept[unread.key]


def rows_of(readings: list[Reading]) -> list[dict]:
    """One row a face, for the table and the CSV."""
    rows = []
    for reading in readings:
        for number, face in enumerate(reading.faces, 1):
            rows.append({
                "photo": reading.photo.name, "face": number, "expression": face.expression,
                "confidence": round(face.confidence, 4), "sure": face.sure,
                **{name: round(p, 4) for name, p in zip(NAMES, face.probabilities, strict=True)},
                "x": round(face.box.x, 1), "y": round(face.box.y, 1),
                "width": round(face.box.width, 1), "height": round(face.box.height, 1),
                "quality": "; ".join(face.quality.reasons) or "ok", "model": reading.model,
                "detector": reading.detector})
    return rows


def to_csv(rows: list[dict]) -> bytes:
    """UTF-8 CSV. A name that a spreadsheet would run as a formula gets a quote before it."""
    file = io.StringIO()
    writer = csv.DictWriter(file, list(rows[0]) if rows else ["photo"])
    writer.writeheader()
    for row in rows:
        name = row["photo"]
        writer.writerow({**row, "photo": f"'{name}" if name[:1] in ("=", "+", "-", "@", "\t") else name})
    return file.getvalue().encode()


def to_json(readings: list[Reading]) -> bytes:
    return json.dumps([reading.to_json() for reading in readings], indent=2, ensure_ascii=False).encode()
