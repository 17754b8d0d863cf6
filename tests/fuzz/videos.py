"""Small whole videos to start a mutation from: every container, with sound, covers, turned, out of order, late."""

from __future__ import annotations

import functools
import io
from fractions import Fraction
from random import Random

import av
import cv2
import numpy as np
from av.stream import Disposition

from tests.fuzz.mutate import PIECES, damaged

FRAMES, RATE, SAMPLES = 8, 10, 16_000
# Where a header says what is read anew: streams, their places in time, matrices, sound.
MARKS = {
    "mp4": (b"tkhd", b"elst", b"mdhd", b"hdlr", b"stsd", b"stts", b"ctts", b"stsz", b"esds", b"avcC", b"mvhd", b"stsc"),
    "mov": (b"tkhd", b"elst", b"mdhd", b"hdlr", b"stsd", b"stts", b"stsc", b"wave", b"chan"),
    "mkv": (b"\x16\x54\xae\x6b", b"\x1f\x43\xb6\x75", b"\x19\x41\xa4\x69", b"\x15\x49\xa9\x66", b"A_MPEG", b"V_MPEG"),
    "webm": (b"\x16\x54\xae\x6b", b"\x1f\x43\xb6\x75", b"\x15\x49\xa9\x66", b"A_OPUS", b"OpusHead", b"V_VP8"),
    "avi": (b"avih", b"strh", b"strf", b"idx1", b"01wb", b"00dc", b"vids", b"auds"),
}


@functools.cache
def videos() -> dict[str, bytes]:
    return {
        "whole.mp4": _video("mp4", "libx264", "aac", matrix=(0, 1, 1, 0)),
        "covered.mp4": _video("mp4", "libx264", "ac3", cover=True),
        "whole.mov": _video("mov", "mjpeg", "pcm_s16be", matrix=(-1, 0, 0, 1)),
        "whole.mkv": _video("matroska", "libx264", "libmp3lame", start_s=3600, cover=True),
        "whole.webm": _video("webm", "libvpx", "libopus"),
        "whole.avi": _video("avi", "libx264", "pcm_s16le"),
        "mpeg4.avi": _video("avi", "mpeg4", "libmp3lame"),
    }


def _video(
    container: str,
    codec: str,
    sound_codec: str,
    matrix: tuple[int, int, int, int] | None = None,
    cover: bool = False,
    start_s: int = 0,
) -> bytes:
    file, packets = io.BytesIO(), []
    with av.open(file, "w", format=container, options={"fflags": "bitexact"}) as out:
        if cover and container == "mp4":
            picture = out.add_stream("mjpeg", rate=RATE, options={"flags": "+bitexact"})
            picture.width, picture.height, picture.pix_fmt = 32, 32, "yuvj420p"
            picture.disposition = Disposition.attached_pic
        video = out.add_stream(codec, rate=RATE, options={"flags": "+bitexact", "threads": "1"})
        video.width, video.height, video.pix_fmt = 64, 48, "yuvj420p" if codec == "mjpeg" else "yuv420p"
        if codec == "mpeg4":
            video.codec_context.max_b_frames = 2
        if matrix is not None:
            a, b, c, d = (65536 * value for value in matrix)
            video.set_display_matrix([a, b, 0, c, d, 0, 0, 0, 2**30])
        rate = 48_000 if sound_codec in ("libopus", "ac3") else SAMPLES
        sound = out.add_stream(sound_codec, rate=rate, options={"flags": "+bitexact"})
        sound.codec_context.layout = "mono"
        if cover and container == "matroska":
            jpeg = cv2.imencode(".jpg", np.full((32, 32, 3), 200, np.uint8))[1].tobytes()
            out.add_attachment("cover.jpg", "image/jpeg", jpeg)
        elif cover:
            packets += [*picture.encode(_frame(0, 32, 32, 0)), *picture.encode()]
        for index in range(FRAMES):
            packets += video.encode(_frame(index, 64, 48, start_s))
            many = rate // RATE
            tone = np.sin(np.arange(many) / 9).astype(np.float32)[None] / 2
            heard = av.AudioFrame.from_ndarray(tone, "fltp", "mono")
            heard.sample_rate, heard.pts, heard.time_base = rate, start_s * rate + index * many, Fraction(1, rate)
            packets += sound.encode(heard)
        for packet in [*packets, *video.encode(), *sound.encode()]:
            out.mux(packet)
    return file.getvalue()


def _frame(index: int, width: int, height: int, start_s: int) -> av.VideoFrame:
    picture = np.full((height, width, 3), 20 * index, np.uint8)
    picture[:, 6 * index : 6 * index + 9] = 255
    frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
    frame.pts, frame.time_base = start_s * RATE + index, Fraction(1, RATE)
    return frame


def odd_video(random: Random) -> bytes:
    """A video of the above with one to three of its header's fields overwritten."""
    name = random.choice(list(videos()))
    data = videos()[name]
    for _ in range(random.randrange(1, 4)):
        at = data.find(random.choice(MARKS[name.partition(".")[2]]))
        if at < 0:
            continue
        at += random.randrange(120)
        piece = random.choice((*PIECES[:6], random.randbytes(random.choice((1, 2, 4, 8, 36)))))
        data = data[:at] + piece + data[at + len(piece) :]
    return data if random.randrange(4) else damaged(random, data)
