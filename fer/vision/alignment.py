"""Crop a face out of a photo as FER2013's pictures were cropped, with the eyes level.

FER2013's crop was measured by running each detector on enlarged Training pictures
(`python -m fer tools crop-measurement --data fer2013.csv`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import cv2
import numpy as np

from fer.errors import FerError
from fer.records import FaceBox
from fer.vision.registry import DETECTOR_SPECS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Landmarks = tuple[tuple[float, float], ...]

REFERENCE = 48.0  # measurements are in pixels of FER2013's 48 x 48 pictures
MAX_SUPERSAMPLING = 12  # samples per pixel and axis; bounds the work for a face of many megapixels


# From YuNet's landmarks in FER2013: the distance between the eyes, the distance from their midpoint to the midpoint of
# the mouth corners, and the point halfway between those two midpoints.
EYE_DISTANCE, EYES_TO_MOUTH, EYES_MOUTH_MIDDLE = 16.9, 17.2, (23.7, 27.0)


@dataclass(frozen=True)
class Crop:
    """A square in a photo: center and side in pixels, rotation in radians clockwise."""

    center_x: float
    center_y: float
    side: float
    roll: float = 0.0


def face_crop(box: FaceBox) -> Crop:
    """The square to crop for a face: from its box, corrected for its detector, averaged with that from its landmarks.

    On 3,337 PublicTest faces that YuNet found, averaging box and landmarks gave the best accuracy of six methods
    (62.4%; upright box 60.8%, landmarks alone 61.7%, the original pictures 61.5%). Raises FerError for an unknown
    detector.
    """
    if box.detector not in DETECTOR_SPECS:
        raise FerError(f"There is no detector {box.detector!r}. Set FaceBox.detector to {', '.join(DETECTOR_SPECS)}.")
    median = DETECTOR_SPECS[box.detector].median
    roll = _roll(box)
    unit = np.sqrt(box.area) / median.side  # photo pixels per FER2013 pixel
    by_box = _square((box.x + box.width / 2, box.y + box.height / 2), median.center, unit, roll)
    if box.landmarks is None:
        return by_box
    across, down = _units(box.landmarks)
    by_landmarks = _by_landmarks(box.landmarks, (across + down) / 2, roll)
    return Crop(
        (by_box.center_x + by_landmarks.center_x) / 2,
        (by_box.center_y + by_landmarks.center_y) / 2,
        (by_box.side + by_landmarks.side) / 2,
        roll,
    )


def whole_face(box: FaceBox) -> Crop:
    """FER2013's square around the whole face, even where the face extends beyond the picture.

    A box covers only the visible part of a face; the eyes and mouth show how far the rest extends. Uses the larger of
    the two landmark scales, since turning a face shortens the other. Without landmarks, the same as `face_crop`.
    """
    if box.landmarks is None:
        return face_crop(box)
    return _by_landmarks(box.landmarks, max(_units(box.landmarks)), _roll(box))


def align_face(image_rgb: NDArray[np.uint8], box: FaceBox, size: int = 48) -> NDArray[np.uint8]:
    """Crop one face, upright, with FER2013's margin. (H, W, 3) uint8 RGB -> (size, size) uint8 gray.

    Outside the photo, its edge pixels are repeated.
    """
    if box.whole:
        return _resize_whole(image_rgb, size)
    return cut(image_rgb, face_crop(box), size)


def cut(image_rgb: NDArray[np.uint8], crop: Crop, size: int = 48, gray: bool = True) -> NDArray[np.uint8]:
    """Resample a rotated square, averaging pixels if it is scaled down.

    Returns (size, size) uint8, or (size, size, 3) if gray is False.
    """
    matrix, supersampling = crop_matrix(crop, size)
    fine = size * supersampling
    window, matrix = _window(image_rgb, matrix, fine)
    sampled = cv2.warpAffine(
        cv2.cvtColor(window, cv2.COLOR_RGB2GRAY) if gray else window,
        matrix,
        (fine, fine),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    face = cv2.resize(sampled, (size, size), interpolation=cv2.INTER_AREA) if supersampling > 1 else sampled
    return cast("NDArray[np.uint8]", face)


def crop_matrix(crop: Crop, size: int) -> tuple[NDArray[np.float64], int]:
    """The (2, 3) matrix from the supersampled face's pixels to the photo's, and the samples per pixel and axis."""
    supersampling = int(np.clip(np.ceil(crop.side / size), 1, MAX_SUPERSAMPLING))
    scale = crop.side / (size * supersampling)
    cosine, sine = np.cos(crop.roll) * scale, np.sin(crop.roll) * scale
    turn = np.array([[cosine, -sine], [sine, cosine]])
    middle = (size * supersampling - 1) / 2
    offset = np.array([crop.center_x - 0.5, crop.center_y - 0.5]) - turn @ [middle, middle]
    return np.column_stack([turn, offset]), supersampling


def _window(
    image_rgb: NDArray[np.uint8], matrix: NDArray[np.float64], fine: int
) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """The part of the photo that the square touches, so that the work depends on the face's size, not the photo's."""
    corners = matrix @ np.array([[-1, fine, -1, fine], [-1, -1, fine, fine], [1, 1, 1, 1]])
    height, width = image_rgb.shape[:2]
    left, top = (int(np.clip(np.floor(v.min()) - 1, 0, end - 1)) for v, end in zip(corners, (width, height)))
    right, bottom = (
        int(np.clip(np.ceil(v.max()) + 2, low + 1, end)) for v, low, end in zip(corners, (left, top), (width, height))
    )
    shifted = matrix.copy()
    shifted[:, 2] -= [left, top]
    return np.ascontiguousarray(image_rgb[top:bottom, left:right]), shifted


def _square(
    anchor: tuple[float, float] | NDArray[np.float64],
    anchor_in_reference: tuple[float, float],
    unit: float,
    roll: float,
) -> Crop:
    """Place the 48 x 48 square so that its point anchor_in_reference lies on the photo's point anchor."""
    dx = (REFERENCE / 2 - anchor_in_reference[0]) * unit
    dy = (REFERENCE / 2 - anchor_in_reference[1]) * unit
    cosine, sine = np.cos(roll), np.sin(roll)
    return Crop(
        float(anchor[0] + cosine * dx - sine * dy),
        float(anchor[1] + sine * dx + cosine * dy),
        float(REFERENCE * unit),
        roll,
    )


def _units(landmarks: Landmarks) -> tuple[float, float]:
    """Photo pixels per FER2013 pixel: from the distance between the eyes, and from the eyes to the mouth."""
    points = np.array(landmarks)
    across, down = points[1] - points[0], points[3:5].mean(0) - points[:2].mean(0)
    return float(np.linalg.norm(across)) / EYE_DISTANCE, float(np.linalg.norm(down)) / EYES_TO_MOUTH


def _by_landmarks(landmarks: Landmarks, unit: float, roll: float) -> Crop:
    points = np.array(landmarks)
    return _square((points[:2].mean(0) + points[3:5].mean(0)) / 2, EYES_MOUTH_MIDDLE, unit, roll)


def _roll(box: FaceBox) -> float:
    if box.landmarks is None:
        return -math.radians(box.rotation)
    (right_x, right_y), (left_x, left_y) = box.landmarks[:2]
    return float(np.arctan2(left_y - right_y, left_x - right_x))


def _resize_whole(image_rgb: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """The whole picture as one face, resized to a square; a picture that already has the size is unchanged."""
    gray = cast("NDArray[np.uint8]", cv2.cvtColor(image_rgb, cv2.COLOR_RGB2GRAY))
    if gray.shape == (size, size):
        return gray
    shrinks = min(gray.shape) >= size
    face = cv2.resize(gray, (size, size), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    return cast("NDArray[np.uint8]", face)
