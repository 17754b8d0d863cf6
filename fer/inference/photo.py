"""What was read off one photo, as the command line, the page and the service give it out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fer.errors import FerError
from fer.records import Prediction


@dataclass(frozen=True)
class PhotoReading:
    """faces: the largest first. notes: sentences about the file. error: why nothing could be read."""

    path: str
    width: int | None = None
    height: int | None = None
    faces: tuple[Prediction, ...] = ()
    notes: tuple[str, ...] = ()
    error: FerError | None = None

    def to_json(self, stabilities: Sequence[float] = ()) -> dict[str, Any]:
        """One line of `fer predict --json`. stabilities: of the first faces, where they were measured."""
        faces = [face.to_json() for face in self.faces]
        for face, share in zip(faces, stabilities):
            face["stability"] = round(share, 3)
        return {
            "path": self.path,
            "width": self.width,
            "height": self.height,
            "faces": faces,
            "notes": list(self.notes),
            "error": self.error and {"type": type(self.error).__name__, "message": self.error.message},
        }
