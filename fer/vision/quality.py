"""Whether a face can be read at all: each reason is plain words, beside it its measurement against a threshold."""

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

REASONS = {  # in plain words; the browser says the same
    "doubtful": "perhaps not a face",
    "plain": "no facial content",
    "small": "too small",
    "dark": "too dark",
    "blurred": "blurred",
    "turned": "turned too far to the side",
    "bright": "overexposed",
    "cut": "cut off by the frame",
}
MIN_SIDE_PX = 20  # the shorter side of the box; FER2013's own pictures are 48
DARK_GRAY = 25  # mean gray of the aligned face, 0..255
BRIGHT_GRAY = 235
PLAIN_DEVIATION = 2.0  # of the aligned face's grays; FER2013's blank pictures end at 0.7, its others start at 4.1
# How much of a face lies beyond one edge of the picture. YuNet's box hugs what is left of a cut face: of 32 annotated
# faces with 30% cut away it had 8% outside where it had most, by eyes and mouth it is 25 to 31% (medians by side).
# More than CUT_SHARE have 90 to 100% of those. Edge by edge, since a close-up loses a little at all four.
CUT_SHARE = 0.15
# Sharpness is the Laplacian's variance over the grays' own. Of PublicTest's 3,589 faces 99.9% have 0.12 or more, the
# 32 faces of the annotated photos 0.07 to 2.0; blurred by 1.5 pixels, at which compact is right 35% of the time
# rather than 68%, 95% have less than 0.05.
MIN_SHARPNESS = 0.05
# Points all over a face, (P, 2), from the center of FER2013's square in shares of its side: YuNet's median box there,
# less the hair and the upper forehead, which no expression needs.
FACE_HEIGHT, FACE_TOP, FACE_STEPS = 1.27, 0.1, 24  # of its width; of its height
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
# How far the nose is from the middle of the eyes, along the line through them, in distances between the eyes. Of the
# annotated photos' faces the three in profile have 0.78 to 0.92, all others 0.27 or less.
MAX_TURN = 0.5


def is_plain(face_gray: NDArray[np.uint8]) -> bool:
    """Whether there is nothing to see: one even gray."""
    return float(face_gray.std()) < PLAIN_DEVIATION


def assess(image_shape: tuple[int, ...], box: FaceBox, face_gray: NDArray[np.uint8], photo: bool = False) -> Quality:
    """Check one face. image_shape: (H, W, ...) of the picture; face_gray: (S, S) uint8, aligned.

    Where the whole picture was taken for one face, its size and frame say nothing. photo: faces were looked for at full
    size, so that a low score counts; in a video's small frames real faces have one, too.
    """
    found: dict[str, str] = {}  # a name in REASONS -> the measurement
    needed = DETECTOR_SPECS[box.detector].fit_score if photo else 0.0
    if box.score < needed:
        found["doubtful"] = f"The detector's score is {box.score:.2f}; a face in a photo needs {needed:.2f}."
    plain, mean = is_plain(face_gray), float(face_gray.mean())
    if plain:
        found["plain"] = f"The grays differ by {face_gray.std():.1f} of 255; a face needs {PLAIN_DEVIATION:.0f}."
    side = min(box.width, box.height)
    if side < MIN_SIDE_PX and not box.whole:
        found["small"] = f"The face is {side:.0f} pixels wide; it needs {MIN_SIDE_PX}."
    if mean < DARK_GRAY:
        found["dark"] = f"The mean gray is {mean:.0f} of 255; a face needs {DARK_GRAY}."
    if not plain and (fine := sharpness(face_gray)) < MIN_SHARPNESS:
        found["blurred"] = f"The sharpness is {fine:.3f}; a face needs {MIN_SHARPNESS}."
    if (turned := turn(box)) > MAX_TURN:
        found["turned"] = (
            f"The nose is {percent(turned)} of the distance between the eyes away from their middle; at most "
            f"{percent(MAX_TURN)} can be read."
        )
    if mean > BRIGHT_GRAY:
        found["bright"] = f"The mean gray is {mean:.0f} of 255; at most {BRIGHT_GRAY} can be read."
    outside = 0.0 if box.whole else share_outside(image_shape, box)
    if outside > CUT_SHARE:
        found["cut"] = f"{percent(outside)} of the face is outside the picture; at most {percent(CUT_SHARE)} may be."
    return Quality(not found, tuple(REASONS[name] for name in found), tuple(found.values()))


def sharpness(face_gray: NDArray[np.uint8]) -> float:
    """How much fine detail an aligned face (S, S) uint8 has, whatever its contrast: 0 for a smooth one, about 1."""
    face = face_gray.astype(np.float32)
    return float(cv2.Laplacian(face, cv2.CV_32F).var() / max(float(face.var()), 1.0))


def turn(box: FaceBox) -> float:
    """How far a face is turned to a side: 0 from the front, about 0.8 in profile; 0 without landmarks."""
    if box.landmarks is None:
        return 0.0
    right, left, nose = (np.array(point) for point in box.landmarks[:3])
    across = left - right
    distance = float(np.linalg.norm(across))
    return abs(float((nose - (right + left) / 2) @ across)) / max(distance, 1e-6) ** 2


def share_outside(image_shape: tuple[int, ...], box: FaceBox) -> float:
    """The largest share of a face, 0..1, beyond one of the picture's edges, by its eyes and mouth where they are known.

    image_shape: (H, W, ...) of the picture.
    """
    height, width = image_shape[:2]
    crop = whole_face(box)
    cosine, sine = np.cos(crop.roll), np.sin(crop.roll)
    offsets = crop.side * FACE_POINTS @ np.array([[cosine, sine], [-sine, cosine]])  # (P, 2)
    x, y = crop.center_x + offsets[:, 0], crop.center_y + offsets[:, 1]
    return float(max(np.mean(beyond) for beyond in (x < 0, x >= width, y < 0, y >= height)))
