"""Measure a model under harder conditions: light, blur, size, pose and occlusion.

The conditions are those reported as limits in the literature on masked, surveillance and in-the-wild faces. Each is
seeded and has five strengths, 1 to 5.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import cv2
import numpy as np

from fer import wording
from fer.conformal import PredictionSets
from fer.data.corruptions import (
    Change,
    Changed,
    Face,
    gaussian_blur,
    hand_block,
    jpeg,
    lower_face_mask,
    resolution,
    side_light,
    sunglasses,
)
from fer.wording import count_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

STRENGTHS = (1, 2, 3, 4, 5)


def _affine(face: Face, degrees: float = 0, scale: float = 1, shift: tuple[float, float] = (0, 0)) -> Changed:
    size = face.shape[0]
    middle = (size - 1) / 2
    matrix = cast("NDArray[np.float64]", cv2.getRotationMatrix2D((middle, middle), degrees, scale))
    matrix[:, 2] += shift
    return cv2.warpAffine(face, matrix, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def _sign(rng: np.random.Generator) -> float:
    return 1.0 if rng.random() < 0.5 else -1.0


def brightness(face: Face, amount: float, rng: np.random.Generator) -> Changed:
    return face + _sign(rng) * 120 * amount


def contrast(face: Face, amount: float, rng: np.random.Generator) -> Changed:
    middle: np.float32 = face.mean()
    return (face - middle) * (1 - 0.85 * amount) + middle


def motion_blur(face: Face, amount: float, rng: np.random.Generator) -> Changed:
    length = 2 * round(1 + 5 * amount) + 1
    kernel = np.zeros((length, length), np.float32)
    kernel[length // 2] = 1 / length
    turn = cv2.getRotationMatrix2D((length // 2, length // 2), rng.uniform(0, 180), 1)
    turned = cv2.warpAffine(kernel, turn, (length, length))
    return cv2.filter2D(face, -1, turned / max(turned.sum(), 1e-6), borderType=cv2.BORDER_REPLICATE)


def noise(face: Face, amount: float, rng: np.random.Generator) -> Changed:
    return face + rng.normal(0, 60 * amount, face.shape)


def rotation(face: Face, amount: float, rng: np.random.Generator) -> Changed:
    return _affine(face, degrees=_sign(rng) * 45 * amount)


def shift(face: Face, amount: float, rng: np.random.Generator) -> Changed:
    angle = rng.uniform(0, 2 * np.pi)
    reach = face.shape[0] * 0.25 * amount
    return _affine(face, shift=(reach * np.cos(angle), reach * np.sin(angle)))


def scale(face: Face, amount: float, rng: np.random.Generator) -> Changed:
    return _affine(face, scale=1 + 0.5 * amount if rng.random() < 0.5 else 1 - 0.4 * amount)


CONDITIONS: dict[str, Change] = {
    "brightness": brightness,
    "contrast": contrast,
    "side light": side_light,
    "Gaussian blur": gaussian_blur,
    "motion blur": motion_blur,
    "noise": noise,
    "JPEG quality": jpeg,
    "resolution": resolution,
    "rotation": rotation,
    "shift": shift,
    "scale": scale,
    "lower-face mask": lower_face_mask,
    "sunglasses": sunglasses,
    "hand-sized block": hand_block,
}


def stressed(faces: NDArray[np.uint8], condition: str, strength: int, seed: int = 0) -> NDArray[np.uint8]:
    """Faces (N, S, S) uint8 under one condition at strength 1 to 5; the same for the same seed."""
    rng = np.random.default_rng([seed, list(CONDITIONS).index(condition), strength])
    change, amount = CONDITIONS[condition], strength / max(STRENGTHS)
    out = np.empty_like(faces)
    for index, face in enumerate(faces):
        out[index] = np.clip(np.rint(change(face.astype(np.float32), amount, rng)), 0, 255)
    return out


@dataclass(frozen=True)
class StressPoint:
    """The change in accuracy from the clean pictures, with its 95% interval (paired, normal).

    coverage, mean_size: of the prediction sets fitted on clean pictures; None if there are none.
    """

    condition: str
    strength: int
    accuracy: float
    change: float
    low: float
    high: float
    coverage: float | None = None
    mean_size: float | None = None


def stress_report(
    predict: Callable[[NDArray[np.uint8]], NDArray[np.floating]],
    faces: NDArray[np.uint8],
    labels: NDArray[np.int64],
    conditions: tuple[str, ...] = tuple(CONDITIONS),
    seed: int = 0,
    sets: PredictionSets | None = None,
) -> Iterator[StressPoint]:
    """Yields one point after another, so that the caller can show progress and stop.

    predict: faces -> probabilities (N, 7) for one view. sets: the prediction sets on the model's card.
    """
    if sets is not None and "none" not in sets.quantiles:
        sets = None
    clean = (predict(faces).argmax(1) == labels).astype(float)
    for condition in conditions:
        for strength in STRENGTHS:
            probabilities = predict(stressed(faces, condition, strength, seed))
            right = (probabilities.argmax(1) == labels).astype(float)
            members = None if sets is None else sets.members(probabilities)
            change = right - clean
            half = 1.96 * change.std() / np.sqrt(len(change))
            yield StressPoint(
                condition,
                strength,
                float(right.mean()),
                float(change.mean()),
                float(change.mean() - half),
                float(change.mean() + half),
                None if members is None else float(members[np.arange(len(labels)), labels].mean()),
                None if members is None else float(members.sum(1).mean()),
            )


def worst_first(points: Sequence[StressPoint]) -> dict[str, StressPoint]:
    """Each condition with its point of lowest accuracy, ordered by the loss, largest first."""
    worst: dict[str, StressPoint] = {}
    for point in points:
        if point.condition not in worst or point.change < worst[point.condition].change:
            worst[point.condition] = point
    return dict(sorted(worst.items(), key=lambda one: one[1].change))


def stress_sentence(points: Sequence[StressPoint]) -> str:
    """A sentence about the conditions with the largest and smallest loss of accuracy. points: at least one."""
    worst = list(worst_first(points).values())
    first, last = worst[0], worst[-1]
    if first.change > -0.005:
        return f"Loses no accuracy under {count_of(len(worst), 'condition')}."
    most = f"Loses most under {first.condition}: {wording.points(first.change)} at strength {first.strength}."
    if len(worst) == 1:
        return most
    least = "nothing" if last.change > -0.005 else wording.points(last.change)
    return f"{most} Least under {last.condition}: {least}."


def sample_strips(face: NDArray[np.uint8], seed: int = 0) -> dict[str, NDArray[np.uint8]]:
    """One face under each condition: clean, then strengths 1 to 5 side by side, (S, 6 S) uint8."""
    return {
        name: np.hstack([face, *(stressed(face[None], name, strength, seed)[0] for strength in STRENGTHS)])
        for name in CONDITIONS
    }
