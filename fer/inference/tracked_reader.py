"""Frames of a stream or a video in, people and their smoothed expressions out."""

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

LIVE_SIDE = 320  # search size of live frames: a face from 20 pixels of it on
FULL_SIDE = 640
TRACKED_SIDE = 640  # people are followed on frames of this long side: a stream may change its size


@dataclass(frozen=True)
class TrackedFace:
    """One person in one frame.

    person: their number, from 1. prediction: by probabilities that are smoothed over time, and so are its answer and
    set; its box and quality are this frame's. raw: this frame's own probabilities. time_s: of the frame. model: the
    name of the one that read it.
    """

    person: int
    prediction: Prediction
    raw: tuple[float, ...]
    time_s: float
    model: str = ""

    def record(self, since_s: float = 0.0) -> FaceRecord:
        """A row of a recording that began at since_s; without the landmarks, which no row tells."""
        box = replace(self.prediction.box, landmarks=None)
        return FaceRecord(
            replace(self.prediction, box=box), time_s=self.time_s - since_s, person=self.person, model=self.model
        )


class TrackedReader:
    """Finds, reads and follows faces. One per stream; not for several threads at once.

    recognizer, detector, smoothing_s and long_side may be replaced between frames: people keep their numbers.
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
        """One frame (H, W, 3) uint8 RGB -> its faces, the largest first. time_s: seconds on the stream's own clock."""
        recognizer, detector = self.recognizer, self.detector  # another thread may replace them meanwhile
        boxes = detector.detect(frame_rgb, self.long_side)
        predictions = recognizer.read(frame_rgb, boxes)
        people = self._tracker.update([box.scaled(TRACKED_SIDE / max(frame_rgb.shape[:2])) for box in boxes], time_s)
        self._steady = {person: steady for person, steady in self._steady.items() if person in self._tracker.alive}
        return tuple(
            self._follow(person, prediction, time_s, recognizer)
            for person, prediction in zip(people, predictions, strict=True)
        )

    def restart(self) -> None:
        """Another scene begins: its people are new, and nothing that was seen before weighs on them."""
        self._tracker.restart()

    def _follow(self, person: int, prediction: Prediction, time_s: float, recognizer: Recognizer) -> TrackedFace:
        steady = self._steady.setdefault(person, ProbabilitySmoother())
        steady.constant_s = self.smoothing_s
        raw = smoothed = prediction.probabilities
        if prediction.quality.ok:
            smoothed = steady.update(raw, time_s)
        elif steady.probabilities is not None:  # a face that cannot be read says nothing: what was seen before stays
            smoothed = tuple(map(float, steady.probabilities))
        judged = recognizer.card.judge(prediction.box, smoothed, prediction.quality)
        return TrackedFace(person, judged, raw, time_s, recognizer.name)
