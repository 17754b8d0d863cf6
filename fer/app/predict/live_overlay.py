"""Grad-CAM on a live stream: what the leading label rests on, laid over the face a few times a second."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import torch

from fer.explanation.attribution import units
from fer.explanation.faithfulness_table import default_layer
from fer.explanation.subject import explainer_for
from fer.inference.recognizer import Recognizer
from fer.inference.tracked_reader import TrackedFace
from fer.vision.alignment import Crop, align_face, crop_matrix, face_crop
from fer.visualization.overlay import blend_heat, draw_faces

MAPS_PER_S = 5.0


class LiveDrawer:
    """Draws faces, and on the largest one the map of its leading class; one per stream.

    A map costs more than a frame may: a new one is made MAPS_PER_S times a second, and moves with its person between.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._made_s, self._person = -np.inf, 0
        self._heat: np.ndarray | None = None

    def __call__(
        self,
        frame_rgb: np.ndarray,
        faces: tuple[TrackedFace, ...],
        parts: frozenset[str],
        recognizer: Recognizer,
    ) -> np.ndarray:
        """A drawn copy of the frame (H, W, 3) uint8 RGB."""
        if "heat" in parts and faces and faces[0].prediction.quality.ok:
            frame_rgb = frame_rgb.copy()
            self._lay(frame_rgb, faces[0], recognizer)
        return draw_faces(frame_rgb, faces, parts)

    def _lay(self, frame_rgb: np.ndarray, face: TrackedFace, recognizer: Recognizer) -> None:
        card, box, now = recognizer.card, face.prediction.box, self._clock()
        heat = self._heat if face.person == self._person and now - self._made_s < 1 / MAPS_PER_S else None
        if heat is None:
            gray = align_face(frame_rgb, box, card.preprocessing.face_size)
            leading = int(np.argmax(face.prediction.probabilities))
            explainer = explainer_for(recognizer)
            batch = torch.from_numpy(card.preprocessing(gray[None]))
            heat = explainer.attribute("grad_cam", batch, units([leading]), default_layer(recognizer))[0]
            self._heat, self._made_s, self._person = heat, now, face.person
        blend_heat(frame_rgb, heat, view_matrix(face_crop(box), card.preprocessing.face_size, len(heat)))


def view_matrix(crop: Crop, face_size: int, size: int) -> np.ndarray:
    """(2, 3): a pixel of the network's view (size, size), the middle of the face crop, to the picture's pixels."""
    inner = Crop(crop.center_x, crop.center_y, crop.side * size / face_size, crop.roll)
    matrix, fine = crop_matrix(inner, size)  # of a view that is `fine` times as fine
    coarse = matrix.copy()
    coarse[:, :2] *= fine
    coarse[:, 2] += matrix[:, :2] @ np.full(2, (fine - 1) / 2)
    return coarse
