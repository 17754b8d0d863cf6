"""Transfer a video's sound into a new MP4: copied if MP4 supports its codec, otherwise converted to AAC."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from fractions import Fraction
from pathlib import Path
from typing import Literal

import av
from av.stream import Discard

from fer.limits import OWNER, Limits
from fer.vision.video import open_source, opened

COPIED = ("aac", "mp3", "opus", "ac3", "eac3", "flac", "alac")  # codecs that MP4 supports
CONVERTED_RATES = (48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000)  # AAC samples per second
MAX_PACKETS_PER_S = 2_000  # more than any codec; a malicious file could hold millions for one moment

Way = Literal["copied", "converted", "left out"]


@contextmanager
def sound_of(source: bytes | Path, start_s: float, limits: Limits = OWNER) -> Iterator[Sound | None]:
    """A video's sound, read alongside its frames; None if it has none.

    start_s: the first frame's time on the file's clock; earlier sound is skipped. Raises VideoError if the source is
    not a video.
    """
    with open_source(source, limits) as file, opened(file) as container:
        stream = container.streams.best("audio")
        if not isinstance(stream, av.AudioStream):
            yield None
            return
        for other in container.streams:
            if other is not stream:
                other.discard = Discard.all
        yield Sound(container, stream, start_s)


class Sound:
    """Sound packets in step with the frames. Damage ends the sound, never the video.

    way: how the sound gets into the MP4. note: a sentence about missing sound, or "".
    """

    def __init__(self, container: av.container.InputContainer, stream: av.AudioStream, start_s: float) -> None:
        self.way: Way = _way(stream)
        self.note = "" if self.way != "left out" else "The sound was left out: its codec cannot be read."
        self._stream, self._start_s = stream, start_s
        self._packets = container.demux(stream)
        self._waiting: av.Packet[av.AudioStream] | None = None  # read ahead, for a later frame
        self._out: av.AudioStream | None = None
        self._count, self._last, self._written_s = 0, -(2**63), 0.0

    def join(self, out: av.container.OutputContainer) -> None:
        """Add the sound's stream to the output; call it before the first frame."""
        if self.way == "copied":
            self._out = out.add_stream_from_template(self._stream)
        elif self.way == "converted":
            rate = self._stream.codec_context.sample_rate
            self._out = out.add_stream("aac", rate=rate if rate in CONVERTED_RATES else CONVERTED_RATES[0])
            self._out.codec_context.layout = "mono" if self._stream.codec_context.channels == 1 else "stereo"

    def until(self, time_s: float, last: bool = False) -> Iterator[av.Packet[av.AudioStream]]:
        """The next packets, up to time_s seconds after the first frame. last: this is the final call."""
        if self._out is None:
            return
        try:
            while (packet := self._next()) is not None:
                at_s = self._time_of(packet)
                if at_s > time_s:
                    self._waiting = packet
                    break
                if at_s >= 0:
                    yield from self._passed_on(packet, at_s)
            if last and self.way == "converted":
                yield from self._out.encode(None)
        except (av.FFmpegError, ValueError, OSError):
            self.give_up()

    def give_up(self) -> None:
        """Stop after the rest of the sound could not be read or written."""
        if self._out is not None:
            self._out = None
            self.note = f"The sound ends after {self._written_s:.1f} s: the rest is damaged."
            if not self._written_s:
                self.way, self.note = "left out", "The sound was left out: it is damaged."

    def _next(self) -> av.Packet[av.AudioStream] | None:
        packet, self._waiting = self._waiting, None
        while packet is None:
            packet = next(self._packets, None)
            if packet is None:
                return None
            self._count += 1
            ticks = packet.pts if packet.pts is not None else packet.dts
            if not packet.size or packet.is_corrupt or ticks is None or ticks <= self._last:
                packet = None
            else:
                self._last = packet.pts = packet.dts = ticks
            if self._count > MAX_PACKETS_PER_S * (1 + max(self._last * float(self._stream.time_base or 1), 0.0)):
                raise ValueError("too many sound packets")
        return packet

    def _time_of(self, packet: av.Packet[av.AudioStream]) -> float:
        return float((packet.pts or 0) * packet.time_base) - self._start_s

    def _passed_on(self, packet: av.Packet[av.AudioStream], at_s: float) -> Iterator[av.Packet[av.AudioStream]]:
        out, shift_s = self._out, Fraction(self._start_s)
        if out is None:
            return
        if self.way == "copied":
            packet.pts = packet.dts = round(at_s / packet.time_base)
            packet.stream = out
            yield packet
        else:
            for frame in packet.decode():
                if frame.pts is not None and frame.time_base:
                    frame.pts = round(frame.pts - shift_s / frame.time_base)
                yield from out.encode(frame)
        self._written_s = at_s


def _way(stream: av.AudioStream) -> Way:
    """Try whether MP4 accepts the stream unchanged; leave it out if it cannot be decoded."""
    if stream.codec_context is None or stream.codec_context.sample_rate <= 0 or not stream.codec_context.channels:
        return "left out"
    if stream.codec_context.codec.canonical_name in COPIED:
        with (
            suppress(av.FFmpegError, ValueError, OSError),
            av.open(io.BytesIO(), "w", format="mp4") as trial,
        ):
            trial.add_stream_from_template(stream)
            trial.start_encoding()
            return "copied"
    return "converted"
