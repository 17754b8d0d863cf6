"""Measure how FER2013 crops its faces, and how far each detector's crops deviate.

python -m fer tools crop-measurement --data fer2013.csv
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import tyro
from tqdm import tqdm

from fer.data.fer2013 import read_fer2013
from fer.records import FaceBox
from fer.vision.alignment import REFERENCE, face_crop
from fer.vision.detection import Detector, load_detector
from fer.vision.registry import FACE_FINDERS

ENLARGED, BORDER = 4, 96  # detectors need larger faces with surroundings


def found_again(pixels: np.ndarray, detector: Detector) -> Iterator[tuple[int, np.ndarray, FaceBox]]:
    """For each picture with a detected face: its row, the enlarged picture (H, W, 3) uint8, and the best box."""
    for row, picture in enumerate(tqdm(pixels, desc=detector.name, leave=False)):
        large = cv2.resize(picture, None, fx=ENLARGED, fy=ENLARGED, interpolation=cv2.INTER_CUBIC)
        large = cv2.copyMakeBorder(large, BORDER, BORDER, BORDER, BORDER, cv2.BORDER_REPLICATE)
        photo = cv2.cvtColor(large, cv2.COLOR_GRAY2RGB)
        if found := detector.detect(photo):
            yield row, photo, found[0]


def measure(pixels: np.ndarray, detector: Detector) -> dict[str, float | list[float] | dict[str, float]]:
    """Detect the face in each 48 x 48 picture; medians in pixels of the picture.

    spread: half the range of the middle 90% of the resulting crops: side in percent, center across and down in pixels,
    rotation in degrees. `fer.tools.detected_crops` measures its cost.
    """
    boxes, landmarks, crops = [], [], []
    for _, _, box in found_again(pixels, detector):
        boxes.append(
            [
                np.sqrt(box.area) / ENLARGED,
                (box.x + box.width / 2 - BORDER) / ENLARGED,
                (box.y + box.height / 2 - BORDER) / ENLARGED,
            ]
        )
        crop = face_crop(box)
        crops.append(
            [
                crop.side / ENLARGED / REFERENCE * 100,
                crop.center_x / ENLARGED,
                crop.center_y / ENLARGED,
                np.rad2deg(crop.roll),
            ]
        )
        if box.landmarks:
            points = (np.array(box.landmarks) - BORDER) / ENLARGED
            eyes, mouth = points[:2].mean(0), points[3:5].mean(0)
            landmarks.append(
                [np.linalg.norm(points[1] - points[0]), np.linalg.norm(mouth - eyes), *((eyes + mouth) / 2)]
            )
    side, x, y = np.median(boxes, axis=0).round(1)
    values: dict = {"found": round(len(boxes) / len(pixels), 3), "side": float(side), "center": [float(x), float(y)]}
    low, high = np.percentile(crops, (5, 95), axis=0)
    values["spread"] = dict(zip(("side", "across", "down", "turn"), ((high - low) / 2).round(1).tolist()))
    if landmarks:
        eye_distance, eyes_to_mouth, x, y = np.median(landmarks, axis=0).round(1)
        values |= {
            "eye_distance": float(eye_distance),
            "eyes_to_mouth": float(eyes_to_mouth),
            "eyes_mouth_middle": [float(x), float(y)],
        }
    return values


def main(data: Path, pictures: int = 1500, seed: int = 0) -> None:
    """Print each detector's median box in FER2013's Training pictures, and the spread of its crops.

    Args:
        data: fer2013.csv.
        pictures: Number of random pictures to measure.
        seed: Random seed.
    """
    training = read_fer2013(data).split("Training")
    rows = np.random.default_rng(seed).choice(len(training), min(pictures, len(training)), replace=False)
    for name in FACE_FINDERS[1:]:
        print(name, measure(training.pixels[rows], load_detector(name)))


if __name__ == "__main__":
    tyro.cli(main)
