"""Score the detectors on annotated photos: `python -m fer tools detection-benchmark --photos FOLDER`."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import tyro

from fer.errors import FerError
from fer.records import FaceBox
from fer.vision.detection import LONG_SIDE, Detector, load_detector
from fer.vision.images import read_image
from fer.vision.registry import FACE_FINDERS

MATCH_IOU = 0.3  # annotations are tight boxes, and some detectors draw wider ones


@dataclass(frozen=True)
class DetectorScore:
    """faces: annotated. recall, precision: 0..1. milliseconds: mean per photo."""

    faces: int
    recall: float
    precision: float
    milliseconds: float


def score_detector(detector: Detector, folder: Path, long_side: int = LONG_SIDE) -> DetectorScore:
    """folder: photos with faces.json {name: {"faces": [[x, y, width, height], ...]}}."""
    faces = found = matched = 0
    seconds = 0.0
    annotated = _annotations(folder / "faces.json")
    for name, row in annotated.items():
        image_rgb = read_image(folder / name)
        began = time.perf_counter()
        boxes = detector.detect(image_rgb, long_side)
        seconds += time.perf_counter() - began
        faces, found = faces + len(row["faces"]), found + len(boxes)
        matched += _matches(
            boxes, [FaceBox(x, y, width, height, detector="none") for x, y, width, height in row["faces"]]
        )
    return DetectorScore(faces, matched / faces, matched / max(found, 1), 1000 * seconds / len(annotated))


def _annotations(file: Path) -> dict[str, Any]:
    try:
        annotated = json.loads(file.read_text(encoding="utf-8"))
        boxes = [box for row in annotated.values() for box in row["faces"]]
        if boxes and all(len(box) == 4 for box in boxes):
            return cast("dict[str, Any]", annotated)
    except OSError as error:
        raise FerError(f"{file.name} cannot be read in {file.parent.name}: {error.strerror}.") from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        pass
    raise FerError(f'{file.name} is not {{"photo.jpg": {{"faces": [[x, y, width, height], ...]}}}} for each photo.')


def _matches(boxes: list[FaceBox], truth: list[FaceBox]) -> int:
    """The number of one-to-one matches; higher-scoring boxes choose first."""
    left = list(truth)
    for box in sorted(boxes, key=lambda box: -box.score):
        best = max(left, key=lambda face: _iou(box, face), default=None)
        if best is not None and _iou(box, best) >= MATCH_IOU:
            left.remove(best)
    return len(truth) - len(left)


def _iou(one: FaceBox, other: FaceBox) -> float:
    width = min(one.x + one.width, other.x + other.width) - max(one.x, other.x)
    height = min(one.y + one.height, other.y + other.height) - max(one.y, other.y)
    shared = max(width, 0.0) * max(height, 0.0)
    return shared / (one.area + other.area - shared)


def main(photos: Path) -> None:
    """Print recall, precision and time of each detector and search size.

    Args:
        photos: A folder with photos and a faces.json.
    """
    for name in FACE_FINDERS[1:]:
        for side in (1024, 640, 320) if name == "yunet" else (1024, 640):
            result = score_detector(load_detector(name), photos, side)
            print(
                f"{name:>6} long side {side:>4}: recall {result.recall:.3f}, precision {result.precision:.3f}, "
                f"{result.milliseconds:.0f} ms per photo ({result.faces} faces)"
            )


if __name__ == "__main__":
    tyro.cli(main)
