"""Draw on video frames: fast, at the frame's own size, gray for faces without an answer."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

import cv2
import numpy as np

from fer.inference.tracked_reader import TrackedFace
from fer.visualization.palettes import SEQUENTIAL, table
from fer.visualization.render import chip, face_color, face_label, rgb
from fer.wording import percent

STRENGTH = 0.5  # of the map over the face
PARTS = ("boxes", "labels", "landmarks", "heat")  # what can be drawn; heat is drawn by fer.app.predict.live_overlay


def label_of(face: TrackedFace) -> str:
    """A person's current label: as in `face_label`, with the probability if the answer is sure."""
    prediction = face.prediction
    return f"{prediction.answer} {percent(prediction.confidence)}" if prediction.sure else face_label(prediction)


def draw_faces(
    frame_rgb: np.ndarray, faces: Iterable[TrackedFace], parts: frozenset[str] = frozenset({"boxes", "labels"})
) -> np.ndarray:
    """A copy of the frame (H, W, 3) uint8 RGB with its faces marked, and numbered if there are several.

    parts: of PARTS.
    """
    faces, canvas = list(faces), frame_rgb.copy()
    letters = max(round(max(canvas.shape[:2]) / 34), 14)
    line = max(letters // 8, 2)
    for face in faces:
        box, color = face.prediction.box, rgb(face_color(face.prediction))
        if "boxes" in parts:
            start, end = (round(box.x), round(box.y)), (round(box.x + box.width), round(box.y + box.height))
            cv2.rectangle(canvas, start, end, (255, 255, 255), line + 2)
            cv2.rectangle(canvas, start, end, color, line)
        if "landmarks" in parts and box.landmarks:
            for x, y in box.landmarks:
                cv2.circle(canvas, (round(x), round(y)), line + 1, (255, 255, 255), -1)
                cv2.circle(canvas, (round(x), round(y)), line, color, -1)
    if "labels" in parts:
        for face in faces:
            words = f"{face.person}: {label_of(face)}" if len(faces) > 1 else label_of(face)
            _put(canvas, chip(words, face_color(face.prediction), letters), face, line)
    return canvas


def blend_heat(frame_rgb: np.ndarray, heat: np.ndarray, matrix: np.ndarray) -> None:
    """Draw a map over a face, in place. heat: (S, S) float32, non-negative. matrix: (2, 3), its pixels to the frame's.

    Scaled by its largest value, where it is most opaque; where it is zero, the frame stays unchanged.
    """
    largest = float(heat.max())
    if not largest > 0:
        return
    (height, width), size = frame_rgb.shape[:2], len(heat)
    corners = matrix @ np.array([[-1, size, -1, size], [-1, -1, size, size], [1, 1, 1, 1]])  # (2, 4)
    left, top = np.clip(np.floor(corners.min(1)).astype(int), 0, (width, height))
    right, bottom = np.clip(np.ceil(corners.max(1)).astype(int) + 1, 0, (width, height))
    if left == right or top == bottom:
        return
    here = matrix - np.array([[0, 0, left], [0, 0, top]])
    levels = (heat * (255 / largest)).astype(np.float32)
    index = cv2.warpAffine(levels, here, (int(right - left), int(bottom - top)), flags=cv2.INTER_LINEAR).astype(
        np.uint8
    )
    kept, added = _blending()
    part = frame_rgb[top:bottom, left:right]
    part[:] = (part * kept[index][..., None] + added[index]) >> 8


@cache
def _blending() -> tuple[np.ndarray, np.ndarray]:
    """For each of a map's 256 levels: the frame's weight (256,) and the color to add (256, 3), uint16, out of 256."""
    share = np.round(256 * STRENGTH * np.sqrt(np.arange(256) / 255)).astype(np.uint16)
    return 256 - share, share[:, None] * table(SEQUENTIAL).astype(np.uint16)


def _put(canvas: np.ndarray, label: np.ndarray, face: TrackedFace, line: int) -> None:
    """Place a label above the box, else below it, else at the top; never outside the frame."""
    (height, width), (rows, columns) = canvas.shape[:2], label.shape[:2]
    box = face.prediction.box
    left = int(np.clip(round(box.x) - line // 2, 0, max(width - columns, 0)))
    above, below = round(box.y) - rows, round(box.y + box.height)
    top = above if above >= 0 else below if below + rows <= height else 0
    part = canvas[top : top + rows, left : left + columns]
    part[:] = label[: part.shape[0], : part.shape[1]]
