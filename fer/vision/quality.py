"""Check whether a face can be read: each reason against it is in plain words, with its measurement and threshold."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from fer.records import FaceBox, Quality
from fer.vision.alignment import REFERENCE, whole_face
from fer.vision.registry import DETECTOR_SPECS
from fer.wording import percent

if TYPE_CHECKING:
    from numpy.typing import NDArray

REASONS = {  # the browser uses the same words
    "doubtful": "perhaps not a face",
    "plain": "no facial content",
    "small": "too small",
    "dark": "too dark",
    "blurred": "blurred",
    "turned": "turned too far to the side",
    "bright": "overexposed",
    "cut": "cut off by the frame",
}
MIN_SIDE_PX = 20  # the box's shorter side; FER2013's own pictures have 48
DARK_GRAY = 25  # mean gray of the aligned face, 0..255
BRIGHT_GRAY = 235
PLAIN_DEVIATION = 2.0  # of the aligned face's grays; FER2013's blank pictures have up to 0.7, the others 4.1 or more
# The share of a face beyond one edge of the picture. YuNet's box covers only the visible part of a cut face: on 32
# annotated faces with 30% cut off, it reached at most 8% beyond the edge, while the eyes and mouth indicate 25 to 31%
# (medians by side) and put 90 to 100% of these faces above CUT_SHARE. Edges are checked one by one, since a close-up
# loses a little at all four.
CUT_SHARE = 0.15
# Sharpness is the variance of the Laplacian divided by that of the grays. It is 0.12 or more for 99.9% of PublicTest's
# 3,589 faces and 0.07 to 2.0 for the 32 faces of the annotated photos. After a blur of 1.5 pixels, which lowers
# compact's accuracy from 68% to 35%, it is below 0.05 for 95%.
MIN_SHARPNESS = 0.05
# Points spread over a face, (P, 2), relative to the center of FER2013's square and in shares of its side. They cover
# YuNet's median box except the hair and upper forehead, which no expression needs.
FACE_HEIGHT, FACE_TOP, FACE_STEPS = 1.27, 0.1, 24  # height per width; share skipped at the top; points per axis
_FACE, _STEPS = DETECTOR_SPECS["yunet"].median, (np.arange(FACE_STEPS) + 0.5) / FACE_STEPS
FACE_POINTS = np.array(
    [
        (
            (_FACE.center[0] + _FACE.side * (x - 0.5) / FACE_HEIGHT**0.5) / REFERENCE - 0.5,
            (_FACE.center[1] + _FACE.side * (FACE_TOP + (1 - FACE_TOP) * y - 0.5) * FACE_HEIGHT**0.5) / REFERENCE - 0.5,
        )
        for x in _STEPS
        for y in _STEPS
    ]
)
# The nose's distance from the midpoint of the eyes, along the line through them, in units of the eye distance. In the
# annotated photos it is 0.78 to 0.92 for the three faces in profile and at most 0.27 for all others.
MAX_TURN = 0.5


def is_plain(face_gray: NDArray[np.uint8]) -> bool:
    """Whether the face is blank: one even gray."""
    return float(face_gray.std()) < PLAIN_DEVIATION


def assess(image_shape: tuple[int, ...], box: FaceBox, face_gray: NDArray[np.uint8], photo: bool = False) -> Quality:
    """Check one face. image_shape: (H, W, ...) of the picture; face_gray: (S, S) uint8, aligned.

    If the whole picture is treated as one face, its size and edges are not checked. photo: the picture was searched at
    full size, so a low score counts against the face; in a video's small frames even real faces score low.
    """
    found: dict[str, str] = {}  # a name in REASONS -> the measurement
    needed = DETECTOR_SPECS[box.detector].fit_score if photo else 0.0
    if box.score < needed:
        found["doubtful"] = f"The detector's score is {box.score:.2f}; the minimum in a photo is {needed:.2f}."
    plain, mean = is_plain(face_gray), float(face_gray.mean())
    if plain:
        found["plain"] = f"The gray levels vary by {face_gray.std():.1f} of 255; the minimum is {PLAIN_DEVIATION:.0f}."
    side = min(box.width, box.height)
    if side < MIN_SIDE_PX and not box.whole:
        found["small"] = f"The face is {side:.0f} pixels wide; the minimum is {MIN_SIDE_PX}."
    if mean < DARK_GRAY:
        found["dark"] = f"The mean gray level is {mean:.0f} of 255; the minimum is {DARK_GRAY}."
    if not plain and (fine := sharpness(face_gray)) < MIN_SHARPNESS:
        found["blurred"] = f"The sharpness is {fine:.3f}; the minimum is {MIN_SHARPNESS}."
    if (turned := turn(box)) > MAX_TURN:
        found["turned"] = (
            f"The nose is off-center by {percent(turned)} of the distance between the eyes; the maximum is "
            f"{percent(MAX_TURN)}."
        )
    if mean > BRIGHT_GRAY:
        found["bright"] = f"The mean gray level is {mean:.0f} of 255; the maximum is {BRIGHT_GRAY}."
    outside = 0.0 if box.whole else share_outside(image_shape, box)
    if outside > CUT_SHARE:
        found["cut"] = f"{percent(outside)} of the face is outside the picture; the maximum is {percent(CUT_SHARE)}."
    return Quality(not found, tuple(REASONS[name] for name in found), tuple(found.values()))


def sharpness(face_gray: NDArray[np.uint8]) -> float:
    """Fine detail in an aligned face (S, S) uint8, regardless of contrast: 0 if smooth, about 1 if sharp."""
    face = face_gray.astype(np.float32)
    return float(cv2.Laplacian(face, cv2.CV_32F).var() / max(float(face.var()), 1.0))


def turn(box: FaceBox) -> float:
    """How far a face is turned to the side: 0 from the front, about 0.8 in profile; 0 without landmarks."""
    if box.landmarks is None:
        return 0.0
    right, left, nose = (np.array(point) for point in box.landmarks[:3])
    across = left - right
    distance = float(np.linalg.norm(across))
    return abs(float((nose - (right + left) / 2) @ across)) / max(distance, 1e-6) ** 2


def share_outside(image_shape: tuple[int, ...], box: FaceBox) -> float:
    """The largest share of a face, 0..1, beyond any one edge of the picture, from its eyes and mouth if known.

    image_shape: (H, W, ...) of the picture.
    """
    height, width = image_shape[:2]
    crop = whole_face(box)
    cosine, sine = np.cos(crop.roll), np.sin(crop.roll)
    offsets = crop.side * FACE_POINTS @ np.array([[cosine, sine], [-sine, cosine]])  # (P, 2)
    x, y = crop.center_x + offsets[:, 0], crop.center_y + offsets[:, 1]
    return float(max(np.mean(beyond) for beyond in (x < 0, x >= width, y < 0, y >= height)))
