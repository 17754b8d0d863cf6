"""The detectors by name: what each is called, where its class is, how its box lies. Light: no OpenCV here."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fer.vision.detection import Detector


@dataclass(frozen=True)
class BoxMedian:
    """Where a detector's box lies within FER2013's 48 x 48 pictures: its side (root of its area) and center.

    Measured by `python -m fer tools crop-measurement --data fer2013.csv`.
    """

    side: float
    center: tuple[float, float]


@dataclass(frozen=True)
class DetectorSpec:
    """label: for the sidebar; empty keeps it out of there. place: module:class, imported when first asked for.

    clear_score: what the best face of an upright photo reaches, but hardly that of a turned one. fit_score: what each
    face of a photo reaches, so that less may be an animal or a thing. 0 where the detector's score tells neither.
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
