"""Read a whole video: read some frames, annotate all, track people, and keep the strongest moments."""

from __future__ import annotations

import math
import time
from array import array
from collections import deque
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import BinaryIO, Literal

import numpy as np
from numpy.typing import NDArray

from fer.errors import VideoError
from fer.inference.recognizer import Recognizer
from fer.inference.tracked_reader import FULL_SIDE, TrackedFace, TrackedReader
from fer.limits import OWNER, Limits
from fer.records import FaceRecord
from fer.vision.detection import Detector
from fer.vision.scene_cuts import SceneCuts
from fer.vision.sound import Way, sound_of
from fer.vision.video import VideoInfo, VideoWriter, frames, place, probe

READINGS_PER_S = 10.0  # per second of video; frames in between show the last reading
SOUND = {
    "copied": "with its sound",
    "converted": "with its sound, converted to AAC",
    "left out": "its sound left out",
    "none": "no sound",
}

Draw = Callable[[NDArray[np.uint8], tuple[TrackedFace, ...]], NDArray[np.uint8]]


@dataclass(frozen=True)
class Progress:
    """Progress through a video. done: share of its length, 0..1; left_s: seconds remaining, None if not yet known."""

    done: float
    frames: int
    left_s: float | None


@dataclass(frozen=True)
class Moment:
    """The annotated frame (H, W, 3) uint8 RGB in which an expression was strongest."""

    row: FaceRecord
    frame_rgb: NDArray[np.uint8] = field(compare=False, repr=False)


@dataclass(frozen=True)
class VideoResult:
    """The result of reading a video.

    rows: one per person and reading, with boxes in pixels of the size in `info`; moments: at most one per expression;
    frames: how many there were; readings_s: when one was read; notes: sentences; sound: its treatment in the annotated
    video, "" if no video was written; cuts_s: when new scenes began; end_s: when the last frame ends.
    """

    info: VideoInfo
    rows: tuple[FaceRecord, ...]
    moments: tuple[Moment, ...]
    frames: int
    readings_s: tuple[float, ...]
    notes: tuple[str, ...]
    cancelled: bool = False
    sound: Way | Literal["none", ""] = ""
    cuts_s: tuple[float, ...] = ()
    end_s: float = 0.0

    @property
    def read(self) -> int:
        """The number of frames that were read."""
        return len(self.readings_s)


def read_video(
    source: bytes | Path,
    out: Path | BinaryIO | None,
    recognizer: Recognizer,
    detector: Detector,
    draw: Draw,
    readings_per_s: float = READINGS_PER_S,
    on_progress: Callable[[Progress], bool] = lambda progress: True,
    limits: Limits = OWNER,
    on_rows: Callable[[list[FaceRecord]], None] | None = None,
) -> VideoResult:
    """Read a video and, if out is given, write an annotated MP4 with its sound.

    on_progress is called after each frame; returning False stops there. on_rows receives each reading's rows; the
    result then has none, so that memory use does not grow with the video's length. A truncated video gives its readable
    part and a note. Raises VideoError if the source is not a video or exceeds a limit.
    """
    info = probe(source, limits)
    notes: list[str] = []
    rows: list[FaceRecord] = []
    found, keep = 0, on_rows or rows.extend
    tracked_reader = TrackedReader(recognizer, detector, long_side=FULL_SIDE, stall_s=math.inf)
    cuts, readings = SceneCuts(), _Readings(readings_per_s)
    cuts_s: list[float] = []
    strongest: dict[str, Moment] = {}
    faces: tuple[TrackedFace, ...] = ()
    began, count, cancelled = time.monotonic(), 0, False
    ends = deque([0.0], maxlen=1)  # of the latest frame
    with ExitStack() as stack:
        sound = writer = None
        if out is not None:
            sound = stack.enter_context(sound_of(source, info.start_s, limits))
            writer = stack.enter_context(VideoWriter(out, info.width, info.height, info.rate, sound))
        for time_s, frame_rgb in frames(source, notes.append, limits, ends.append):
            cut = cuts.is_cut(frame_rgb)
            if cut:
                tracked_reader.restart()
                faces = ()
                cuts_s.append(time_s)
            due = readings.due(time_s, cut)
            if due:
                faces = tracked_reader.read(frame_rgb, time_s)
            if due or writer is not None:
                drawn = draw(frame_rgb, faces)
            if due:
                records = [_in_video(face.record(), frame_rgb, info) for face in faces]
                keep(records)
                found += len(records)
                _note_strongest(strongest, records, drawn)
            if writer is not None:
                writer.write(drawn, time_s, ends[0])
            count += 1
            if not on_progress(_progress(info, time_s, count, began)):
                cancelled = True
                break
            if found >= limits.video_rows:
                notes.append(f"Only the first {time_s:.0f} s were read: the video has too many faces.")
                break
    if sound is not None and sound.note:
        notes.append(sound.note)
    if not count:
        raise VideoError("No frame of this video can be read. Save it as MP4 (H.264).")
    if not found and not cancelled:
        notes.append("No face was found in this video. Faces must be at least 20 pixels wide and look at the camera.")
    moments = sorted(strongest.values(), key=lambda moment: moment.row.time_s)
    told: Way | Literal["none", ""] = "" if out is None else "none" if sound is None else sound.way
    return VideoResult(
        info,
        tuple(rows),
        tuple(moments),
        count,
        tuple(readings.times_s),
        tuple(notes),
        cancelled,
        told,
        tuple(cuts_s),
        ends[0],
    )


class _Readings:
    """Decides which frames are read: per_s per second, and the first after a cut. times_s: of the readings so far."""

    def __init__(self, per_s: float) -> None:
        self.times_s = array("d")  # eight bytes each: a video may last for hours
        self._every_s, self._next_s, self._cut_s = 1 / per_s, 0.0, -math.inf

    def due(self, time_s: float, cut: bool) -> bool:
        """Whether to read the frame at time_s."""
        if cut:
            if time_s - self._cut_s >= self._every_s:  # not after cuts in quick succession
                self._next_s = time_s
            self._cut_s = time_s
        if time_s < self._next_s - 0.002:  # tolerance: times are rounded to the video's clock
            return False
        self.times_s.append(time_s)
        self._next_s = max(self._next_s + self._every_s, time_s)
        return True


def _in_video(row: FaceRecord, frame_rgb: NDArray[np.uint8], info: VideoInfo) -> FaceRecord:
    """The row with its box in the video's pixels, into which a frame of another size is fitted."""
    height, width = frame_rgb.shape[:2]
    if (width, height) == (info.width, info.height):
        return row
    factor, left, top = place(width, height, info.width, info.height)
    box = row.prediction.box.scaled(factor).shifted(left, top)
    return replace(row, prediction=replace(row.prediction, box=box))


def _note_strongest(strongest: dict[str, Moment], records: list[FaceRecord], drawn: NDArray[np.uint8]) -> None:
    for row in records:
        prediction = row.prediction
        known = strongest.get(prediction.answer)
        if prediction.sure and (known is None or prediction.confidence > known.row.prediction.confidence):
            strongest[prediction.answer] = Moment(row, drawn)


def _progress(info: VideoInfo, time_s: float, count: int, began: float) -> Progress:
    passed = time.monotonic() - began
    done = min(time_s / info.seconds, 1.0) if info.seconds else 0.0
    left_s = passed * (1 - done) / done if done > 0.02 and passed > 0.5 else None
    return Progress(done, count, left_s)
