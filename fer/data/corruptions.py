"""Corruptions of a face as in photographs: light from one side, blur, compression, few pixels, occlusion.

Training applies them at random (`TrainConfig.damage`); the stress report measures each at fixed strengths.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

Face = NDArray[np.float32]
Changed = NDArray[np.integer | np.floating]
# One face (S, S) float32 in 0..255, a strength 0..1 and a random generator -> the corrupted face, not yet clipped.
Change = Callable[[Face, float, np.random.Generator], Changed]


def side_light(face: Face, amount: float, rng: np.random.Generator) -> Changed:
    angle, size = rng.uniform(0, 2 * np.pi), face.shape[0]
    y, x = np.mgrid[-1 : 1 : size * 1j, -1 : 1 : size * 1j]
    ramp = (np.cos(angle) * x + np.sin(angle) * y).astype(np.float32)
    lit: Face = face * (1 + amount * 0.9 * ramp) + 40 * amount * ramp
    return lit


def gaussian_blur(face: Face, amount: float, rng: np.random.Generator) -> Changed:
    return cv2.GaussianBlur(face, (0, 0), 0.4 + 2.6 * amount)


def jpeg(face: Face, amount: float, rng: np.random.Generator) -> Changed:
    quality = round(50 - 47 * amount)
    _, data = cv2.imencode(".jpg", np.clip(face, 0, 255).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, quality])
    return cast("NDArray[np.uint8]", cv2.imdecode(data, cv2.IMREAD_GRAYSCALE))  # just encoded, so it decodes


def resolution(face: Face, amount: float, rng: np.random.Generator) -> Changed:
    size = face.shape[0]
    small = max(round(size * (0.75 - 0.55 * amount)), 4)
    return cv2.resize(cv2.resize(face, (small, small), interpolation=cv2.INTER_AREA), (size, size))


def lower_face_mask(face: Face, amount: float, rng: np.random.Generator) -> Changed:
    size, covered = face.shape[0], face.copy()
    top = size * (0.95 - 0.45 * amount)
    sides = [
        (size * 0.12, top + size * 0.06),
        (size * 0.5, top),
        (size * 0.88, top + size * 0.06),
        (size * 0.8, size * 1.05),
        (size * 0.2, size * 1.05),
    ]
    cv2.fillPoly(covered, [np.array(sides).round().astype(np.int32)], float(rng.uniform(150, 240)), cv2.LINE_AA)
    return covered


def sunglasses(face: Face, amount: float, rng: np.random.Generator) -> Changed:
    size, covered, gray = face.shape[0], face.copy(), float(rng.uniform(5, 50))
    axes = (round(size * (0.05 + 0.12 * amount)), round(size * (0.04 + 0.09 * amount)))
    for x in (0.31, 0.68):
        cv2.ellipse(covered, (round(size * x), round(size * 0.38)), axes, 0, 0, 360, gray, -1, cv2.LINE_AA)
    cv2.line(covered, (round(size * 0.31), round(size * 0.36)), (round(size * 0.68), round(size * 0.36)), gray, 2)
    return covered


def hand_block(face: Face, amount: float, rng: np.random.Generator) -> Changed:
    size, covered = face.shape[0], face.copy()
    side = max(round(size * (0.12 + 0.38 * amount)), 2)
    left, top = rng.integers(0, size - side + 1, 2)
    covered[top : top + side, left : left + side] = rng.uniform(60, 200)
    return covered


DAMAGES: dict[str, Change] = {
    "side light": side_light,
    "Gaussian blur": gaussian_blur,
    "JPEG quality": jpeg,
    "resolution": resolution,
    "lower-face mask": lower_face_mask,
    "sunglasses": sunglasses,
    "hand-sized block": hand_block,
}
