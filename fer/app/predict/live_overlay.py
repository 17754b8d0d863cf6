"""Grad-CAM on a live stream: the leading label's evidence, computed beside the stream and drawn over its frames."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass

import numpy as np
import torch

from fer.explanation.attribution import units
from fer.explanation.faithfulness_table import default_layer
from fer.explanation.subject import explainer_for
from fer.inference.recognizer import Recognizer
from fer.inference.tracked_reader import TrackedFace
from fer.vision.alignment import Crop, align_face, crop_matrix, face_crop
from fer.visualization.overlay import blend_heat, draw_faces

MAPS_PER_S = 5.0  # at most
REST = 3.0  # of a map's duration before the next one begins, so that maps take at most a quarter of one core
OLD_S = 3.0  # an older map says nothing about the current frame
RETRY_S = 5.0  # after a failed map
IDLE_S = 2.0  # the thread ends after this long without a frame


@dataclass(frozen=True)
class Heat:
    """A map (S, S) float32 of one person's face, by one model. made_s: when it was finished."""

    values: np.ndarray
    person: int
    recognizer: Recognizer
    made_s: float


@dataclass(frozen=True)
class _Frame:
    rgb: np.ndarray
    face: TrackedFace
    recognizer: Recognizer


class HeatThread:
    """Computes maps of the latest frame, one at a time, in its own thread, which ends when frames stop."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: _Frame | None = None
        self._running = False
        self._latest: Heat | None = None
        self._failure: Exception | None = None

    def offer(self, frame: _Frame) -> None:
        """Set the next frame, replacing one that still waits. Returns at once."""
        with self._changed:
            self._waiting = frame
            if self._running:
                self._changed.notify()
            else:
                self._running = True
                threading.Thread(target=self._run, daemon=True, name="live-heat").start()

    def latest(self) -> Heat | None:
        """The last map. Raises a map's error once, so that the stream can report it."""
        with self._changed:
            failure, self._failure = self._failure, None
            if failure is not None:
                raise failure
            return self._latest

    def _run(self) -> None:
        while (frame := self._next()) is not None:
            began = time.monotonic()
            try:
                heat = Heat(heat_map(frame), frame.face.person, frame.recognizer, time.monotonic())
            except Exception as error:  # reported by the stream, which continues
                with self._changed:
                    self._latest, self._failure = None, error
                time.sleep(RETRY_S)
                continue
            with self._changed:
                self._latest = heat
            cost_s = time.monotonic() - began
            time.sleep(max(REST * cost_s, 1 / MAPS_PER_S - cost_s))

    def _next(self) -> _Frame | None:
        with self._changed:
            if self._changed.wait_for(lambda: self._waiting is not None, IDLE_S):
                frame, self._waiting = self._waiting, None
                return frame
            self._running = False
            self._latest = None
            return None


class LiveDrawer:
    """Draws faces, and the map of the leading class on the largest one; one drawer per stream.

    A map takes longer than a frame allows, so it is computed beside the stream and follows the person's box until the
    next map.
    """

    def __init__(self) -> None:
        self._heat = HeatThread()

    def __call__(
        self,
        frame_rgb: np.ndarray,
        faces: tuple[TrackedFace, ...],
        parts: frozenset[str],
        recognizer: Recognizer,
    ) -> np.ndarray:
        """An annotated copy of the frame (H, W, 3) uint8 RGB."""
        if "heat" in parts and faces and faces[0].prediction.quality.ok:
            self._heat.offer(_Frame(frame_rgb, faces[0], recognizer))
            heat = self._heat.latest()
            if heat and heat.recognizer is recognizer and time.monotonic() - heat.made_s <= OLD_S:
                frame_rgb = self._laid(frame_rgb, faces, heat)
        return draw_faces(frame_rgb, faces, parts)

    @staticmethod
    def _laid(frame_rgb: np.ndarray, faces: tuple[TrackedFace, ...], heat: Heat) -> np.ndarray:
        """The frame with the map at its person's current position; unchanged if the person is gone."""
        face = next((face for face in faces if face.person == heat.person and face.prediction.quality.ok), None)
        if face is None:
            return frame_rgb
        frame_rgb = frame_rgb.copy()
        crop, size = face_crop(face.prediction.box), heat.recognizer.card.preprocessing.face_size
        blend_heat(frame_rgb, heat.values, view_matrix(crop, size, len(heat.values)))
        return frame_rgb


def heat_map(frame: _Frame) -> np.ndarray:
    """Grad-CAM of the face's leading class, (S, S) float32, unscaled."""
    preprocessing = frame.recognizer.card.preprocessing
    gray = align_face(frame.rgb, frame.face.prediction.box, preprocessing.face_size)
    leading = int(np.argmax(frame.face.prediction.probabilities))
    batch = torch.from_numpy(preprocessing(gray[None]))
    explainer = explainer_for(frame.recognizer)
    return explainer.grad_cam_alone(batch, units([leading])[0], default_layer(frame.recognizer))


def view_matrix(crop: Crop, face_size: int, size: int) -> np.ndarray:
    """(2, 3) matrix from the network's view (size, size), the center of the face crop, to the picture's pixels."""
    inner = Crop(crop.center_x, crop.center_y, crop.side * size / face_size, crop.roll)
    matrix, fine = crop_matrix(inner, size)  # for a view at `fine` times the resolution
    coarse = matrix.copy()
    coarse[:, :2] *= fine
    coarse[:, 2] += matrix[:, :2] @ np.full(2, (fine - 1) / 2)
    return coarse
