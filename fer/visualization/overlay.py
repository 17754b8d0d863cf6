"""Draw on moving pictures: quick, at the frame's own size, gray where nothing is told."""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np

from fer.inference.tracked_reader import TrackedFace
from fer.visualization.palettes import SEQUENTIAL, table
from fer.visualization.render import chip, face_color, face_label, rgb

STRENGTH = 0.5  # of the map over the face
PARTS = ("boxes", "labels", "landmarks", "heat")  # what can be drawn; heat is fer.app.predict.live_overlay's


def label_of(face: TrackedFace) -> str:
    """The words for a person now: as `face_label` says, with the probability of a sure expression."""
    prediction = face.prediction
    return f"{prediction.answer} {100 * prediction.confidence:.0f}%" if prediction.sure else face_label(prediction)


def draw_faces(
    frame_rgb: np.ndarray, faces: Iterable[TrackedFace], parts: frozenset[str] = frozenset({"boxes", "labels"})
) -> np.ndarray:
    """A copy of the frame (H, W, 3) uint8 RGB with its faces marked; their number where there are several.

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
    """Lay a map over a face, in place. heat: (S, S) float32, never negative; matrix: (2, 3), its pixels to the frame's.

    Colored by its own largest value and strongest there; where it marks nothing the frame stays as it is.
    """
    largest = float(heat.max())
    if not largest > 0:
        return
    height, width = frame_rgb.shape[:2]
    unit = cv2.warpAffine(heat / largest, matrix, (width, height), flags=cv2.INTER_LINEAR)
    rows, columns = np.nonzero(unit.max(1) > 0)[0], np.nonzero(unit.max(0) > 0)[0]
    if not len(rows) or not len(columns):
        return
    part = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
    unit = np.clip(unit[part], 0, 1)
    colors = table(SEQUENTIAL)[(unit * 255).astype(np.uint8)]
    share = (STRENGTH * np.sqrt(unit))[..., None]
    frame_rgb[part] = (frame_rgb[part] * (1 - share) + colors * share).astype(np.uint8)


def _put(canvas: np.ndarray, label: np.ndarray, face: TrackedFace, line: int) -> None:
    """Above the box, else below it, else at the top; never outside the frame."""
    (height, width), (rows, columns) = canvas.shape[:2], label.shape[:2]
    box = face.prediction.box
    left = int(np.clip(round(box.x) - line // 2, 0, max(width - columns, 0)))
    above, below = round(box.y) - rows, round(box.y + box.height)
    top = above if above >= 0 else below if below + rows <= height else 0
    part = canvas[top : top + rows, left : left + columns]
    part[:] = label[: part.shape[0], : part.shape[1]]
