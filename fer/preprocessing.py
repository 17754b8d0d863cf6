"""Turn gray faces into a network's input, as described on every card; implemented in NumPy.

fer.training.preprocessing does the same in PyTorch; a test keeps the two within 1e-6 of each other.
"""

from __future__ import annotations

import functools
import math
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Literal

import numpy as np

from fer.errors import WeightsError

if TYPE_CHECKING:
    from numpy.typing import NDArray

TTA = ("none", "flip", "tencrop")
TTA_WORDS = {"none": "one view per face", "flip": "each face and its mirror image", "tencrop": "ten crops per face"}
# A constant picture has zero deviation. The floor of one gray level also keeps noise from being amplified.
DEVIATION_FLOOR = 1 / 255


@dataclass(frozen=True)
class Preprocessing:
    """How a gray face becomes a network's input; saved on every checkpoint's card.

    mean and deviation describe the Training split in 0..1; they apply if standardise is "dataset".
    """

    face_size: int = 48  # side of the aligned face, in pixels
    input_size: int = 44  # side of the network's input crop, in pixels
    standardise: Literal["picture", "dataset"] = "picture"
    mean: float = 0.5077
    deviation: float = 0.2550

    def __post_init__(self) -> None:
        if not 8 <= self.input_size <= self.face_size <= 512:
            raise ValueError(
                f"input_size and face_size must satisfy 8 <= input_size <= face_size <= 512, got {self.input_size} and "
                f"{self.face_size}"
            )
        if self.standardise not in ("picture", "dataset"):
            raise ValueError(f"standardise must be picture or dataset, got {self.standardise!r}")
        if not (math.isfinite(self.deviation) and self.deviation > 0):
            raise ValueError(f"deviation must be above 0, got {self.deviation}")
        if not math.isfinite(self.mean):
            raise ValueError(f"mean must be a number, got {self.mean}")

    def __call__(self, faces: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Gray faces (N, S, S) uint8, resized to face_size if necessary -> (N, 1, input_size, input_size) float32."""
        return self.normalize(center_crop(self._sized(faces), self.input_size))

    def views(self, faces: NDArray[np.uint8], tta: str = "none") -> list[NDArray[np.float32]]:
        """The batches for test-time augmentation, which averages their probabilities: 1, 2 (flip) or 10 (tencrop)."""
        unit = self._sized(faces)
        if tta == "none":
            crops = [center_crop(unit, self.input_size)]
        elif tta == "flip":
            crops = [center_crop(unit, self.input_size)]
            crops.append(crops[0][..., ::-1])
        elif tta == "tencrop":
            far, size = self.face_size - self.input_size, self.input_size
            corners = [(0, 0), (0, far), (far, 0), (far, far), (far // 2, far // 2)]
            crops = [unit[..., top : top + size, left : left + size] for top, left in corners]
            crops += [crop[..., ::-1] for crop in crops]
        else:
            raise ValueError(f"tta must be one of {', '.join(TTA)}, got {tta!r}")
        return [self.normalize(crop) for crop in crops]

    def normalize(self, unit: NDArray[np.floating]) -> NDArray[np.float32]:
        """Standardize a batch (N, 1, S, S) in 0..1, by each picture's own mean and deviation or by the data set's."""
        wide = unit.astype(np.float64)
        if self.standardise == "dataset":
            scaled = (wide - self.mean) / self.deviation
        else:
            mean = wide.mean((1, 2, 3), keepdims=True)
            deviation = wide.std((1, 2, 3), keepdims=True)
            scaled = (wide - mean) / np.maximum(deviation, DEVIATION_FLOOR)
        return np.ascontiguousarray(scaled, np.float32)

    def _sized(self, faces: NDArray[np.uint8]) -> NDArray[np.float64]:
        """(N, S, S) uint8 -> (N, 1, face_size, face_size) in 0..1. Data sets store 48 x 48 faces for every card."""
        unit = faces[:, None].astype(np.float64) / 255
        height, width = unit.shape[-2:]
        if (height, width) == (self.face_size, self.face_size) or not len(unit):
            return unit
        return resize_weights(height, self.face_size) @ unit @ resize_weights(width, self.face_size).T

    def to_json(self) -> dict[str, object]:
        return asdict(self)

    @classmethod
    def from_json(cls, values: object) -> Preprocessing:
        """Raises WeightsError for an unknown key, or a value of the wrong type or out of range."""
        names = {field.name for field in fields(cls)}
        if not isinstance(values, dict) or set(values) - names:
            raise WeightsError(
                f"The card's preprocessing has unknown settings. Expected only {', '.join(sorted(names))}."
            )
        kinds = {"face_size": int, "input_size": int, "standardise": str, "mean": int | float, "deviation": int | float}
        for name, value in values.items():
            if not isinstance(value, kinds[name]) or isinstance(value, bool):
                raise WeightsError(f"The card's preprocessing cannot be used: {name} is {str(value)[:40]!r}.")
        try:
            return cls(**values)
        except (OverflowError, ValueError) as error:
            raise WeightsError(f"The card's preprocessing cannot be used: {error}.") from None


def center_crop(batch: NDArray[np.float64], size: int) -> NDArray[np.float64]:
    """(..., H, W) -> (..., size, size)."""
    top, left = (batch.shape[-2] - size) // 2, (batch.shape[-1] - size) // 2
    return batch[..., top : top + size, left : left + size]


@functools.lru_cache(maxsize=32)
def resize_weights(source: int, target: int) -> NDArray[np.float64]:
    """Weights for bilinear resizing with antialiasing, (target, source) float64; each row yields one new pixel.

    Equal to torch.nn.functional.interpolate(mode="bilinear", antialias=True, align_corners=False).
    """
    scale = source / target
    reach = max(scale, 1.0)
    centers = (np.arange(target) + 0.5) * scale
    distance = np.abs(np.arange(source)[None] + 0.5 - centers[:, None]) / reach
    weights = np.clip(1 - distance, 0, None)
    weights /= weights.sum(1, keepdims=True)
    weights.flags.writeable = False
    return weights
