"""Decode untrusted videos into timed, upright RGB frames, and write annotated ones, with PyAV (FFmpeg)."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, BinaryIO, cast

import av
import cv2
import numpy as np
from av.sidedata.sidedata import Type as SideDataType
from av.stream import Disposition
from av.video.reformatter import ColorRange, Colorspace, VideoReformatter

from fer.errors import VideoError
from fer.files import replacing
from fer.limits import OWNER, Limits
from fer.wording import count_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fer.vision.sound import Sound

SUFFIXES = ("mp4", "m4v", "mov", "webm", "mkv", "avi")
WORK_SIDE = 1280  # pixels: larger frames are read and written at this size
MIN_SIDE = 16
MAX_EMPTY = 1_000  # after this many consecutive packets without a frame, the video has ended
FIRST_PACKETS = 200  # enough to tell a still picture from a video
MAX_LATE_S = 0.5  # from the first packet to the first frame: a longer gap is missing video, not decoder delay
MIN_STEP_S = 1e-4  # between frames: shorter than any camera's, yet an MP4 can tell such frames apart
RESTART_S = 1.0  # a clock that goes back by more has restarted
THREADS = 2
MAX_TICKS = 2**31 - 1  # of one frame: an MP4 has 32 bits
BT709, UNTAGGED, BT601 = 1, 2, 6  # FFmpeg's codes for a stream's colors


@dataclass(frozen=True)
class VideoInfo:
    """A video's properties, from its header and first frame.

    width, height: of the upright frames, at most WORK_SIDE; seconds: 0 if unknown; rate: frames per second; start_s:
    the first frame's time on the file's own clock.
    """

    width: int
    height: int
    seconds: float
    rate: float
    start_s: float = 0.0


def open_source(source: bytes | Path, limits: Limits = OWNER) -> BinaryIO:
    """A video's bytes or file as a binary stream. Raises VideoError if it is too large or cannot be opened."""
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
    if size > limits.video_bytes:
        raise VideoError(
            f"The file has {size / 2**20:.0f} MB; the limit is {limits.video_bytes // 2**20} MB. Save it smaller, or "
            "trim it."
        )
    return stream


def longest(limits: Limits) -> str:
    """The maximum length of a video, such as `10 minutes`."""
    seconds = limits.video_seconds
    return f"{seconds / 60:g} minutes" if seconds >= 120 else f"{seconds:g} seconds"


def probe(source: bytes | Path, limits: Limits = OWNER) -> VideoInfo:
    """A video's size, length and frame rate. Raises VideoError."""
    with open_source(source, limits) as file, _opened_video(file) as (container, stream):
        _check(container, stream, limits)
        for time_s, _, frame in _decoded(container, stream, lambda note: None, limits):
            height, width = _upright(frame, _pixel_shape(stream)).shape[:2]
            start_s = 0.0 if _in_decoding_order(container) else time_s
            return VideoInfo(width, height, _length(container, stream), _rate(stream), start_s)
    raise VideoError("No frame of this video can be read. Save or download it again.")


def frames(
    source: bytes | Path,
    on_note: Callable[[str], None] = lambda note: None,
    limits: Limits = OWNER,
    on_end: Callable[[float], None] = lambda end_s: None,
) -> Iterator[tuple[float, NDArray[np.uint8]]]:
    """(seconds from the first frame, (H, W, 3) uint8 RGB) one by one, upright, at most WORK_SIDE wide and high.

    Times are the video's own, which preserves a variable frame rate, and always increase. If the rest is damaged or
    missing, the frames end there and on_note gets a sentence about it. Before each frame, on_end gets the time at which
    it would end as the last one. Raises VideoError if the source is not a video or exceeds a limit.
    """
    with open_source(source, limits) as file, _opened_video(file) as (container, stream):
        _check(container, stream, limits)
        first = None
        for time_s, end_s, frame in _decoded(container, stream, on_note, limits):
            first = time_s if first is None else first
            if time_s - first > limits.video_seconds:
                on_note(f"Only the first {longest(limits)} were read.")
                return
            on_end(min(end_s - first, limits.video_seconds))
            yield time_s - first, _upright(frame, _pixel_shape(stream))


@contextmanager
def opened(file: BinaryIO) -> Iterator[av.container.InputContainer]:
    """Open the video's container at its first byte. Raises VideoError if the file is not a video."""
    file.seek(0)
    kind = _kind(file.read(64))
    file.seek(0)
    try:
        container = cast("av.container.InputContainer", av.open(file, format=kind, metadata_errors="ignore"))
    except (av.FFmpegError, ValueError, OSError):
        raise VideoError("The video is damaged or incomplete. Save or download it again.") from None
    with container:
        yield container


def _kind(head: bytes) -> str:
    """FFmpeg's format name for the first bytes. Raises VideoError for other formats.

    FFmpeg must never guess the format, since some formats (playlists) make it open other files and addresses.
    """
    if head[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip"):
        return "mov"
    if head[:4] == b"\x1a\x45\xdf\xa3":
        return "matroska"
    if head[:4] == b"RIFF" and head[8:12] == b"AVI ":
        return "avi"
    raise VideoError("This is not a video in a supported format. Use MP4, MOV, WebM, MKV or AVI.")


def _in_decoding_order(container: av.container.InputContainer) -> bool:
    """Whether the file stores only the decoding order, as AVI does, and no presentation times."""
    return container.format.name == "avi"


@contextmanager
def _opened_video(file: BinaryIO) -> Iterator[tuple[av.container.InputContainer, av.VideoStream]]:
    """The container and its video stream: not cover art or a still; the default one, otherwise the largest."""
    with opened(file) as container:
        streams = _picture_streams(container)
        if len(streams) == 1:
            yield container, _threaded(streams[0])
            return
        packets = _first_packets(container, streams)
        streams = [stream for stream in streams if packets[stream.index] > 1] or streams
        streams = [stream for stream in streams if stream.disposition & Disposition.default] or streams
        chosen = max(streams, key=lambda stream: stream.codec_context.width * stream.codec_context.height).index
    with opened(file) as container:  # again: its first packets are used up, and not every file can be rewound
        yield container, _threaded(next(stream for stream in container.streams.video if stream.index == chosen))


def _picture_streams(container: av.container.InputContainer) -> list[av.VideoStream]:
    aside = Disposition.attached_pic | Disposition.timed_thumbnails
    streams = [stream for stream in container.streams.video if not stream.disposition & aside]
    if not streams:
        what = "only sound and a cover picture" if container.streams.video else "only sound or text"
        raise VideoError(f"This file has no video, {what}. Choose another file.")
    streams = [stream for stream in streams if stream.codec_context is not None]
    if not streams:
        raise VideoError("This video's codec is not supported. Save it as MP4 (H.264).")
    return streams


def _threaded(stream: av.VideoStream) -> av.VideoStream:
    stream.thread_type, stream.codec_context.thread_count = "AUTO", THREADS
    return stream


def _first_packets(container: av.container.InputContainer, streams: list[av.VideoStream]) -> Counter[int]:
    """The number of packets of each stream among the file's first ones."""
    found: Counter[int] = Counter()
    with suppress(av.FFmpegError, OSError):  # decoding reports it
        for packet in islice(container.demux(tuple(streams)), FIRST_PACKETS):
            found[packet.stream_index] += bool(packet.size)
            if all(found[stream.index] > 1 for stream in streams):
                break
    return found


def _check(container: av.container.InputContainer, stream: av.VideoStream, limits: Limits) -> None:
    """Raises VideoError if the header exceeds a limit."""
    width, height = stream.codec_context.width, stream.codec_context.height
    if max(width, height) > limits.video_side:
        raise VideoError(
            f"The video has {width} x {height} pixels; the limit is {limits.video_side} per side. Save it smaller."
        )
    seconds = _length(container, stream)
    if seconds > limits.video_seconds + 1:
        raise VideoError(
            f"The video is {seconds / 60:.3g} minutes long; the limit is {longest(limits)}. Trim it to the part that "
            "matters."
        )


def _length(container: av.container.InputContainer, stream: av.VideoStream) -> float:
    """Seconds from the start of the first frame to the end of the last one by the header; 0 if unknown."""
    if stream.duration and stream.time_base is not None:
        return max(float(stream.duration * stream.time_base), 0.0)
    end, start = container.duration or 0, container.start_time or 0
    if "matroska" in container.format.name and end > start > 0:
        end -= start  # Matroska stores the clock's end, and the clock may not start at 0
    return max(end / av.time_base, 0.0)


def _rate(stream: av.VideoStream) -> float:
    """Frames per second; 25 if the header has no rate or an implausible one, above 1000."""
    rate = float(stream.average_rate or stream.guessed_rate or 25)
    return rate if 0 < rate <= 1000 else 25.0


class _Clock:
    """When each frame is shown, in seconds: by the file's timestamps, but always later than the previous frame."""

    def __init__(self, stream: av.VideoStream, in_decoding_order: bool) -> None:
        self._in_decoding_order, self._step_s = in_decoding_order, min(1 / _rate(stream), 60.0)
        self._last_s: float | None = None
        self._offset_s = 0.0
        self._last_pts = self._last_dts = -(2**63)
        self._faults = 0  # times that pts went back, minus those of dts

    def time_of(self, frame: av.VideoFrame) -> float:
        ticks, last_s = self._ticks(frame), self._last_s
        if ticks is None or frame.time_base is None:
            time_s = 0.0 if last_s is None else last_s + self._step_s
        else:
            time_s = float(ticks * frame.time_base) + self._offset_s
        if last_s is not None and time_s < last_s + MIN_STEP_S:
            if last_s - time_s > RESTART_S:
                self._offset_s += last_s + self._step_s - time_s
                time_s = last_s + self._step_s
            else:  # half a step, so that the next frames can keep their own times
                time_s = last_s + self._step_s / 2
        self._last_s = time_s
        return time_s

    def end_of(self, frame: av.VideoFrame, time_s: float) -> float:
        """When a frame shown at time_s ends: by the file's duration, otherwise after an average frame's."""
        ticks = frame.duration or 0  # PyAV 15 has None
        duration_s = float(ticks * frame.time_base) if frame.time_base is not None else 0.0
        return time_s + (duration_s if duration_s > 0 else self._step_s)

    def _ticks(self, frame: av.VideoFrame) -> int | None:
        """pts or dts, whichever has gone back less often (FFmpeg's best-effort timestamp, which PyAV lacks)."""
        pts, dts = frame.pts, frame.dts
        if self._in_decoding_order:
            return dts
        if dts is not None:
            self._faults -= dts <= self._last_dts
            self._last_dts = dts
        if pts is not None:
            self._faults += pts <= self._last_pts
            self._last_pts = pts
        return pts if pts is not None and (self._faults <= 0 or dts is None) else dts


def _decoded(
    container: av.container.InputContainer, stream: av.VideoStream, on_note: Callable[[str], None], limits: Limits
) -> Iterator[tuple[float, float, av.VideoFrame]]:
    """Every frame that can be decoded, skipping damaged packets, with its start and end on the file's clock."""
    clock = _Clock(stream, _in_decoding_order(container))
    count = bad = empty = 0
    began = ended = 0.0
    first_s: float | None = None  # the time of the first packet to be shown
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets)
        except StopIteration:
            break
        except (av.FFmpegError, OSError):
            bad += 1
            break
        if first_s is None and packet.size and not packet.is_discard:
            first_s = _time_of(packet)
        empty += 1
        if empty > MAX_EMPTY:
            bad += 1
            break
        try:
            for frame in packet.decode():
                empty = 0
                _check_size(frame, limits)
                if count == limits.video_frames:
                    on_note(f"Only the first {count:,} frames were read.")
                    return
                time_s = clock.time_of(frame)
                ended = clock.end_of(frame, time_s)
                if not count:
                    began = time_s
                    if first_s is not None and began - first_s > MAX_LATE_S:
                        on_note(f"The first {began - first_s:.1f} s cannot be read: the video was cut from another.")
                        began = first_s
                count += 1
                yield time_s, ended, frame
        except (av.FFmpegError, ValueError):
            bad += 1
    if not count:
        raise VideoError(
            "No frame of this video can be read: it is damaged, or its codec is not supported. Save it as MP4 (H.264)."
        )
    whole = stream.duration or len(container.streams) == 1  # otherwise the length may be the sound's
    if bad or (whole and ended - began < 0.9 * _length(container, stream) - 0.5):
        on_note(f"The video is damaged or incomplete: only {count_of(count, 'frame')} could be read.")


def _check_size(frame: av.VideoFrame, limits: Limits) -> None:
    if max(frame.width, frame.height) > limits.video_side or min(frame.width, frame.height) < MIN_SIDE:
        raise VideoError(
            f"The video has frames of {frame.width} x {frame.height} pixels; each side must be {MIN_SIDE} to "
            f"{limits.video_side}. Save it in another size."
        )


def _time_of(packet: av.Packet[av.VideoStream]) -> float | None:
    ticks = packet.dts if packet.pts is None else packet.pts
    return None if ticks is None else float(ticks * packet.time_base)


def _pixel_shape(stream: av.VideoStream) -> float:
    """A pixel's width divided by its height; not 1 for DVDs and old cameras."""
    shape = float(stream.sample_aspect_ratio or 1)
    return shape if 0.25 <= shape <= 4 else 1.0


def _matrix(width: int, height: int) -> Colorspace:
    """The YUV matrix of frames of this size that are not tagged with one, as players assume it: BT.709 is HD's."""
    return Colorspace.ITU709 if width >= 1280 or height > 576 else Colorspace.ITU601


def _upright(frame: av.VideoFrame, pixel_shape: float) -> NDArray[np.uint8]:
    width, height = frame.width * max(pixel_shape, 1), frame.height * max(1 / pixel_shape, 1)
    factor = min(1.0, WORK_SIDE / max(width, height))
    width, height = max(round(width * factor), 2), max(round(height * factor), 2)
    matrix = _matrix(frame.width, frame.height) if frame.colorspace == UNTAGGED else None
    decoded = frame.to_ndarray(format="rgb24", width=width, height=height, src_colorspace=matrix)
    picture = cast("NDArray[np.uint8]", decoded)
    turns, flipped = _orientation(frame)
    return np.ascontiguousarray(np.rot90(picture[::-1] if flipped else picture, turns))


def _orientation(frame: av.VideoFrame) -> tuple[int, bool]:
    """How to show a frame, from its display matrix: quarter turns counterclockwise, after an optional vertical flip."""
    try:
        data = frame.side_data.get(SideDataType.DISPLAYMATRIX)  # type: ignore[call-overload]
    except ValueError:  # the frame has side data that PyAV does not know; only its rotation is available
        return round(frame.rotation / 90) % 4, False
    matrix = np.frombuffer(bytes(data), "=i4").astype(float) if data is not None else np.zeros(0)
    if len(matrix) < 9:
        return 0, False
    a, b, c, d = matrix[[0, 1, 3, 4]]  # a point (x, y) is shown at (ax + cy, bx + dy)
    if a * d == b * c:
        return 0, False
    return -round(float(np.arctan2(b, a)) / (np.pi / 2)) % 4, bool(a * d < b * c)


def place(width: int, height: int, video_width: int, video_height: int) -> tuple[float, int, int]:
    """Where a frame of this size is in a video of another size, centered: its factor, and the left and top margin."""
    factor = min(video_width / width, video_height / height)
    return factor, (video_width - round(width * factor)) // 2, (video_height - round(height * factor)) // 2


def _fitted(frame_rgb: NDArray[np.uint8], video_width: int, video_height: int) -> NDArray[np.uint8]:
    height, width = frame_rgb.shape[:2]
    factor, left, top = place(width, height, video_width, video_height)
    width, height = max(round(width * factor), 1), max(round(height * factor), 1)
    fitted = np.zeros((video_height, video_width, 3), np.uint8)
    fitted[top : top + height, left : left + width] = cv2.resize(
        frame_rgb, (width, height), interpolation=cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
    )
    return fitted


class VideoWriter:
    """Writes an MP4 (H.264, yuv420p) that browsers can play, frame by frame at given times; a context manager.

    out: a file's path, replaced only by a whole video, or a binary stream in memory. rate: frames per second. sound:
    added up to the last frame's end.
    """

    TICKS = 90_000  # per second, fine enough for any camera's clock

    def __init__(self, out: Path | BinaryIO, width: int, height: int, rate: float, sound: Sound | None = None) -> None:
        self.width, self.height = width - width % 2, height - height % 2  # yuv420p needs even sides
        with ExitStack() as stack, _writing():
            # The temporary path is absolute: FFmpeg would take the 12: of 12:30.mp4 for a protocol.
            target = stack.enter_context(replacing(out)).name if isinstance(out, Path) else out
            options = {"movflags": "faststart"} if isinstance(out, Path) else {}
            self._container = stack.enter_context(av.open(target, "w", format="mp4", options=options))
            self._stream = self._add_stream(rate)
            self._sound, self._step_s = sound, 1 / rate
            self._last_s = self._end_s = 0.0
            if sound is not None:
                sound.join(self._container)
            self._opened = stack.pop_all()

    def _add_stream(self, rate: float) -> av.VideoStream:
        # Without B-frames, the last packet is the last frame's, and an MP4 stores its duration.
        settings = {"preset": "veryfast", "crf": "23", "bf": "0"}
        stream = self._container.add_stream("libx264", rate=max(round(rate), 1), options=settings)
        stream.width, stream.height, stream.pix_fmt = self.width, self.height, "yuv420p"
        context = stream.codec_context
        context.time_base, context.thread_count = Fraction(1, self.TICKS), THREADS
        self._matrix, self._reformatter = _matrix(self.width, self.height), VideoReformatter()
        context.colorspace = BT709 if self._matrix == Colorspace.ITU709 else BT601
        context.color_primaries = context.color_trc = BT709
        context.color_range = ColorRange.MPEG
        return stream

    def __enter__(self) -> VideoWriter:
        return self

    def write(self, frame_rgb: NDArray[np.uint8], time_s: float, end_s: float | None = None) -> None:
        """Write one frame (H, W, 3) uint8 RGB, fitted into the video's size with black bars if necessary.

        It is shown until the next frame; the last one until end_s, by default for 1 / rate seconds.
        """
        height, width = frame_rgb.shape[:2]
        frame_rgb = frame_rgb[: height - height % 2, : width - width % 2]
        if frame_rgb.shape[:2] != (self.height, self.width):
            frame_rgb = _fitted(frame_rgb, self.width, self.height)
        frame = self._reformatter.reformat(
            av.VideoFrame.from_ndarray(np.ascontiguousarray(frame_rgb), format="rgb24"),
            format="yuv420p",
            dst_colorspace=self._matrix,
            dst_color_range=ColorRange.MPEG,
        )
        frame.pts, frame.time_base = round(time_s * self.TICKS), self._stream.codec_context.time_base
        self._mux(self._stream.encode(frame))
        self._mux_sound(time_s)
        self._last_s, self._end_s = time_s, time_s + self._step_s if end_s is None else end_s

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            with suppress(av.FFmpegError, OSError):  # the file is discarded
                self._opened.__exit__(kind, error, trace)
            return
        with _writing(), self._opened:
            packets = self._stream.encode()
            for packet in packets[-1:]:
                ticks = round((self._end_s - self._last_s) * self.TICKS)
                packet.duration = min(max(ticks, 1), MAX_TICKS)
            self._mux(packets)
            self._mux_sound(self._end_s, last=True)

    def _mux(self, packets: list[av.Packet[av.VideoStream]]) -> None:
        with _writing():
            for packet in packets:
                self._container.mux(packet)

    def _mux_sound(self, time_s: float, last: bool = False) -> None:
        if self._sound is None:
            return
        try:
            for packet in self._sound.until(time_s, last):
                self._container.mux(packet)
        except (av.FFmpegError, OSError, ValueError):
            self._sound.give_up()  # if the disk is full, writing the next frame raises


@contextmanager
def _writing() -> Iterator[None]:
    try:
        yield
    except (av.FFmpegError, OSError) as error:
        what = error.strerror or "unknown reason"
        raise VideoError(f"The video cannot be written: {what}. Choose another location.") from None
