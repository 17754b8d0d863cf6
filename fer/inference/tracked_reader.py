"""Read a stream's or video's frames into people and their smoothed expressions."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from fer.inference.recognizer import Recognizer
from fer.inference.smoothing import SMOOTHING_S, ProbabilitySmoother
from fer.records import FaceRecord, Prediction
from fer.vision.detection import Detector
from fer.vision.tracking import STALL_S, FaceTracker

if TYPE_CHECKING:
    from numpy.typing import NDArray

LIVE_SIDE = 320  # pixels: search size for live frames, in which faces need 20
FULL_SIDE = 640
TRACKED_SIDE = 640  # pixels: boxes are tracked at this long side, since a stream may change its size


@dataclass(frozen=True)
class TrackedFace:
    """One person in one frame.

    person: the number, from 1. prediction: probabilities, answer and set are smoothed over time; box and quality are
    this frame's. raw: this frame's own probabilities. time_s: the frame's time. model: the model's name.
    """

    person: int
    prediction: Prediction
    raw: tuple[float, ...]
    time_s: float
    model: str = ""

    def record(self, since_s: float = 0.0) -> FaceRecord:
        """A row of a recording that began at since_s, without landmarks, which rows do not contain."""
        box = replace(self.prediction.box, landmarks=None)
        return FaceRecord(
            replace(self.prediction, box=box), time_s=self.time_s - since_s, person=self.person, model=self.model
        )


class TrackedReader:
    """Finds, reads and tracks faces. One per stream; not thread-safe.

    recognizer, detector, smoothing_s and long_side may be replaced between frames; people keep their numbers.
    """

    def __init__(
        self,
        recognizer: Recognizer,
        detector: Detector,
        smoothing_s: float = SMOOTHING_S,
        long_side: int = LIVE_SIDE,
        stall_s: float = STALL_S,
    ) -> None:
        self.recognizer, self.detector = recognizer, detector
        self.smoothing_s, self.long_side = smoothing_s, long_side
        self._tracker = FaceTracker(stall_s=stall_s)
        self._steady: dict[int, ProbabilitySmoother] = {}

    def read(self, frame_rgb: NDArray[np.uint8], time_s: float) -> tuple[TrackedFace, ...]:
        """One frame (H, W, 3) uint8 RGB -> its faces, largest first. time_s: seconds on the stream's own clock."""
        recognizer, detector = self.recognizer, self.detector  # another thread may replace them
        boxes = detector.detect(frame_rgb, self.long_side)
        predictions = recognizer.read(frame_rgb, boxes)
        people = self._tracker.update([box.scaled(TRACKED_SIDE / max(frame_rgb.shape[:2])) for box in boxes], time_s)
        self._steady = {person: steady for person, steady in self._steady.items() if person in self._tracker.alive}
        return tuple(
            self._follow(person, prediction, time_s, recognizer)
            for person, prediction in zip(people, predictions, strict=True)
        )

    def restart(self) -> None:
        """Start a new scene with new people and no smoothing from before."""
        self._tracker.restart()

    def _follow(self, person: int, prediction: Prediction, time_s: float, recognizer: Recognizer) -> TrackedFace:
        steady = self._steady.setdefault(person, ProbabilitySmoother())
        steady.constant_s = self.smoothing_s
        raw = smoothed = prediction.probabilities
        if prediction.quality.ok:
            smoothed = steady.update(raw, time_s)
        elif steady.probabilities is not None:  # keep the last value while the face cannot be read
            smoothed = tuple(map(float, steady.probabilities))
        judged = recognizer.card.judge(prediction.box, smoothed, prediction.quality)
        return TrackedFace(person, judged, raw, time_s, recognizer.name)
