"""Measure the cost of a detector's crops: accuracy on PublicTest's original faces, and on our crops of them.

python -m fer tools detected-crops mini_xception compact --data fer2013.csv
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import tyro

from fer.data.dataset import Dataset
from fer.data.fer2013 import read_fer2013
from fer.errors import FerError
from fer.inference.recognizer import Recognizer, load
from fer.tools.crop_measurement import found_again
from fer.vision.alignment import align_face
from fer.vision.detection import Detector, load_detector
from fer.vision.registry import FACE_FINDERS

SPLIT = "PublicTest"


def cut_again(part: Dataset, detector: Detector) -> tuple[np.ndarray, np.ndarray]:
    """The rows (M,) of the pictures with a detected face, and the crops (M, 48, 48) uint8."""
    rows, crops = [], []
    for row, photo, box in found_again(part.pixels, detector):
        rows.append(row)
        crops.append(align_face(photo, box))
    return np.array(rows, int), np.array(crops, np.uint8).reshape(-1, 48, 48)


def accuracy(recognizer: Recognizer, faces: np.ndarray, labels: np.ndarray) -> float:
    """Accuracy in 0..1 for one view; NaN without faces."""
    return float((recognizer.probabilities(faces).argmax(1) == labels).mean()) if len(faces) else float("nan")


def main(models: tyro.conf.Positional[list[str]], data: Path, limit: int = 0) -> None:
    """Print a Markdown table: for each detector, the share of faces found, and each model's accuracy, in percent.

    Args:
        models: Names in weights/, run directories or .safetensors files.
        data: fer2013.csv.
        limit: Use only the first N pictures; 0: all.
    """
    part = read_fer2013(data).split(SPLIT)
    if limit < 0:
        raise FerError(f"--limit is 0, for all pictures, or more, got {limit}.")
    part = part.take(np.arange(min(limit or len(part), len(part))))
    recognizers = [load(model) for model in models]
    print("| detector | found | " + " | ".join(f"{one.name}: as they are, cut again" for one in recognizers) + " |")
    print("|---|---|" + "---|" * len(recognizers))
    for name in FACE_FINDERS[1:]:
        rows, crops = cut_again(part, load_detector(name))
        cells = [
            ", ".join(f"{accuracy(one, faces, part.labels[rows]):.1%}" for faces in (part.pixels[rows], crops))
            for one in recognizers
        ]
        print(f"| {name} | {len(rows) / len(part):.0%} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    tyro.cli(main)
