"""Measure how much a label depends on the exact crop, by reading shifted, scaled, rotated and mirrored crops."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, cast

import cv2
import numpy as np

from fer.inference.recognizer import Recognizer
from fer.records import Prediction
from fer.vision.alignment import Crop, cut, face_crop
from fer.vision.pixels import as_rgb

if TYPE_CHECKING:
    from numpy.typing import NDArray

VIEWS = 16
STEADY = 0.75  # the share of views that must agree for a steady expression
SHIFT = 0.04  # maximum shift as a share of the crop's side: about two of FER2013's 48 pixels
SCALE = 0.06  # maximum relative change in size
TURN = 6.0  # maximum rotation in degrees


def with_stability(recognizer: Recognizer, image_rgb: NDArray[np.uint8], faces: list[Prediction]) -> list[Prediction]:
    """The same faces with their stability; see `stability`."""
    shares = stability(recognizer, image_rgb, faces)
    return [replace(face, stability=share) for face, share in zip(faces, shares, strict=True)]


def stability(
    recognizer: Recognizer,
    image_rgb: NDArray[np.uint8],
    faces: list[Prediction],
    views: int = VIEWS,
    seed: int = 0,
) -> list[float]:
    """For each face, the share of views, 0..1, that get the same expression. The seed determines the views.

    image_rgb: (H, W, 3) uint8 RGB, the picture in which the faces were read.
    """
    if not faces:
        return []
    image_rgb = as_rgb(image_rgb)
    size, rng = recognizer.card.preprocessing.face_size, np.random.default_rng(seed)
    if faces[0].box.whole:  # the picture was resized to a square, so crop the square
        side = 4 * size  # finer than a crop, and small for any picture
        image_rgb = cast("NDArray[np.uint8]", cv2.resize(image_rgb, (side, side), interpolation=cv2.INTER_AREA))
        faces = [replace(face, box=replace(face.box, width=side, height=side)) for face in faces]
    jitters = rng.uniform(-1, 1, (views, 4))
    batches = []
    for face in faces:
        crop = face_crop(face.box)
        grays = [cut(image_rgb, _moved(crop, jitter), size) for jitter in jitters]
        batches += [gray[:, ::-1] if index % 2 else gray for index, gray in enumerate(grays)]  # mirror every second one
    rows = recognizer.probabilities(np.stack(batches)).argmax(1).reshape(len(faces), views)
    own = np.array([int(np.argmax(face.probabilities)) for face in faces])
    return [float(share) for share in (rows == own[:, None]).mean(1)]


def stability_words(share: float, expression: str, judged: bool = True) -> str:
    """A sentence for the share of VIEWS, 0..1, that agree on the expression. judged: say whether that is steady."""
    count, few = round(share * VIEWS), "only " if share < 0.5 else ""
    found = f"{expression} in {few}{count} of {VIEWS} slightly changed copies."
    return f"{'Steady' if share >= STEADY else 'Unstable'}: {found}" if judged else found.capitalize()


def _moved(crop: Crop, jitter: NDArray[np.float64]) -> Crop:
    across, down, larger, turned = map(float, jitter)
    return replace(
        crop,
        center_x=crop.center_x + SHIFT * across * crop.side,
        center_y=crop.center_y + SHIFT * down * crop.side,
        side=crop.side * (1 + SCALE * larger),
        roll=crop.roll + np.deg2rad(TURN * turned),
    )
