"""A whole video: every frame drawn, some of them read, the people followed, the strongest moments kept."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from fer.errors import VideoError
from fer.inference.recognizer import Recognizer
from fer.inference.tracked import FULL_SIDE, TrackedFace, TrackedReader
from fer.limits import limits
from fer.records import FaceRecord
from fer.vision.detection import Detector
from fer.vision.video import VideoInfo, VideoWriter, frames, probe

READINGS_PER_S = 10.0  # of the video's time; the frames between show the last reading
MAX_ROWS = limits().video_rows

Draw = Callable[[NDArray[np.uint8], tuple[TrackedFace, ...]], NDArray[np.uint8]]


@dataclass(frozen=True)
class Progress:
    """How far a video has come. done: 0..1, of its length; left_s: seconds of work left, None until it can be told."""

    done: float
    frames: int
    left_s: float | None


@dataclass(frozen=True)
class Moment:
    """The frame (H, W, 3) uint8 RGB, drawn, in which an expression was strongest."""

    row: FaceRecord
    frame_rgb: NDArray[np.uint8] = field(compare=False, repr=False)


@dataclass(frozen=True)
class VideoResult:
    """What a video gave. rows: one a person and reading; moments: at most one an expression; notes: sentences."""

    info: VideoInfo
    rows: tuple[FaceRecord, ...]
    moments: tuple[Moment, ...]
    frames: int
    read: int
    notes: tuple[str, ...]
    cancelled: bool = False


def read_video(
    source: bytes | Path,
    out: Path | BinaryIO,
    recognizer: Recognizer,
    detector: Detector,
    draw: Draw,
    readings_per_s: float = READINGS_PER_S,
    on_progress: Callable[[Progress], bool] = lambda progress: True,
) -> VideoResult:
    """Read a video and write it with its faces drawn (MP4). on_progress is called for each frame; False ends it there.

    Raises VideoError for what is no video or is over a limit. A video cut off gives its readable part and a note.
    """
    info = probe(source)
    notes: list[str] = []
    rows: list[FaceRecord] = []
    tracked_reader = TrackedReader(recognizer, detector, long_side=FULL_SIDE)
    strongest: dict[str, Moment] = {}
    faces: tuple[TrackedFace, ...] = ()
    began, next_s, count, read, cancelled = time.monotonic(), 0.0, 0, 0, False
    with VideoWriter(out, info.width, info.height, info.rate) as writer:
        for time_s, frame_rgb in frames(source, notes.append):
            due = time_s >= next_s - 0.002  # times are rounded to the video's clock
            if due:
                faces = tracked_reader.read(frame_rgb, time_s)
                next_s, read = max(next_s + 1 / readings_per_s, time_s), read + 1
            drawn = draw(frame_rgb, faces)
            if due:
                _keep(rows, strongest, faces, drawn)
            writer.write(drawn, time_s)
            count += 1
            if not on_progress(_progress(info, time_s, count, began)):
                cancelled = True
                break
            if len(rows) >= MAX_ROWS:
                notes.append(f"Only the first {time_s:.0f} s were read: there are too many faces for more.")
                break
    if not count:
        raise VideoError("No frame of this video can be read. Save it as MP4 (H.264).")
    if not rows and not cancelled:
        notes.append("No face was found in this video. A face needs about 20 pixels, and to be turned to the camera.")
    moments = sorted(strongest.values(), key=lambda moment: moment.row.time_s)
    return VideoResult(info, tuple(rows), tuple(moments), count, read, tuple(notes), cancelled)


def _keep(
    rows: list[FaceRecord], strongest: dict[str, Moment], faces: tuple[TrackedFace, ...], drawn: NDArray[np.uint8]
) -> None:
    for face in faces:
        row = face.record()
        rows.append(row)
        prediction = row.prediction
        known = strongest.get(prediction.answer)
        if prediction.sure and (known is None or prediction.confidence > known.row.prediction.confidence):
            strongest[prediction.answer] = Moment(row, drawn)


def _progress(info: VideoInfo, time_s: float, count: int, began: float) -> Progress:
    passed = time.monotonic() - began
    done = min(time_s / info.seconds, 1.0) if info.seconds else 0.0
    left_s = passed * (1 - done) / done if done > 0.02 and passed > 0.5 else None
    return Progress(done, count, left_s)
