"""From a stranger's video to upright RGB frames with their times, by PyAV (FFmpeg)."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

import av
import cv2
import numpy as np

from fer.errors import VideoError
from fer.limits import limits

if TYPE_CHECKING:
    from numpy.typing import NDArray

SUFFIXES = ("mp4", "m4v", "mov", "webm", "mkv", "avi")
MAX_BYTES, MAX_SECONDS, MAX_SIDE = limits().video_bytes, limits().video_seconds, limits().video_side
MAX_FRAMES = limits().video_frames
LONGEST = f"{MAX_SECONDS // 60} minutes" if MAX_SECONDS >= 120 else f"{MAX_SECONDS} seconds"
WORK_SIDE = 1280  # larger frames are worked on, and written, at this size
MIN_SIDE = 16
MAX_EMPTY = 1_000  # packets on end that hold no frame: there are no more
THREADS = 2


@dataclass(frozen=True)
class VideoInfo:
    """What a video's header says. width, height: of the upright frames as they are worked on; seconds: 0 if unknown."""

    width: int
    height: int
    seconds: float
    rate: float


def open_source(source: bytes | Path) -> BinaryIO:
    """A video's bytes or file as a binary stream. Raises VideoError where it is too large or cannot be opened."""
    stream: BinaryIO
    if isinstance(source, bytes):
        size, stream = len(source), io.BytesIO(source)
    else:
        try:
            size, stream = source.stat().st_size, source.open("rb")
        except FileNotFoundError:
            raise VideoError("There is no such file.") from None
        except OSError as error:
            raise VideoError(f"The file cannot be read: {error.strerror or 'unknown reason'}.") from None
    if not size:
        raise VideoError("The file is empty. Choose a video.")
    if size > MAX_BYTES:
        raise VideoError(
            f"The file has {size / 2**20:.0f} MB; at most {MAX_BYTES // 2**20} MB are read. Save it smaller, or cut it."
        )
    return stream


def probe(source: bytes | Path) -> VideoInfo:
    """Size, length and rate of a video, from its header. Raises VideoError."""
    with open_source(source) as file, _opened(file) as (container, stream):
        info = _info(container, stream)
        for frame in _decoded(container, stream, lambda note: None):
            height, width = _upright(frame, _pixel_shape(stream)).shape[:2]
            return VideoInfo(width, height, info.seconds, info.rate)
    raise VideoError("The video holds no frame that can be read. Save or download it again.")


def frames(
    source: bytes | Path, on_note: Callable[[str], None] = lambda note: None
) -> Iterator[tuple[float, NDArray[np.uint8]]]:
    """(seconds from the first frame, (H, W, 3) uint8 RGB) one by one, upright, at most WORK_SIDE wide and high.

    Times are the video's own, so that a variable frame rate is kept. What is damaged or cut off ends the video there,
    and on_note gets a sentence about it. Raises VideoError for what is no video, or is over a limit.
    """
    with open_source(source) as file, _opened(file) as (container, stream):
        _info(container, stream)
        first = last = None
        for frame in _decoded(container, stream, on_note):
            time_s = frame.time if frame.time is not None else (0.0 if last is None else last + 1 / 25)
            first = time_s if first is None else first
            if last is not None and time_s <= last:
                continue  # a frame from the past: its place is taken
            if time_s - first > MAX_SECONDS:
                on_note(f"Only the first {LONGEST} were read.")
                return
            last = time_s
            yield time_s - first, _upright(frame, _pixel_shape(stream))


@contextmanager
def _opened(file: BinaryIO) -> Iterator[tuple[av.container.InputContainer, av.VideoStream]]:
    kind = _kind(file.read(64))
    file.seek(0)
    try:
        container = cast("av.container.InputContainer", av.open(file, format=kind, metadata_errors="ignore"))
    except (av.FFmpegError, ValueError, OSError):
        raise VideoError("The video is damaged or cut off before its first frame. Save or download it again.") from None
    with container:
        if not container.streams.video:
            raise VideoError("There is no picture in this file, only sound or text. Choose a video.")
        stream = container.streams.video[0]
        stream.thread_type, stream.codec_context.thread_count = "AUTO", THREADS
        yield container, stream


def _kind(head: bytes) -> str:
    """FFmpeg's name of the format, by the first bytes: it is never left to guess, since some formats (playlists) make
    it open other files and addresses."""
    if head[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip"):
        return "mov"
    if head[:4] == b"\x1a\x45\xdf\xa3":
        return "matroska"
    if head[:4] == b"RIFF" and head[8:12] == b"AVI ":
        return "avi"
    raise VideoError("This is not a video that can be read. Use MP4, MOV, WebM, MKV or AVI.")


def _info(container: av.container.InputContainer, stream: av.VideoStream) -> VideoInfo:
    if stream.duration and stream.time_base is not None:
        seconds = float(stream.duration * stream.time_base)
    else:
        seconds = (container.duration or 0) / av.time_base
    width, height = stream.codec_context.width, stream.codec_context.height
    if max(width, height) > MAX_SIDE:
        raise VideoError(
            f"The video has {width} x {height} pixels; at most {MAX_SIDE} a side are read. Save it smaller."
        )
    if seconds > MAX_SECONDS + 1:
        raise VideoError(
            f"The video is {seconds / 60:.3g} minutes long; at most {LONGEST} are read. Cut out the part that matters."
        )
    return VideoInfo(width, height, max(seconds, 0.0), float(stream.average_rate or stream.guessed_rate or 25))


def _decoded(
    container: av.container.InputContainer, stream: av.VideoStream, on_note: Callable[[str], None]
) -> Iterator[av.VideoFrame]:
    """All frames that can be decoded, also around a damaged packet."""
    count = bad = empty = 0
    began = ended = None
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets)
        except StopIteration:
            break
        except (av.FFmpegError, OSError):
            bad += 1
            break
        empty += 1
        if empty > MAX_EMPTY:
            bad += 1
            break
        try:
            for frame in packet.decode():
                empty = 0
                if max(frame.width, frame.height) > MAX_SIDE or min(frame.width, frame.height) < MIN_SIDE:
                    raise VideoError(
                        f"The video has frames of {frame.width} x {frame.height} pixels; {MIN_SIDE} to "
                        f"{MAX_SIDE} a side are read."
                    )
                if count == MAX_FRAMES:
                    on_note(f"Only the first {count:,} frames were read.")
                    return
                count += 1
                ended = frame.time
                began = ended if began is None else began
                yield frame
        except (av.FFmpegError, ValueError):
            bad += 1
    said = (
        stream.duration * stream.time_base
        if stream.duration and stream.time_base is not None
        else container.duration / av.time_base
        if container.duration and len(container.streams) == 1
        else 0
    )
    short = bool(ended is not None and began is not None and ended - began < 0.9 * float(said) - 0.5)
    if not count:
        raise VideoError(
            "No frame of this video can be read: it is damaged, or its codec is not supported. Save it as MP4 (H.264)."
        )
    if bad or short:
        on_note(f"The video is damaged or cut off: {count} frames could be read.")


def _pixel_shape(stream: av.VideoStream) -> float:
    """The width of a pixel over its height: DVDs and old cameras have others than 1."""
    shape = float(stream.sample_aspect_ratio or 1)
    return shape if 0.25 <= shape <= 4 else 1.0


def _upright(frame: av.VideoFrame, pixel_shape: float) -> NDArray[np.uint8]:
    width, height = frame.width * max(pixel_shape, 1), frame.height * max(1 / pixel_shape, 1)
    factor = min(1.0, WORK_SIDE / max(width, height))
    width, height = max(round(width * factor), 2), max(round(height * factor), 2)
    if (width, height) == (frame.width, frame.height):
        decoded = frame.to_ndarray(format="rgb24")
    else:
        decoded = frame.to_ndarray(format="rgb24", width=width, height=height)
    picture = cast("NDArray[np.uint8]", decoded)
    turns = round(frame.rotation / 90) % 4  # rotation: degrees counter-clockwise, from the metadata
    return np.ascontiguousarray(np.rot90(picture, turns)) if turns else picture


class VideoWriter:
    """An MP4 (H.264, yuv420p) that browsers play, frame by frame at the times given; use it as a context.

    out: a file's path or a binary stream in memory.
    """

    TICKS = 90_000  # a second: fine enough for every camera's clock

    def __init__(self, out: Path | BinaryIO, width: int, height: int, rate: float) -> None:
        from fractions import Fraction

        self.width, self.height = width - width % 2, height - height % 2  # yuv420p needs even sides
        target, options = (out, {}) if not isinstance(out, Path) else (str(out), {"movflags": "faststart"})
        try:
            self._container = av.open(target, "w", format="mp4", options=options)
        except (av.FFmpegError, OSError) as error:
            raise _unwritable(error) from None
        self._stream = self._container.add_stream(
            "libx264", rate=max(round(rate), 1), options={"preset": "veryfast", "crf": "23"}
        )
        self._stream.width, self._stream.height, self._stream.pix_fmt = self.width, self.height, "yuv420p"
        self._stream.codec_context.time_base = Fraction(1, self.TICKS)
        self._stream.codec_context.thread_count = THREADS

    def __enter__(self) -> VideoWriter:
        return self

    def write(self, frame_rgb: NDArray[np.uint8], time_s: float) -> None:
        """One frame (H, W, 3) uint8 RGB; another size than the first frame's is brought to it."""
        height, width = frame_rgb.shape[:2]
        frame_rgb = frame_rgb[: height - height % 2, : width - width % 2]
        if frame_rgb.shape[:2] != (self.height, self.width):
            frame_rgb = cast("NDArray[np.uint8]", cv2.resize(frame_rgb, (self.width, self.height)))
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(frame_rgb), format="rgb24")
        frame.pts, frame.time_base = round(time_s * self.TICKS), self._stream.codec_context.time_base
        self._mux(self._stream.encode(frame))

    def __exit__(self, kind: object, *_: object) -> None:
        try:
            if kind is None:
                self._mux(self._stream.encode())
        finally:
            with suppress(av.FFmpegError, OSError):  # told by the first write
                self._container.close()

    def _mux(self, packets: list[av.Packet[av.VideoStream]]) -> None:
        try:
            for packet in packets:
                self._container.mux(packet)
        except (av.FFmpegError, OSError) as error:
            raise _unwritable(error) from None


def _unwritable(error: av.FFmpegError | OSError) -> VideoError:
    return VideoError(f"The video cannot be written: {error.strerror or 'unknown reason'}. Choose another place.")
