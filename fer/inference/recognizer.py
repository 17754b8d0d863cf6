"""Read the expressions in a picture: detect and align faces, run them as one batch, and calibrate the result."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

import cv2
import numpy as np

from fer.errors import WeightsError
from fer.inference.engine import Engine
from fer.models import DEFAULT_MODEL
from fer.models.card import Card
from fer.models.graph import read_graph
from fer.models.weights import find_weights
from fer.records import FaceBox, Prediction
from fer.scores import softmax
from fer.vision.alignment import align_face, cut, face_crop
from fer.vision.detection import LONG_SIDE, Detector, load_detector
from fer.vision.pixels import as_rgb
from fer.vision.quality import assess
from fer.vision.search import find_faces

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray
    from torch import nn

    Logits = Callable[[NDArray[np.floating]], NDArray[np.float32]]  # as an Engine: batches -> logits

LOADABLE_THREADS = 2
MAX_BATCH = 128
STEP_SIDE = 192  # pixels: side of the aligned face for display


@dataclass(frozen=True)
class Steps:
    """One face on its way to the network: (H, H, 3) uint8, (S, S) uint8, and the network's input (s, s) float32."""

    aligned_rgb: NDArray[np.uint8]
    gray: NDArray[np.uint8]
    standardized: NDArray[np.float32]


class Recognizer:
    """A loaded model with its card. Stateless and thread-safe, so all visitors can share one.

    weights: the file it was loaded from.
    """

    def __init__(self, name: str, engine: Logits, card: Card, weights: Path) -> None:
        self.name, self.engine, self.card, self.weights = name, engine, card, weights

    def load_network(self) -> nn.Module:
        """A new PyTorch network with the same weights, in evaluation mode, for explanations.

        Raises WeightsError if there is no .safetensors file, or if it has changed since.
        """
        from fer.models.checkpoints import load_checkpoint

        network, card = load_checkpoint(self.weights)
        if card.sha256 != self.card.sha256:
            raise WeightsError(f"The weights of {self.name} have changed. Read the face again.")
        return network

    def predict(
        self, image_rgb: NDArray[np.uint8], detector: Detector | str = "auto", long_side: int = LONG_SIDE
    ) -> list[Prediction]:
        """All faces in a photo, largest first; an empty list if there are none.

        image_rgb: (H, W, 3) uint8 RGB, or another array that `fer.vision.pixels.as_rgb` accepts. See
        `fer.vision.search.find_faces` for how faces are found. Raises FerError if the array is not a picture.
        """
        image_rgb = as_rgb(image_rgb)
        if isinstance(detector, str):
            detector = load_detector(detector)
        return self.read(image_rgb, find_faces(image_rgb, detector, long_side), photo=True)

    def read(self, image_rgb: NDArray[np.uint8], boxes: list[FaceBox], photo: bool = False) -> list[Prediction]:
        """Read the faces in known boxes. photo: see `fer.vision.quality.assess`."""
        if not boxes:
            return []
        image_rgb = as_rgb(image_rgb)
        size = self.card.preprocessing.face_size
        faces = np.stack([align_face(image_rgb, box, size) for box in boxes])  # (N, S, S)
        qualities = [assess(image_rgb.shape, box, face, photo) for box, face in zip(boxes, faces, strict=True)]
        rows = self.probabilities(faces)
        return [
            self.card.judge(box, tuple(map(float, row)), quality)
            for box, row, quality in zip(boxes, rows, qualities, strict=True)
        ]

    def steps(self, image_rgb: NDArray[np.uint8], box: FaceBox) -> Steps:
        """The intermediate pictures of one face as `read` prepares it for the network."""
        image_rgb = as_rgb(image_rgb)
        gray = align_face(image_rgb, box, self.card.preprocessing.face_size)
        if box.whole:
            whole = cv2.resize(image_rgb, (STEP_SIDE, STEP_SIDE), interpolation=cv2.INTER_AREA)
            aligned = cast("NDArray[np.uint8]", whole)
        else:
            aligned = cut(image_rgb, face_crop(box), STEP_SIDE, gray=False)
        return Steps(aligned, gray, self.card.preprocessing(gray[None])[0, 0])

    def probabilities(self, faces: NDArray[np.uint8], tta: str = "none") -> NDArray[np.float64]:
        """Aligned gray faces (N, S, S) uint8 -> calibrated probabilities (N, 7) float64.

        tta: none, flip or tencrop; averages the views' probabilities. Raises WeightsError if the weights overflow.
        """
        return self.checked(self.unchecked_probabilities(faces, tta))

    def checked(self, probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
        """The same probabilities. Raises WeightsError if a face's are not numbers."""
        if not np.isfinite(probabilities).all():
            raise WeightsError(
                f"{self.name} gives no valid probabilities for this face: its weights overflow. Choose another model."
            )
        return probabilities

    def unchecked_probabilities(self, faces: NDArray[np.uint8], tta: str = "none") -> NDArray[np.float64]:
        """Like `probabilities`, but a face for which the weights overflow has a row of NaN."""
        with np.errstate(invalid="ignore", over="ignore"):
            return np.concatenate(
                [
                    np.mean(
                        [
                            softmax(self.engine(view) / self.card.temperature)
                            for view in self.card.preprocessing.views(part, tta)
                        ],
                        axis=0,
                    )
                    for part in _parts(faces)
                ]
            )

    def logits(self, faces: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Aligned gray faces (N, S, S) uint8 -> logits (N, 7), before the temperature."""
        return np.concatenate([self.engine(self.card.preprocessing(part)) for part in _parts(faces)])


def _parts(faces: NDArray[np.uint8]) -> list[NDArray[np.uint8]]:
    # ONNX Runtime keeps the memory of its largest batch: thousands of faces at once would take gigabytes.
    return [faces[first : first + MAX_BATCH] for first in range(0, max(len(faces), 1), MAX_BATCH)]


def load(model: str | Path = DEFAULT_MODEL, threads: int = LOADABLE_THREADS, device: str = "cpu") -> Recognizer:
    """A name in weights/, a run directory, or a .safetensors or .onnx file -> a Recognizer. Raises WeightsError.

    device: see `fer.inference.engine.Engine`.
    """
    weights = find_weights(model)
    graph, card = read_graph(weights)
    name = weights.parent.name if weights.stem == "best" else weights.stem
    recognizer = Recognizer(name, Engine(graph, threads, device), card, weights)
    side = card.input_size
    logits = recognizer.engine(np.zeros((1, 1, side, side), np.float32))
    if logits.shape != (1, len(card.classes)) or not np.isfinite(logits).all():
        raise WeightsError(f"{weights.name} does not return {len(card.classes)} finite numbers. Export it again.")
    return recognizer
