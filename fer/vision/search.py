"""Find the faces in a photo, even if it is rotated or a face fills it.

Not for video or live frames: a frame without a face must not cost ten times as much.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from fer.records import FaceBox
from fer.vision.alignment import align_face
from fer.vision.detection import LONG_SIDE, Auto, Detector, WholePicture, bounded, merge
from fer.vision.quality import assess
from fer.vision.registry import DETECTOR_SPECS

if TYPE_CHECKING:
    from numpy.typing import NDArray

CROP_SIDE = 64  # pixels: pictures up to this size, such as FER2013's own, are already face crops
SMALLER_SIDES = (320, 160)  # pixels: search sizes that find a face that fills the picture
CLOSEUP = 0.4  # the part of a picture's width or height from which a face is a close-up
TURNS = (90, 180, 270)
HALF = 0.5  # the part of a score above this counts as evidence for a face


def is_crop(image_rgb: NDArray[np.uint8]) -> bool:
    """Whether a picture is small enough to be a face crop."""
    height, width = image_rgb.shape[:2]
    return bool(max(height, width) <= CROP_SIDE)


def find_faces(image_rgb: NDArray[np.uint8], detector: Detector, long_side: int = LONG_SIDE) -> list[FaceBox]:
    """All faces in a photo (H, W, 3) uint8, largest first, in its own pixels; an empty list if there are none.

    If no face is clear, searches the photo at smaller sizes, then turned by 90, 180 and 270 degrees, and keeps the
    orientation with the best faces; their boxes' `rotation` tells which. If one is, but a close-up is not, searches the
    smaller sizes for that. The "auto" detector treats a picture up to CROP_SIDE as one face.
    """
    if isinstance(detector, Auto) and is_crop(image_rgb):
        return WholePicture().detect(image_rgb)
    found = detector.detect(image_rgb, long_side)
    if detector.name == WholePicture.name:
        return found
    shape, clear = image_rgb.shape, _is_clear(image_rgb, found)
    if clear and not any(_is_closeup(shape, box) and not _scores_high(box) for box in found):
        return found
    small, factor = bounded(image_rgb, long_side)
    smaller, clear_at_smaller = _at_smaller_sides(small, detector)
    closer = [box.scaled(1 / factor) for box in smaller]
    if clear:
        return merge([*found, *(box for box in closer if _is_closeup(shape, box))])
    if clear_at_smaller:
        return closer
    best = found
    for degrees in TURNS:
        turned = np.ascontiguousarray(np.rot90(small, -degrees // 90))
        boxes = detector.detect(turned, long_side)
        if not _is_clear(turned, boxes):
            smaller, clear = _at_smaller_sides(turned, detector)
            boxes = smaller if clear else []
        if _evidence(boxes) > _evidence(best):
            best = [_turned_back(box, degrees, small.shape, factor) for box in boxes]
    return best or closer  # unclear faces are reported too


def _at_smaller_sides(picture: NDArray[np.uint8], detector: Detector) -> tuple[list[FaceBox], bool]:
    """The faces at the first of SMALLER_SIDES with a clear one, otherwise the best found; and whether one is clear."""
    tried = []
    for side in SMALLER_SIDES:
        if side < max(picture.shape[:2]):
            tried.append(detector.detect(picture, side))
            if _is_clear(picture, tried[-1]):
                return tried[-1], True
    return max(tried, key=_evidence, default=[]), False


def _is_clear(image_rgb: NDArray[np.uint8], boxes: list[FaceBox]) -> bool:
    """Whether at least one face can be read and scores as high as an upright face."""
    return any(_scores_high(box) and assess(image_rgb.shape, box, align_face(image_rgb, box)).ok for box in boxes)


def _scores_high(box: FaceBox) -> bool:
    return box.score >= DETECTOR_SPECS[box.detector].clear_score


def _is_closeup(shape: tuple[int, ...], box: FaceBox) -> bool:
    """Whether a face fills much of a picture (H, W, ...)."""
    return max(box.width / shape[1], box.height / shape[0]) >= CLOSEUP


def _evidence(boxes: list[FaceBox]) -> float:
    return sum(max(box.score - HALF, 0.0) for box in boxes)


def _turned_back(box: FaceBox, degrees: int, shape: tuple[int, ...], factor: float) -> FaceBox:
    """A box in the scaled picture, turned clockwise -> the box in the original. shape: (H, W, ...) before turning."""
    height, width = shape[:2]

    def back(x: float, y: float) -> tuple[float, float]:
        return {90: (y, height - x), 180: (width - x, height - y), 270: (width - y, x)}[degrees]

    (left, top), (right, bottom) = back(box.x, box.y), back(box.x + box.width, box.y + box.height)
    there = replace(
        box,
        x=min(left, right),
        y=min(top, bottom),
        width=abs(right - left),
        height=abs(bottom - top),
        landmarks=box.landmarks and tuple(back(x, y) for x, y in box.landmarks),
        rotation=degrees,
    )
    return there.scaled(1 / factor)
