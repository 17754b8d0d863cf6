"""Detect faces with YuNet, dlib's HOG or a Haar cascade, each at a bounded search size."""

from __future__ import annotations

import threading
from functools import lru_cache
from typing import TYPE_CHECKING, Protocol, cast

import cv2
import cv2.data
import numpy as np

from fer.errors import FerError
from fer.records import FaceBox
from fer.vision import yunet_file
from fer.vision.registry import DETECTOR_SPECS

if TYPE_CHECKING:
    from numpy.typing import NDArray

LONG_SIDE = 1024  # search size for photos; live streams use less
YUNET_THRESHOLD = 0.65
YUNET_OVERLAP = 0.3  # intersection over union above which YuNet drops the lower-scoring of two boxes
HOG_UPSAMPLING = 1
HOG_THRESHOLD = 0.15  # 0 to 0.3 find the same faces in the annotated photos; 0 finds one false face elsewhere
MERGE_OVERLAP = 0.45  # intersection over the smaller box at which two boxes count as one face


class Detector(Protocol):
    """Finds faces. name: as in fer.vision.registry.DETECTOR_SPECS."""

    name: str

    def detect(self, image_rgb: NDArray[np.uint8], long_side: int = LONG_SIDE) -> list[FaceBox]:
        """(H, W, 3) uint8 -> boxes in the picture's own pixels, largest first; an empty list if there are none."""
        ...


class YuNet:
    """cv2.FaceDetectorYN (Wu et al. 2023): boxes with five landmarks."""

    name = "yunet"

    def __init__(self, model_file: str) -> None:
        self._network = cv2.FaceDetectorYN.create(model_file, "", (320, 320), YUNET_THRESHOLD, YUNET_OVERLAP, 5000)
        self._lock = threading.Lock()  # setting the input size changes the shared network

    def detect(self, image_rgb: NDArray[np.uint8], long_side: int = LONG_SIDE) -> list[FaceBox]:
        small, factor = bounded(image_rgb, long_side)
        with self._lock:
            self._network.setInputSize((small.shape[1], small.shape[0]))
            _, rows = self._network.detect(cv2.cvtColor(small, cv2.COLOR_RGB2BGR))
        boxes = []
        for row in rows if rows is not None else ():
            x, y, width, height, *points = (float(value) / factor for value in row[:14])
            landmarks = tuple((points[i], points[i + 1]) for i in range(0, 10, 2))
            boxes.append(FaceBox(x, y, width, height, float(row[14]), landmarks, detector=self.name))
        return merge(boxes)


class Hog:
    """dlib's frontal face detector (histograms of oriented gradients, King 2009); needs no download."""

    name = "hog"

    def __init__(self) -> None:
        import dlib

        self._run = dlib.get_frontal_face_detector()
        self._lock = threading.Lock()

    def detect(self, image_rgb: NDArray[np.uint8], long_side: int = LONG_SIDE) -> list[FaceBox]:
        small, factor = bounded(image_rgb, long_side)
        gray = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)
        with self._lock:
            found, scores, _ = self._run.run(gray, HOG_UPSAMPLING, HOG_THRESHOLD)
        return merge(
            [
                FaceBox(
                    box.left() / factor,
                    box.top() / factor,
                    box.width() / factor,
                    box.height() / factor,
                    float(1 / (1 + np.exp(-score))),
                    detector=self.name,
                )
                for box, score in zip(found, scores, strict=True)
            ]
        )


class Haar:
    """OpenCV's Haar cascade (Viola and Jones 2001), with the best of 72 measured settings (docs/benchmarks.md)."""

    name = "haar"

    def __init__(self) -> None:
        self._cascade = cv2.CascadeClassifier(cv2.data.haarcascades + "haarcascade_frontalface_alt.xml")
        self._lock = threading.Lock()

    def detect(self, image_rgb: NDArray[np.uint8], long_side: int = LONG_SIDE) -> list[FaceBox]:
        small, factor = bounded(image_rgb, long_side)
        gray = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)
        with self._lock:
            found, _, weights = self._cascade.detectMultiScale3(
                gray, scaleFactor=1.05, minNeighbors=7, minSize=(30, 30), outputRejectLevels=True
            )
        boxes = []
        for box, weight in zip(found, np.ravel(weights), strict=True):
            x, y, width, height = (float(value) / factor for value in box)
            boxes.append(FaceBox(x, y, width, height, float(1 / (1 + np.exp(-weight / 4))), detector=self.name))
        return merge(boxes)


class WholePicture:
    """Treats the whole picture as one face crop."""

    name = "none"

    def detect(self, image_rgb: NDArray[np.uint8], long_side: int = LONG_SIDE) -> list[FaceBox]:
        height, width = image_rgb.shape[:2]
        return [FaceBox(0.0, 0.0, float(width), float(height), detector=self.name)]


class Auto:
    """The best available detector, chosen automatically; `fer.vision.search` treats it differently in photos."""

    def __init__(self, detector: Detector) -> None:
        self.detector, self.name = detector, detector.name

    def detect(self, image_rgb: NDArray[np.uint8], long_side: int = LONG_SIDE) -> list[FaceBox]:
        return self.detector.detect(image_rgb, long_side)


@lru_cache(maxsize=8)
def _ready(name: str) -> Detector:
    return DETECTOR_SPECS[name].build()


@lru_cache(maxsize=4)
def _yunet(model_file: str) -> Detector:
    try:
        return YuNet(model_file)
    except cv2.error:
        raise FerError("The YuNet file cannot be loaded. Delete it from the cache to download it again.") from None


def load_detector(name: str = "auto", wait_s: float = yunet_file.SHORT_TRY_S) -> Detector:
    """The named detector. `auto`: YuNet if its file is present or arrives within wait_s seconds, otherwise HOG.

    The result's `name` tells which. Raises FerError for an unknown name, or for yunet if its file is unavailable.
    """
    if name not in ("auto", *DETECTOR_SPECS):
        raise FerError(f"There is no detector {name!r}. Choose from auto, {', '.join(DETECTOR_SPECS)}.")
    if name not in ("auto", "yunet"):
        return _ready(name)
    file = yunet_file.obtain(wait_s)
    if name == "auto":
        return Auto(_yunet(str(file)) if file else _ready("hog"))
    if file is None:
        raise FerError(
            "The YuNet detector's file is missing and could not be downloaded. Use --detector hog, or put "
            f"{yunet_file.NAME} into the folder that FER_CACHE names."
        )
    return _yunet(str(file))


def merge(boxes: list[FaceBox]) -> list[FaceBox]:
    """Keep one box per face: the highest-scoring of strongly overlapping boxes. Returns the largest first."""
    kept: list[FaceBox] = []
    for box in sorted(boxes, key=lambda box: -box.score):
        if box.area > 0 and all(overlap(box, other) < MERGE_OVERLAP for other in kept):
            kept.append(box)
    return sorted(kept, key=lambda box: -box.area)


def overlap(one: FaceBox, other: FaceBox) -> float:
    """Intersection over the smaller of the two areas, 0..1."""
    width = min(one.x + one.width, other.x + other.width) - max(one.x, other.x)
    height = min(one.y + one.height, other.y + other.height) - max(one.y, other.y)
    smaller = min(one.area, other.area)
    return max(width, 0.0) * max(height, 0.0) / smaller if smaller > 0 else 0.0


def bounded(image_rgb: NDArray[np.uint8], long_side: int) -> tuple[NDArray[np.uint8], float]:
    """The picture scaled down to at most long_side wide and high, and the factor."""
    factor = min(1.0, long_side / max(image_rgb.shape[:2]))
    if factor == 1.0:
        return image_rgb, 1.0
    size = (max(round(image_rgb.shape[1] * factor), 1), max(round(image_rgb.shape[0] * factor), 1))
    return cast("NDArray[np.uint8]", cv2.resize(image_rgb, size, interpolation=cv2.INTER_AREA)), factor
