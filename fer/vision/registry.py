"""The detectors by name: label, class, and how each frames faces. Does not import OpenCV."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fer.vision.detection import Detector


@dataclass(frozen=True)
class BoxMedian:
    """A detector's median box in FER2013's 48 x 48 pictures: side (the square root of its area) and center.

    Measured by `python -m fer tools crop-measurement --data fer2013.csv`.
    """

    side: float
    center: tuple[float, float]


@dataclass(frozen=True)
class DetectorSpec:
    """label: for the sidebar; empty hides the detector there. place: module:class, imported on first use.

    clear_score: the best face reaches it in an upright photo, but rarely in a turned one. fit_score: faces in photos
    reach it; a lower score may be an animal or an object. 0 if the detector's score cannot tell.
    """

    label: str
    place: str
    median: BoxMedian
    clear_score: float = 0.0
    fit_score: float = 0.0

    def build(self, *arguments: object) -> Detector:
        module, name = self.place.split(":")
        detector: Detector = getattr(import_module(module), name)(*arguments)
        return detector


DETECTOR_SPECS = {
    "yunet": DetectorSpec(
        "YuNet (neural network)", "fer.vision.detection:YuNet", BoxMedian(42.0, (23.7, 23.1)), 0.88, 0.8
    ),
    "hog": DetectorSpec("HOG (dlib)", "fer.vision.detection:Hog", BoxMedian(39.0, (24.2, 28.8)), 0.6),
    "haar": DetectorSpec("Haar cascade", "fer.vision.detection:Haar", BoxMedian(46.0, (24.1, 23.8))),
    "none": DetectorSpec("", "fer.vision.detection:WholePicture", BoxMedian(48.0, (24.0, 24.0))),
}
DETECTORS = ("auto", *DETECTOR_SPECS)
FACE_FINDERS = tuple(name for name in DETECTORS if name != "none")
