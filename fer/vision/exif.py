"""Read only the orientation from EXIF, so that damage elsewhere in it does not matter."""

from __future__ import annotations

from typing import Literal

ORIENTATION = 0x0112
_BYTES = {1: 1, 3: 2, 4: 4, 6: 1, 8: 2, 9: 4}  # size of an integer, by tag type


def orientation(exif: bytes) -> int:
    """A TIFF header and its first directory, with or without a leading `Exif` -> 1 to 8; 1 if there is none."""
    if exif[:4] == b"Exif":
        exif = exif[6:]
    order = byte_order(exif)
    if order is None:
        return 1
    at = int.from_bytes(exif[4:8], order)
    count = int.from_bytes(exif[at : at + 2], order)
    for entry in range(at + 2, min(at + 2 + 12 * count, len(exif) - 11), 12):
        if int.from_bytes(exif[entry : entry + 2], order) == ORIENTATION:
            return value(exif[entry + 2 : entry + 4], exif[entry + 8 : entry + 12], order) or 1
    return 1


def value(kind: bytes, content: bytes, order: Literal["little", "big"]) -> int | None:
    """The orientation, 1 to 8, from its tag's type and content; None if it is invalid."""
    found = int.from_bytes(content[: _BYTES.get(int.from_bytes(kind, order), 0)], order)
    return found if 1 <= found <= 8 else None


def byte_order(tiff: bytes) -> Literal["little", "big"] | None:
    return {b"II": "little", b"MM": "big"}.get(tiff[:2])  # type: ignore[return-value]
