"""The result for one photo, as the command line, the page and the service report it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from fer.errors import FerError
from fer.records import Prediction
from fer.vision.images import DecodedImage
from fer.vision.search import CROP_SIDE, is_crop


@dataclass(frozen=True)
class PhotoReading:
    """faces: largest first. notes: sentences about the file. error: why the photo could not be read."""

    path: str
    width: int | None = None
    height: int | None = None
    faces: tuple[Prediction, ...] = ()
    notes: tuple[str, ...] = ()
    error: FerError | None = None

    @classmethod
    def of(cls, path: str, decoded: DecodedImage, faces: Sequence[Prediction]) -> PhotoReading:
        """Collect the faces and notes, including how the faces were found if that was unusual."""
        height, width = decoded.rgb.shape[:2]
        return cls(path, width, height, tuple(faces), (*decoded.notes, *_how_found(faces, decoded)))

    @property
    def rotation(self) -> int:
        """How far the photo was turned to make its faces upright, in degrees clockwise."""
        return self.faces[0].box.rotation if self.faces else 0

    def to_json(self) -> dict[str, Any]:
        """One line of `fer predict --json`."""
        return {
            "path": self.path,
            "width": self.width,
            "height": self.height,
            "rotation": self.rotation,
            "faces": [face.to_json() for face in self.faces],
            "notes": list(self.notes),
            "error": self.error and {"type": type(self.error).__name__, "message": self.error.message},
        }


def _how_found(faces: Sequence[Prediction], decoded: DecodedImage) -> Iterator[str]:
    box = faces[0].box if faces else None
    if box and box.rotation:
        yield f"The photo is not upright: its faces were found after turning it by {box.rotation}° clockwise."
    if box and box.whole and is_crop(decoded.rgb):
        yield f"A picture of at most {CROP_SIDE} pixels is treated as one face. Choose a detector to search it for one."
