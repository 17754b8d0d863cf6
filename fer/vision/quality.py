"""Whether a face can be read at all: each reason is a measurement against a named threshold."""

from __future__ import annotations

import numpy as np

from fer.records import FaceBox, Quality

MIN_SIDE_PX = 20          # the shorter side of the box; FER2013's own pictures are 48
DARK_GREY = 25            # mean grey of the aligned face, 0..255
BRIGHT_GREY = 235
PLAIN_DEVIATION = 2.0     # of the aligned face's greys; FER2013's blank pictures end at 0.7, its others start at 4.1
CUT_SHARE = 0.2           # share of the box outside the picture


def is_plain(face_grey: np.ndarray) -> bool:
    """Whether there is nothing to see: one even grey."""
    return float(face_grey.std()) < PLAIN_DEVIATION


def assess(image_shape: tuple[int, ...], box: FaceBox, face_grey: np.ndarray, whole: bool = False) -> Quality:
    """Check one face. image_shape: (H, W, ...) of the picture; face_grey: (S, S) uint8, aligned.

    whole: the picture is one face crop, so that its size and frame say nothing.
    """
    reasons = []
    if is_plain(face_grey):
        reasons.append(f"no facial content (its greys differ by {face_grey.std():.1f}, needs {PLAIN_DEVIATION:.0f})")
    side = min(box.width, box.height)
    if side < MIN_SIDE_PX and not whole:
        reasons.append(f"too small ({side:.0f} px, needs {MIN_SIDE_PX})")
    mean = float(face_grey.mean())
    if mean < DARK_GREY:
        reasons.append(f"too dark (mean grey {mean:.0f}, needs {DARK_GREY})")
    if mean > BRIGHT_GREY:
        reasons.append(f"overexposed (mean grey {mean:.0f}, at most {BRIGHT_GREY})")
    outside = _share_outside(image_shape, box)
    if outside > CUT_SHARE and not whole:
        reasons.append(f"cut by the frame ({100 * outside:.0f} % outside, at most {100 * CUT_SHARE:.0f} %)")
    return Quality(not reasons, tuple(reasons))


def _share_outside(image_shape: tuple[int, ...], box: FaceBox) -> float:
    height, width = image_shape[:2]
    inside_x = min(box.x + box.width, width) - max(box.x, 0)
    inside_y = min(box.y + box.height, height) - max(box.y, 0)
    return 1 - max(inside_x, 0) * max(inside_y, 0) / max(box.area, 1e-9)
