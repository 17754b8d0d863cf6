"""Read a video in its own thread, so that the page stays usable."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache, cached_property

import cv2
import numpy as np

from fer.app.errors import sentence_for
from fer.app.model_choice import Model
from fer.app.work_queue import WorkQueue
from fer.inference import timeline
from fer.inference.recognizer import Recognizer
from fer.inference.timeline import Person
from fer.inference.video import Progress, VideoResult, read_video
from fer.limits import limits
from fer.vision.detection import Detector
from fer.visualization import render
from fer.visualization.overlay import draw_faces

MOMENT_WIDTH = 220  # displayed width of a moment's picture in pixels; Streamlit would re-encode a wider one each time


@cache
def _places() -> WorkQueue:
    """The queue for all visitors' videos."""
    return WorkQueue(limits().videos_at_once)


class Cancelled(Exception):
    """The visitor left the queue."""


@dataclass
class VideoJob:
    """One visitor's video, in memory.

    key: the same for the same video, weights, detector and readings per second.
    """

    key: tuple[str, str, str]
    name: str
    model: Model
    progress: Progress = Progress(0.0, 0, None)
    place: int = 0  # in the queue, from 1; 0 while being read
    result: VideoResult | None = None
    annotated: bytes = b""
    error: str = ""
    _wanted: Callable[[], bool] = lambda: True
    _cancelled: threading.Event = field(default_factory=threading.Event)
    _finished: threading.Event = field(default_factory=threading.Event)

    def start(
        self,
        data: bytes,
        recognizer: Recognizer,
        detector: Detector,
        readings_per_s: float,
        wanted: Callable[[], bool] = lambda: True,
    ) -> None:
        """Start. wanted: whether the visitor is still there; otherwise the work ends."""
        self._wanted = wanted
        threading.Thread(
            target=self._run, args=(data, recognizer, detector, readings_per_s), daemon=True, name="video"
        ).start()

    def cancel(self) -> None:
        self._cancelled.set()

    @property
    def unread(self) -> bool:
        """Whether results are missing or partial, so that reading the video again makes sense."""
        return bool(self.error) or self.result is None or self.result.cancelled

    @cached_property
    def moment_pictures(self) -> tuple[bytes, ...]:
        """The frames of the strongest moments as JPEGs, at most MOMENT_WIDTH wide."""
        return tuple(render.jpeg(_narrow(moment.frame_rgb)) for moment in self.result.moments) if self.result else ()

    @cached_property
    def people(self) -> list[Person]:
        """The people in the video, once it was read."""
        video = self.result
        if video is None:
            return []
        return timeline.people(video.rows, cuts_s=video.cuts_s, readings_s=(*video.readings_s, video.end_s))

    @property
    def finished(self) -> bool:
        return self._finished.is_set()

    def _run(self, data: bytes, recognizer: Recognizer, detector: Detector, readings_per_s: float) -> None:
        out = io.BytesIO()
        try:
            with _places().entered(self._wait):
                self.place = 0
                self.result = read_video(
                    data, out, recognizer, detector, draw_faces, readings_per_s, self._note, limits()
                )
                self.annotated = out.getvalue()
        except Cancelled:
            pass
        except Exception as error:  # the visitor must see a thread's failure as a sentence
            self.error = sentence_for(error, "A video failed", "Try another video, or save it as MP4 (H.264).")
        finally:
            self._finished.set()

    def _wait(self, place: int) -> None:
        self.place = place
        if self._over():
            raise Cancelled

    def _note(self, progress: Progress) -> bool:
        self.progress = progress
        return not self._over()

    def _over(self) -> bool:
        return self._cancelled.is_set() or not self._wanted()


def _narrow(frame_rgb: np.ndarray) -> np.ndarray:
    height, width = frame_rgb.shape[:2]
    factor = min(1.0, MOMENT_WIDTH / width)
    return cv2.resize(frame_rgb, (round(width * factor), max(round(height * factor), 1)), interpolation=cv2.INTER_AREA)
