"""Analyze and annotate the frames of a live stream, and keep the latest results for the page.

The stream's thread calls the analyzer and the page's thread reads from it; a lock guards everything they share.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from fer.failure_log import log_failure
from fer.inference.recognizer import Recognizer
from fer.inference.smoothing import SMOOTHING_S
from fer.inference.tracked_reader import LIVE_SIDE, TrackedFace, TrackedReader
from fer.limits import OWNER, Limits
from fer.records import FaceRecord
from fer.vision.detection import Detector

HISTORY_S = 60.0
RATE_S = 3.0  # the window over which the frame rate is measured
PERSONS_KEPT_S = 2.0  # faces stay current for this long after the last frame
FAILURE_TOLD_S = 10.0  # a failure is shown for this long after the last frame that could not be read

Draw = Callable[[NDArray[np.uint8], tuple[TrackedFace, ...], frozenset[str], Recognizer], NDArray[np.uint8]]


@dataclass(frozen=True)
class LiveSettings:
    """The viewer's settings; replaced as a whole while the stream runs.

    drawn: any of boxes, labels, landmarks and heat. smoothing_s: the smoothing's time constant.
    """

    smoothing_s: float = SMOOTHING_S
    mirror: bool = True
    drawn: frozenset[str] = frozenset({"boxes", "labels"})
    long_side: int = LIVE_SIDE


@dataclass(frozen=True)
class LiveState:
    """The stream's current state. latency_ms: from a frame's arrival, plus any wait before it, to its annotated copy.

    failures: the number of frames that could not be read; failure: the type of a recent error, or "".
    """

    faces: tuple[TrackedFace, ...] = ()
    frames: int = 0
    frames_per_s: float = 0.0
    latency_ms: float = 0.0
    width: int = 0
    height: int = 0
    recording: bool = False
    recorded: int = 0
    failures: int = 0
    failure: str = ""
    silent_s: float = 0.0  # time since the last frame
    recording_full: bool = False


class LiveAnalyzer:
    """Turns frames into annotated frames. Never raises: counts and reports failures, and returns such frames unchanged.

    draw(frame_rgb, faces, what, recognizer) returns the annotated frame. clock: monotonic, in seconds.
    """

    def __init__(
        self,
        recognizer: Recognizer,
        detector: Detector,
        draw: Draw,
        settings: LiveSettings = LiveSettings(),
        clock: Callable[[], float] = time.monotonic,
        limits: Limits = OWNER,
    ) -> None:
        self.settings, self._draw, self._clock = settings, draw, clock
        self._most_rows = limits.recorded_rows
        self._follower = TrackedReader(recognizer, detector, settings.smoothing_s, settings.long_side)
        self._lock = threading.Lock()
        self._began = clock()
        self._history: deque[FaceRecord] = deque()
        self._done: deque[tuple[float, float]] = deque()  # (time, latency), in seconds, of recent frames
        self._latest = LiveState()
        self._recorded: list[FaceRecord] | None = None
        self._recording_began = 0.0
        self._counted_from: float | None = None  # when the first frame arrived
        self._early: float | None = None  # the smallest difference between arrival and frame time
        self._frame_s: float | None = None  # the last frame's time on the stream's clock
        self._last_s = self._began
        self._logged: set[str] = set()
        self._failed_s = float("-inf")

    @property
    def detector(self) -> Detector:
        return self._follower.detector

    def use(self, recognizer: Recognizer, detector: Detector, settings: LiveSettings) -> None:
        """Apply model, detector and settings from the next frame on, without restarting the stream."""
        with self._lock:
            self._follower.recognizer, self._follower.detector = recognizer, detector
            self._follower.smoothing_s, self._follower.long_side = settings.smoothing_s, settings.long_side
            self.settings = settings

    def __call__(self, frame_rgb: NDArray[np.uint8], frame_s: float | None = None) -> NDArray[np.uint8]:
        """Annotate a frame (H, W, 3) uint8 RGB. frame_s: the frame's time on the stream's own clock."""
        arrived = self._clock()
        try:
            frame_rgb = np.ascontiguousarray(frame_rgb[:, ::-1]) if self.settings.mirror else frame_rgb
            tracked_reader, what = self._follower, self.settings.drawn
            # Only this thread calls the reader; other threads may replace its parts for the next frame.
            faces = tracked_reader.read(frame_rgb, arrived - self._began)
            drawn = self._draw(frame_rgb, faces, what, tracked_reader.recognizer)
        except Exception as error:  # no single frame may end the stream
            self.failed(error)
            return frame_rgb
        self._note(faces, drawn.shape, arrived, frame_s)
        return drawn

    def restarted(self) -> None:
        """Start a new connection with its own clock, and forget earlier failures."""
        with self._lock:
            self._new_clock()
            self._logged.clear()
            self._latest = replace(self._latest, failures=0, failure="")
            self._failed_s = float("-inf")

    def _new_clock(self) -> None:
        self._early = self._frame_s = self._counted_from = None
        self._done.clear()

    def state(self) -> LiveState:
        """The stream's state now."""
        with self._lock:
            now, latest = self._clock(), self._latest
            while self._done and now - self._done[0][0] > RATE_S:
                self._done.popleft()
            waits = sorted(latency for _, latency in self._done)
            span = max(min(RATE_S, now - (now if self._counted_from is None else self._counted_from)), 0.5)
            silent_s = now - self._last_s
            return LiveState(
                latest.faces if silent_s < PERSONS_KEPT_S else (),
                latest.frames,
                len(self._done) / span,
                1000 * waits[len(waits) // 2] if waits else 0.0,
                latest.width,
                latest.height,
                self._recorded is not None,
                len(self._recorded or ()),
                latest.failures,
                latest.failure if now - self._failed_s < FAILURE_TOLD_S else "",
                silent_s,
                len(self._recorded or ()) >= self._most_rows,
            )

    def history(self) -> tuple[list[FaceRecord], float]:
        """The rows of the last HISTORY_S seconds, and the current time on their clock."""
        with self._lock:
            now_s = self._clock() - self._began
            return [row for row in self._history if now_s - row.time_s <= HISTORY_S], now_s

    def start_recording(self) -> None:
        with self._lock:
            self._recorded, self._recording_began = [], self._clock() - self._began

    def stop_recording(self) -> list[FaceRecord]:
        """End the recording; returns its rows, with times from its start, and forgets them."""
        with self._lock:
            rows, self._recorded = self._recorded or [], None
            return rows

    def _note(
        self, faces: tuple[TrackedFace, ...], shape: tuple[int, ...], arrived: float, frame_s: float | None
    ) -> None:
        with self._lock:
            now = self._clock()
            waited = 0.0
            if frame_s is not None and self._frame_s is not None and frame_s < self._frame_s:
                self._new_clock()  # the browser has reconnected
            if self._counted_from is None:
                self._counted_from = arrived
            self._frame_s = frame_s
            if frame_s is not None:  # the clocks differ by a constant: assume that the fastest frame did not wait
                early = arrived - frame_s
                self._early = early if self._early is None else min(self._early, early)
                waited = early - self._early
            self._done.append((now, waited + now - arrived))
            rows = [face.record() for face in faces]
            self._history.extend(rows)
            while self._history and now - self._began - self._history[0].time_s > HISTORY_S:
                self._history.popleft()
            if self._recorded is not None and len(self._recorded) < self._most_rows:
                self._recorded += [
                    face.record(self._recording_began) for face in faces if face.time_s >= self._recording_began
                ]  # frames from before the start are left out
            latest = self._latest
            self._latest = LiveState(
                faces,
                latest.frames + 1,
                width=shape[1],
                height=shape[0],
                failures=latest.failures,
                failure=latest.failure,
            )
            self._last_s = now

    def failed(self, error: Exception) -> None:
        """Count and log a frame that could not be read; state() reports it."""
        with self._lock:
            latest = self._latest
            first = type(error).__name__ not in self._logged
            self._logged.add(type(error).__name__)
            self._latest = LiveState(
                (),
                latest.frames + 1,
                width=latest.width,
                height=latest.height,
                failures=latest.failures + 1,
                failure=type(error).__name__,
            )
            self._last_s = self._failed_s = self._clock()
        if first:  # thirty entries per second would fill the log
            log_failure("A live frame failed", error)
