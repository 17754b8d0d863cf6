"""The sound of a video in the one that is written: copied, converted, cut to what was read, or none."""

from __future__ import annotations

import io
from fractions import Fraction

import av
import numpy as np
import pytest

from fer.inference.recognizer import load
from fer.inference.video import read_video
from fer.vision.detection import load_detector
from fer.vision.sound import sound_of
from fer.vision.video import VideoWriter, frames, probe
from fer.visualization.overlay import draw_faces

RATE = 48_000


def video_with_sound(
    container: str, codec: str, seconds: float = 2.0, start_s: float = 0.0, channels: int = 1, every: int = 1
) -> bytes:
    """Gray frames, 25 a second or every so many of them, and a tone of 440 Hz that is silent before 1 s."""
    file = io.BytesIO()
    with av.open(file, "w", format=container) as out:
        video = out.add_stream("libvpx" if container == "webm" else "libx264", rate=Fraction(25, every))
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        audio = out.add_stream(codec, rate=RATE, options={"strict": "experimental"})
        audio.codec_context.layout = "mono" if channels == 1 else "stereo"
        for index in range(round(25 * seconds)):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 4 * (index % 50), np.uint8), "rgb24")
            frame.pts, frame.time_base = round(25 * start_s) + index, Fraction(1, 25)
            for packet in video.encode(frame) if index % every == 0 else ():
                out.mux(packet)
            at = np.arange(RATE // 25) + index * RATE // 25
            tone = np.where(at >= RATE, 0.5 * np.sin(2 * np.pi * 440 * at / RATE), 0).astype(np.float32)
            sound = av.AudioFrame.from_ndarray(np.tile(tone, (channels, 1)), "fltp", audio.codec_context.layout.name)
            sound.sample_rate, sound.time_base = RATE, Fraction(1, RATE)
            sound.pts = round(RATE * start_s) + index * RATE // 25
            for packet in audio.encode(sound):
                out.mux(packet)
        for packet in [*video.encode(), *audio.encode()]:
            out.mux(packet)
    return file.getvalue()


def rewritten(data: bytes, count: int = 10**6) -> tuple[bytes, str, str]:
    """The first frames with their sound in a new MP4; what became of the sound, and the note about it."""
    out, info = io.BytesIO(), probe(data)
    with sound_of(data, info.start_s) as sound:
        with VideoWriter(out, info.width, info.height, info.rate, sound) as writer:
            for _, (time_s, frame) in zip(range(count), frames(data), strict=False):
                writer.write(frame, time_s)
        return out.getvalue(), sound.way if sound else "none", sound.note if sound else ""


def samples(data: bytes) -> tuple[np.ndarray, float, str]:
    """The sound (N,), -1..1, when it begins in seconds, and its codec."""
    with av.open(io.BytesIO(data)) as made:
        stream = made.streams.audio[0]
        resampler = av.AudioResampler("flt", "mono", RATE)
        decoded = list(made.decode(stream))
        parts = [part.to_ndarray()[0] for frame in decoded for part in resampler.resample(frame)]
        return np.concatenate(parts), float(decoded[0].pts * decoded[0].time_base), stream.codec.canonical_name


def packets(data: bytes) -> list[bytes]:
    with av.open(io.BytesIO(data)) as made:
        return [bytes(packet) for packet in made.demux(made.streams.audio[0]) if packet.size]


@pytest.mark.parametrize(
    ("container", "codec"),
    [("mp4", "aac"), ("mp4", "ac3"), ("mov", "alac"), ("matroska", "libmp3lame"), ("matroska", "flac"),
     ("avi", "libmp3lame"), ("webm", "libopus")],
)  # fmt: skip
def test_what_mp4_holds_is_copied_packet_by_packet(container, codec):
    data = video_with_sound(container, codec)
    out, way, note = rewritten(data)
    assert (way, note) == ("copied", "") and len(list(frames(out))) == 50
    given, written = packets(data), packets(out)
    assert len(given) - 3 <= len(written)
    assert any(written == given[first:][: len(written)] for first in range(4))  # those before the first frame go
    heard(out)


@pytest.mark.parametrize(
    ("container", "codec", "channels"),
    [("avi", "pcm_s16le", 2), ("mov", "pcm_s16be", 1), ("webm", "vorbis", 2), ("matroska", "pcm_s24le", 1)],
)
def test_what_mp4_does_not_hold_is_converted_to_aac(container, codec, channels):
    out, way, note = rewritten(video_with_sound(container, codec, channels=channels))
    assert (way, note) == ("converted", "") and samples(out)[2] == "aac" and len(list(frames(out))) == 50
    heard(out)


def heard(data: bytes) -> None:
    """Silence up to 1 s of the video, a tone of 440 Hz from there to 2 s."""
    tone, began_s, _ = samples(data)
    loud = np.flatnonzero(np.abs(tone) > 0.1)
    assert began_s + loud[0] / RATE == pytest.approx(1.0, abs=0.08)
    assert began_s + loud[-1] / RATE == pytest.approx(2.0, abs=0.08)
    second = tone[loud[0] + RATE // 4 : loud[0] + 3 * RATE // 4]
    assert np.abs(np.fft.rfft(second)).argmax() * RATE / len(second) == pytest.approx(440, abs=4)


@pytest.mark.parametrize(("container", "codec"), [("matroska", "aac"), ("matroska", "pcm_s16le")])
def test_sound_stays_in_time_where_the_clock_starts_at_an_hour(container, codec):
    heard(rewritten(video_with_sound(container, codec, start_s=3600))[0])


@pytest.mark.parametrize(("container", "codec"), [("mp4", "aac"), ("avi", "pcm_s16le")])
def test_sound_is_cut_to_the_frames_that_were_read(container, codec):
    out, way, _ = rewritten(video_with_sound(container, codec, seconds=4), count=30)
    tone, began_s, _ = samples(out)
    assert way in ("copied", "converted") and began_s + len(tone) / RATE == pytest.approx(30 / 25, abs=0.1)


def test_sound_goes_on_under_the_last_picture_of_a_slideshow():
    data, out = video_with_sound("mp4", "aac", seconds=8, every=100), io.BytesIO()  # a picture each 4 s
    video = read_video(data, out, load("mini_xception"), load_detector("haar"), draw_faces)
    tone, began_s, _ = samples(out.getvalue())
    assert video.sound == "copied" and began_s + len(tone) / RATE == pytest.approx(8, abs=0.1)
    assert video.end_s == pytest.approx(8) and probe(out.getvalue()).seconds == pytest.approx(8)


def test_a_video_without_sound_has_none():
    out = io.BytesIO()
    with VideoWriter(out, 64, 48, 10) as writer:
        writer.write(np.zeros((48, 64, 3), np.uint8), 0.0)
    written, way, note = rewritten(out.getvalue())
    assert (way, note) == ("none", "") and len(list(frames(written))) == 1


def test_sound_that_is_damaged_never_costs_the_video():
    data = bytearray(video_with_sound("matroska", "aac"))
    for packet in packets(bytes(data))[20:]:
        if len(packet) > 16:
            at = data.find(packet)
            data[at : at + len(packet)] = b"\xff" * len(packet)
    out, _, _ = rewritten(bytes(data))
    assert len(list(frames(out))) == 50


@pytest.mark.parametrize("name", ["film_with_sound.mp4"])
def test_the_field_case(name):
    from tests.conftest import SHARED

    path = SHARED / "cases" / name
    if not path.is_file():
        pytest.skip("the field cases are not at hand (FER_SHARED)")
    out, way, _ = rewritten(path.read_bytes())
    assert way == "copied" and samples(out)[2] == "aac" and len(samples(out)[0]) > 40_000
