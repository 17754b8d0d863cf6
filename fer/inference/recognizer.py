"""From a picture to what its faces express: detect, align, one batch through the network, calibrated."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from torch import nn

from fer.errors import FerError
from fer.inference.engine import Engine
from fer.models import DEFAULT_MODEL
from fer.models.checkpoints import Card, find_weights, load_checkpoint
from fer.records import FaceBox, Prediction
from fer.vision.alignment import align_face, cut, face_crop
from fer.vision.detection import LONG_SIDE, Detector, load_detector
from fer.vision.quality import assess

LOADABLE_THREADS = 2
MAX_BATCH = 128
STEP_SIDE = 192  # pixels of the aligned face for the screen


@dataclass(frozen=True)
class Steps:
    """One face on its way to the network: (H, H, 3) and (S, S) uint8, and (s, s) float32 as the network sees it."""

    aligned_rgb: np.ndarray
    grey: np.ndarray
    standardised: np.ndarray


class Recognizer:
    """A loaded model with its card. Holds no state of a call: shared by all visitors, from any thread.

    network: the torch network that the engine was made of, for explanations; leave it as it is.
    """

    def __init__(self, name: str, engine: Engine, card: Card, weights: Path, network: nn.Module | None = None) -> None:
        self.name, self.engine, self.card, self.weights, self.network = name, engine, card, weights, network

    def predict(self, image_rgb: np.ndarray, detector: Detector | str = "auto",
                long_side: int = LONG_SIDE) -> list[Prediction]:
        """All faces of a picture (H, W, 3) uint8 RGB, the largest first; an empty list where there is none."""
        if image_rgb.ndim != 3 or image_rgb.shape[2] != 3 or image_rgb.dtype != np.uint8:
            raise FerError(f"A picture is (H, W, 3) uint8 RGB, this is {image_rgb.shape} {image_rgb.dtype}.")
        if isinstance(detector, str):
            detector = load_detector(detector)
        return self.read(image_rgb, detector.detect(image_rgb, long_side), detector.name)

    def read(self, image_rgb: np.ndarray, boxes: list[FaceBox], detector_name: str = "yunet") -> list[Prediction]:
        """Read faces whose boxes are known already."""
        if not boxes:
            return []
        size = self.card.preprocessing.face_size
        faces = np.stack([align_face(image_rgb, box, detector_name, size) for box in boxes])   # (N, S, S)
        qualities = [assess(image_rgb.shape, box, face, whole=detector_name == "none")
                     for box, face in zip(boxes, faces, strict=True)]
        rows = self.probabilities(faces)
        return [
            Prediction(box, tuple(map(float, row)), quality.ok and float(row.max()) >= self.card.threshold, quality,
                       detector_name)
            for box, row, quality in zip(boxes, rows, qualities, strict=True)]

    def steps(self, image_rgb: np.ndarray, box: FaceBox, detector_name: str) -> Steps:
        """What `read` does to one face before the network sees it, step by step."""
        grey = align_face(image_rgb, box, detector_name, self.card.preprocessing.face_size)
        if detector_name == "none":
            aligned = cv2.resize(image_rgb, (STEP_SIDE, STEP_SIDE), interpolation=cv2.INTER_AREA)
        else:
            aligned = cut(image_rgb, face_crop(box, detector_name), STEP_SIDE, grey=False)
        return Steps(aligned, grey, self.card.preprocessing(grey[None])[0, 0].numpy())

    def probabilities(self, faces: np.ndarray, tta: str = "none") -> np.ndarray:
        """Aligned grey faces (N, S, S) uint8 -> calibrated probabilities (N, 7) float64.

        tta: none, flip or tencrop; the views' probabilities are averaged.
        """
        return np.concatenate([
            np.mean([softmax(self.engine(view) / self.card.temperature)
                     for view in self.card.preprocessing.views(part, tta)], axis=0) for part in _parts(faces)])

    def logits(self, faces: np.ndarray) -> np.ndarray:
        """Aligned grey faces (N, S, S) uint8 -> logits (N, 7), before the temperature."""
        return np.concatenate([self.engine(self.card.preprocessing(part)) for part in _parts(faces)])


def _parts(faces: np.ndarray) -> list[np.ndarray]:
    # ONNX Runtime keeps the memory of the largest batch it has seen: thousands of faces at once would be gigabytes.
    return [faces[first:first + MAX_BATCH] for first in range(0, max(len(faces), 1), MAX_BATCH)]


def softmax(logits: np.ndarray) -> np.ndarray:
    """(N, K) -> probabilities along the last axis, float64."""
    shifted = np.exp(logits.astype(np.float64) - logits.max(-1, keepdims=True))
    return shifted / shifted.sum(-1, keepdims=True)


def load(model: str | Path = DEFAULT_MODEL, threads: int = LOADABLE_THREADS) -> Recognizer:
    """A name in weights/, a run directory or a .safetensors file -> a Recognizer. Raises WeightsError."""
    weights = find_weights(model)
    network, card = load_checkpoint(weights)
    name = weights.parent.name if weights.stem == "best" else weights.stem
    return Recognizer(name, Engine.from_model(network, card.input_size, threads), card, weights, network)
