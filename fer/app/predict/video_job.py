"""A video being read in a thread of its own, so that the page can be clicked meanwhile."""

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

MOMENT_WIDTH = 220  # pixels of a moment's picture, as it is shown: Streamlit would encode a wider one anew each time


@cache
def _places() -> WorkQueue:
    """Where videos wait for their turn, of all visitors."""
    return WorkQueue(limits().videos_at_once)


class Cancelled(Exception):
    """The visitor left the queue."""


@dataclass
class VideoJob:
    """One video of one visitor, in memory.

    key: the same for the same video, weights, detector and readings a second.
    """

    key: tuple[str, str, str]
    name: str
    model: Model
    progress: Progress = Progress(0.0, 0, None)
    place: int = 0  # in the queue, from 1; 0 when it is being read
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
        """Begin. wanted: whether the visitor is still there; work for nobody ends."""
        self._wanted = wanted
        threading.Thread(
            target=self._run, args=(data, recognizer, detector, readings_per_s), daemon=True, name="video"
        ).start()

    def cancel(self) -> None:
        self._cancelled.set()

    @property
    def unread(self) -> bool:
        """Whether there is nothing of the video, or a part only: reading it again makes sense."""
        return bool(self.error) or self.result is None or self.result.cancelled

    @cached_property
    def moment_pictures(self) -> tuple[bytes, ...]:
        """The frames of the strongest moments, a JPEG each, MOMENT_WIDTH wide at most."""
        return tuple(render.jpeg(_narrow(moment.frame_rgb)) for moment in self.result.moments) if self.result else ()

    @cached_property
    def people(self) -> list[Person]:
        """Once it was read: who is in it."""
        return timeline.people(self.result.rows, cuts_s=self.result.cuts_s) if self.result else []

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
        except Exception as error:  # a thread's failure must reach its visitor as a sentence
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
