"""A face to explain: its pixels as the network sees them, its regions, and a map's description."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
import torch

from fer.explanation.attribution import Explainer
from fer.explanation.methods import METHODS, evidence, is_blank, marks_nothing
from fer.explanation.regions import areas, in_words, landmarks_in_input, region_labels, shares
from fer.inference.recognizer import Recognizer
from fer.models.registry import fold
from fer.records import FaceBox, Prediction
from fer.scores import softmax
from fer.vision.alignment import cut, face_crop
from fer.vision.pixels import as_rgb
from fer.vision.quality import is_plain

PICTURE_SCALE = 8  # picture pixels per network pixel
Progress = Callable[[float], None]

_explainers: weakref.WeakKeyDictionary[Recognizer, Explainer] = weakref.WeakKeyDictionary()
_lock = threading.Lock()


def explainer_for(recognizer: Recognizer) -> Explainer:
    """The torch copy of a recognizer's weights, branches folded as in prediction; created once and shared.

    Raises WeightsError if the file now holds other weights, as a run replaces its own.
    """
    with _lock:
        if recognizer not in _explainers:
            _explainers[recognizer] = Explainer(fold(recognizer.load_network()))
        return _explainers[recognizer]


@dataclass(frozen=True, eq=False)
class Subject:
    """A face to explain: the gray crop, (H, H) uint8, and the source of its landmarks."""

    recognizer: Recognizer
    prediction: Prediction
    aligned_gray: np.ndarray
    aligned_rgb: np.ndarray  # the same square of the photo at higher resolution
    landmarks: np.ndarray  # (5, 2), in pixels of the network's input

    @cached_property
    def batch(self) -> torch.Tensor:
        """(1, 1, S, S) float32, as the network sees it."""
        return torch.from_numpy(self.recognizer.card.preprocessing(self.aligned_gray[None]))

    @property
    def size(self) -> int:
        return self.recognizer.card.input_size

    @cached_property
    def face_gray(self) -> np.ndarray:
        return self._center(self.aligned_gray, self.size)

    @cached_property
    def picture_rgb(self) -> np.ndarray:
        """The network's view in the photo's colors, at PICTURE_SCALE times its resolution: (8 S, 8 S, 3) uint8."""
        return self._center(self.aligned_rgb, self.size * PICTURE_SCALE)

    @cached_property
    def regions(self) -> np.ndarray:
        """Each pixel's region, as an index into fer.explanation.regions.REGIONS: (S, S)."""
        return region_labels(self.landmarks, self.size)

    @property
    def plain(self) -> bool:
        """Whether the picture is one uniform gray."""
        return is_plain(self.aligned_gray)

    def probabilities(self, batch: np.ndarray) -> np.ndarray:
        """(N, 1, S, S) float32 preprocessed -> calibrated (N, 7), with the prediction engine. Raises WeightsError."""
        return self.recognizer.checked(softmax(self.recognizer.engine(batch) / self.recognizer.card.temperature))

    def attribute(self, method: str, directions: torch.Tensor, layer: str | None = None) -> np.ndarray:
        """Maps of this face under each direction (N, 7): (N, S, S) float32."""
        return explainer_for(self.recognizer).attribute(method, self.batch, directions, layer)

    @staticmethod
    def _center(picture: np.ndarray, side: int) -> np.ndarray:
        top = (len(picture) - side) // 2
        return np.ascontiguousarray(picture[top : top + side, top : top + side])


def subject(recognizer: Recognizer, image_rgb: np.ndarray, face: Prediction | FaceBox) -> Subject:
    """Crop the face as for prediction."""
    image_rgb = as_rgb(image_rgb)
    prediction = face if isinstance(face, Prediction) else recognizer.read(image_rgb, [face])[0]
    box = prediction.box
    preprocessing = recognizer.card.preprocessing
    steps = recognizer.steps(image_rgb, box)
    fine = preprocessing.face_size * PICTURE_SCALE
    if box.whole:
        shrinks = min(image_rgb.shape[:2]) >= fine
        aligned_rgb = cv2.resize(image_rgb, (fine, fine), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC)
    else:
        aligned_rgb = cut(image_rgb, face_crop(box), fine, gray=False)
    landmarks = landmarks_in_input(box, preprocessing.face_size, preprocessing.input_size)
    return Subject(recognizer, prediction, steps.gray, aligned_rgb, landmarks)


def sentence(face: Subject, expression: str, values: np.ndarray, method: str) -> str:
    """Describe a map (S, S) float32 in words."""
    if face.plain:
        return "There is no facial content in this picture: it is one uniform gray, so there is nothing to explain."
    if marks_nothing(values, method):
        against = ": the map is empty" if is_blank(values) else f": all that the map shows counts against {expression}"
        return f"Nothing in this face favors {expression}{against}."
    found = shares(evidence(values, method), face.regions)
    return in_words(
        expression, found, areas(face.regions), expression == face.prediction.expression, METHODS[method].marks
    )
