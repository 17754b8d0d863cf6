"""Videos made here, by the field's own containers and codecs, good and bad."""

from __future__ import annotations

import io
import os
import resource
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import av
import cv2
import numpy as np
import pytest
from av.stream import Disposition

from fer.errors import VideoError, WeightsError
from fer.limits import OPEN
from fer.vision import video
from fer.vision.video import VideoWriter, frames, probe


def made_video(
    times: list[float],
    size=(64, 48),
    container="mp4",
    codec="libx264",
    rotation: int = 0,
    options=None,
    pixel_shape: Fraction = Fraction(1),
    whole_every: int = 12,
) -> bytes:
    """One plain gray frame a time, 20 levels apart, with a white upper left quarter."""
    file = io.BytesIO()
    with av.open(file, "w", format=container, options=options or {}) as out:
        stream = out.add_stream(codec, rate=25, options={"sc_threshold": "0"} if codec == "libx264" else {})
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        stream.codec_context.time_base, stream.gop_size = Fraction(1, 1000), whole_every
        stream.codec_context.sample_aspect_ratio = pixel_shape
        if rotation:
            stream.set_display_rotation(rotation)
        for index, time_s in enumerate(times):
            picture = np.full((size[1], size[0], 3), 20 + 20 * (index % 8), np.uint8)
            picture[: size[1] // 2, : size[0] // 2] = 255
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = round(1000 * time_s), Fraction(1, 1000)
            for packet in stream.encode(frame):
                out.mux(packet)
        for packet in stream.encode():
            out.mux(packet)
    return file.getvalue()


def several(container: str, *streams: tuple, cover: bytes = b"", cover_last: bool = False) -> bytes:
    """A file of (codec, size, frames, gray, disposition) picture streams, 25 frames a second, and maybe cover art."""
    file = io.BytesIO()
    with av.open(file, "w", format=container) as out:
        made = []
        for codec, size, count, gray, disposition in streams:
            stream = out.add_stream(codec, rate=25)
            stream.width, stream.height = size
            stream.pix_fmt = {"mjpeg": "yuvj420p", "png": "rgb24"}.get(codec, "yuv420p")
            stream.disposition = disposition
            made.append((stream, count, gray))
        if cover:
            out.add_attachment("cover.jpg", "image/jpeg", cover)
        packets = []
        for stream, count, gray in made:
            for index in range(count):
                frame = av.VideoFrame.from_ndarray(np.full((stream.height, stream.width, 3), gray, np.uint8), "rgb24")
                frame.pts, frame.time_base = index, Fraction(1, 25)
                packets += stream.encode(frame)
            packets += stream.encode()
        packets.sort(key=lambda packet: float(packet.dts * packet.time_base))
        for packet in packets:
            out.mux(packet)
    return file.getvalue()


COVER = cv2.imencode(".jpg", np.full((600, 600, 3), 250, np.uint8))[1].tobytes()
NONE, DEFAULT, ATTACHED = Disposition(0), Disposition.default, Disposition.attached_pic
SHOT = ("libx264", (64, 48), 10, 60)


@pytest.mark.parametrize(
    "data",
    [
        several("mp4", ("mjpeg", (600, 600), 1, 250, ATTACHED), (*SHOT, DEFAULT)),
        several("mp4", (*SHOT, DEFAULT), ("mjpeg", (600, 600), 1, 250, ATTACHED)),
        several("mp4", ("png", (600, 600), 1, 250, ATTACHED), (*SHOT, DEFAULT)),
        several("mp4", ("mjpeg", (600, 600), 1, 250, DEFAULT), (*SHOT, DEFAULT)),  # a preview, not said to be one
        several("mov", ("mjpeg", (600, 600), 1, 250, DEFAULT), (*SHOT, NONE)),
        several("matroska", (*SHOT, DEFAULT), cover=COVER),
        several("matroska", ("mjpeg", (600, 600), 1, 250, DEFAULT), (*SHOT, NONE)),
        several("matroska", ("libx264", (32, 32), 10, 250, NONE), (*SHOT, NONE)),  # the largest
        several("mp4", ("libx264", (32, 32), 10, 250, DEFAULT), (*SHOT, DEFAULT)),
        several("matroska", ("libx264", (128, 96), 10, 250, NONE), (*SHOT, DEFAULT)),  # the default, though smaller
    ],
)
def test_the_video_is_chosen_among_covers_previews_and_other_streams(data):
    found = list(frames(data))
    assert len(found) == 10 and {picture.shape for _, picture in found} == {(48, 64, 3)}
    assert abs(int(found[3][1].mean()) - 60) < 5 and (probe(data).width, probe(data).height) == (64, 48)


def test_a_song_with_its_cover_is_no_video():
    with pytest.raises(VideoError, match="only sound and a cover"):
        probe(several("mp4", ("mjpeg", (64, 64), 1, 250, ATTACHED)))


STEADY = [index / 25 for index in range(25)]


@pytest.mark.parametrize(
    ("container", "codec"),
    [("mp4", "libx264"), ("mov", "libx264"), ("matroska", "libx264"), ("webm", "libvpx"), ("avi", "mpeg4")],
)
def test_every_container_gives_all_frames_and_its_size(container, codec):
    times = STEADY if container != "avi" else [index / 1000 for index in range(25)]  # AVI has one fixed rate
    data = made_video(times, container=container, codec=codec)
    found = list(frames(data))
    assert len(found) == 25 and found[0][1].shape == (48, 64, 3) and found[0][1].dtype == np.uint8
    assert found[0][0] == 0 and (probe(data).width, probe(data).height) == (64, 48)
    assert abs(int(found[1][1][40, 60, 0]) - 40) < 6 and found[1][1][5, 5, 0] > 245


def test_a_variable_rate_keeps_its_times():
    times = [0.0, 0.04, 0.5, 0.54, 2.0]
    assert [time_s for time_s, _ in frames(made_video(times))] == pytest.approx(times, abs=0.002)


@pytest.mark.parametrize("rotation", [0, 90, 180, -90])
@pytest.mark.parametrize("flip", ["", "hflip", "vflip"])
def test_every_display_matrix_is_applied(rotation, flip):
    """The matrix, by hand: a stored pixel (x, y) is shown at (ax + cy, bx + dy), up to a shift."""
    turn = {0: (1, 0, 0, 1), 90: (0, -1, 1, 0), 180: (-1, 0, 0, -1), -90: (0, 1, -1, 0)}[rotation]
    a, b, c, d = turn
    if flip:  # first turned, then mirrored as it is shown
        a, c = (-a, -c) if flip == "hflip" else (a, c)
        b, d = (-b, -d) if flip == "vflip" else (b, d)
    stored = np.zeros((48, 64), np.uint8)
    stored[:24, :32], stored[:24, 32:], stored[24:, :32] = 250, 170, 90
    shown = np.zeros((48, 64) if rotation % 180 == 0 else (64, 48), np.uint8)
    for y, x in np.ndindex(stored.shape):
        u, v = a * x + c * y, b * x + d * y
        shown[v if b + d > 0 else v - 1, u if a + c > 0 else u - 1] = stored[y, x]  # -1 is the last
    data = matrix_video(stored, (a, b, c, d))
    _, picture = next(frames(data))
    assert picture.shape[:2] == shown.shape and (probe(data).height, probe(data).width) == shown.shape
    assert np.abs(picture[..., 1].astype(int) - shown).mean() < 4


def matrix_video(gray: np.ndarray, matrix: tuple[int, int, int, int]) -> bytes:
    """Three such frames under the display matrix (a, b, c, d)."""
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as out:
        stream = out.add_stream("libx264", rate=25)
        stream.height, stream.width = gray.shape
        stream.pix_fmt = "yuv420p"
        a, b, c, d = (65536 * value for value in matrix)
        stream.set_display_matrix([a, b, 0, c, d, 0, 0, 0, 2**30])
        for _ in range(3):
            frame = av.VideoFrame.from_ndarray(np.repeat(gray[..., None], 3, axis=2), "rgb24")
            for packet in stream.encode(frame):
                out.mux(packet)
        for packet in stream.encode():
            out.mux(packet)
    return file.getvalue()


def test_a_matrix_that_shows_nothing_is_ignored():
    gray = np.full((48, 64), 90, np.uint8)
    assert next(frames(matrix_video(gray, (0, 0, 0, 0))))[1].shape == (48, 64, 3)


@pytest.mark.parametrize("rotation", [90, 180, -90])
def test_rotation_in_the_metadata_is_applied(rotation):
    data = made_video(STEADY[:3], rotation=rotation)
    _, upright = next(frames(data))
    stored = np.zeros((48, 64), np.uint8)
    stored[:24, :32] = 255
    expected = np.rot90(stored, rotation // 90)  # counter-clockwise, as FFmpeg counts
    assert upright.shape[:2] == expected.shape
    assert abs(upright[..., 0].astype(int) - np.where(expected, 255, 20)).mean() < 20
    assert (probe(data).height, probe(data).width) == expected.shape


@pytest.mark.parametrize(("codec", "container"), [("libx264", "avi"), ("mpeg4", "avi"), ("libx264", "matroska")])
def test_frames_shown_in_another_order_than_stored_all_come_in_time(codec, container):
    file = io.BytesIO()
    with av.open(file, "w", format=container) as out:
        stream = out.add_stream(codec, rate=15)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.codec_context.max_b_frames = 3
        for index in range(30):
            picture = np.full((48, 64, 3), 8 * index, np.uint8)
            picture[:, 2 * index : 2 * index + 8] = 255
            for packet in stream.encode(av.VideoFrame.from_ndarray(picture, "rgb24")):
                out.mux(packet)
        for packet in stream.encode():
            out.mux(packet)
    notes = []
    found = list(frames(file.getvalue(), notes.append))
    assert [time_s for time_s, _ in found] == pytest.approx([index / 15 for index in range(30)], abs=0.002)
    assert [float(picture[:2, 60:].mean()) for _, picture in found[:25]] == pytest.approx(range(0, 200, 8), abs=6)
    assert not notes


@pytest.mark.parametrize("container", ["matroska", "mp4"])
def test_a_video_cut_out_before_its_first_whole_picture_says_so(container):
    file, source = io.BytesIO(), io.BytesIO(made_video([index / 25 for index in range(100)], whole_every=50))
    with av.open(source) as whole, av.open(file, "w", format=container) as out:
        stream = out.add_stream_from_template(whole.streams.video[0])
        for packet in list(whole.demux(whole.streams.video[0]))[1:]:
            if packet.size:
                packet.stream = stream
                out.mux(packet)
    notes = []
    assert 45 <= len(list(frames(file.getvalue(), notes.append))) <= 55
    assert len(notes) == 1 and "first 1.9 s" in notes[0].replace("1.8", "1.9")


def stamped(*pts: int | None, dts: list[int | None] | None = None, ticks_per_s: int = 100) -> list[float]:
    """The times that a clock of 25 frames a second gives frames with these stamps."""
    stream = SimpleNamespace(average_rate=Fraction(25), guessed_rate=None)
    clock = video._Clock(stream, in_decoding_order=False)
    return [
        round(clock.time_of(SimpleNamespace(pts=one, dts=other, time_base=Fraction(1, ticks_per_s))), 6)
        for one, other in zip(pts, dts or [None] * len(pts), strict=True)
    ]


def test_times_rise_and_no_frame_is_lost():
    assert stamped(0, 4, 8) == [0, 0.04, 0.08]
    assert stamped(0, 4, 4, 8) == [0, 0.04, 0.06, 0.08]  # a double: in between, and the rest stays in time
    assert np.diff(stamped(*range(5), dts=None, ticks_per_s=10**9)).min() >= 1e-4  # as one damaged header had it
    assert stamped(None, None, None) == [0, 0.04, 0.08]
    assert stamped(None, None, None, dts=[4, 8, 12]) == [0.04, 0.08, 0.12]
    assert stamped(0, 400, 0, 4, 8) == [0, 4, 4.04, 4.08, 4.12]  # the clock started again
    times = stamped(4, 16, 12, 20, 8, dts=[8, 12, 16, 20, 24])  # in decoding order
    assert times == sorted(set(times)) and times[-1] == 0.24


@pytest.mark.parametrize(("container", "codec"), [("matroska", "libx264"), ("webm", "libvpx"), ("mp4", "libx264")])
def test_a_clock_that_starts_at_an_hour_makes_no_long_video(container, codec):
    data = made_video([3600 + time_s for time_s in STEADY], container=container, codec=codec)
    assert 0.9 < probe(data, OPEN).seconds < 1.1 and probe(data).start_s == pytest.approx(3600, abs=0.1)
    notes = []
    assert [time_s for time_s, _ in frames(data, notes.append, OPEN)] == pytest.approx(STEADY, abs=0.002) and not notes


def test_a_cut_off_video_gives_its_readable_part_and_a_note():
    data = made_video([index / 25 for index in range(200)], size=(320, 240), container="matroska")
    notes = []
    found = list(frames(data[: int(len(data) * 0.6)], notes.append))
    assert 20 < len(found) < 200 and len(notes) == 1 and f"{len(found)} frames could be read" in notes[0]
    whole = []
    assert len(list(frames(data, whole.append))) == 200 and not whole


def slideshow(count: int, seconds_each: float, container: str = "mp4", codec: str = "libx264") -> bytes:
    """So many gray pictures, each with its duration."""
    file = io.BytesIO()
    with av.open(file, "w", format=container) as out:
        stream = out.add_stream(codec, rate=1 / Fraction(seconds_each))
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for index in range(count):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 20 * index, np.uint8), "rgb24")
            frame.pts, frame.time_base = index, Fraction(seconds_each)
            for packet in stream.encode(frame):
                out.mux(packet)
        for packet in stream.encode():
            out.mux(packet)
    return file.getvalue()


@pytest.mark.parametrize(
    ("container", "codec"),
    [("mp4", "libx264"), ("mov", "libx264"), ("matroska", "libx264"), ("webm", "libvpx"), ("avi", "mpeg4")],
)
@pytest.mark.parametrize(("count", "seconds_each"), [(1, 5), (4, 5), (8, 5), (4, 2), (2, 60)])
def test_a_slideshow_lasts_until_its_last_picture_ends(container, codec, count, seconds_each):
    notes, ends = [], []
    found = list(frames(slideshow(count, seconds_each, container, codec), notes.append, on_end=ends.append))
    assert [time_s for time_s, _ in found] == [index * seconds_each for index in range(count)] and not notes
    assert ends == pytest.approx([(index + 1) * seconds_each for index in range(count)])


@pytest.mark.parametrize("out_of", ["memory", "a file"])
def test_the_last_frame_is_written_as_long_as_it_lasts(tmp_path, out_of):
    out = io.BytesIO() if out_of == "memory" else tmp_path / "out.mp4"
    with VideoWriter(out, 64, 48, 0.5) as writer:
        for index, end_s in enumerate([0.5, 1.0, 20.0]):
            writer.write(np.full((48, 64, 3), 50 * index, np.uint8), index / 2, end_s)
    data, ends = out.getvalue() if isinstance(out, io.BytesIO) else out.read_bytes(), []
    assert [time_s for time_s, _ in frames(data, on_end=ends.append)] == [0, 0.5, 1]
    assert ends == pytest.approx([0.5, 1.0, 20.0]) and probe(data).seconds == pytest.approx(20)
    with VideoWriter(tmp_path / "slow.mp4", 64, 48, 0.2) as writer:
        writer.write(np.zeros((48, 64, 3), np.uint8), 0.0)
    assert probe(tmp_path / "slow.mp4").seconds == pytest.approx(5)
    with VideoWriter(tmp_path / "endless.mp4", 64, 48, 25) as writer:
        writer.write(np.zeros((48, 64, 3), np.uint8), 0.0, 1e18)  # as a damaged file may say
    assert len(list(frames(tmp_path / "endless.mp4"))) == 1


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "empty"),
        (b"not a video at all" * 20, "not a video"),
        (made_video(STEADY)[:300], "damaged"),
        (b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n", "not a video"),
    ],
)
def test_what_is_no_video_is_a_sentence(data, said):
    with pytest.raises(VideoError, match=said):
        list(frames(data))


def test_sound_alone_is_no_video():
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as out:
        stream = out.add_stream("aac", rate=44100)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        frame.sample_rate = 44100
        for packet in [*stream.encode(frame), *stream.encode()]:
            out.mux(packet)
    with pytest.raises(VideoError, match="no video"):
        probe(file.getvalue())


def test_limits_are_told_with_what_to_do(tmp_path):
    with pytest.raises(VideoError, match="60 minutes long; the limit is 10 minutes"):
        probe(made_video([0.0, 3600.0]), OPEN)
    large = made_video([0.0], size=(7680, 4320), codec="mpeg4", container="avi")
    with pytest.raises(VideoError, match="7680 x 4320"):
        probe(large, OPEN)
    with pytest.raises(VideoError, match="the limit is 1 MB"):
        probe(bytes(2**20 + 1), replace(OPEN, video_bytes=2**20))
    with pytest.raises(VideoError, match="no such file"):
        probe(tmp_path / "none.mp4")


def test_the_owners_videos_may_last_for_hours():
    assert probe(made_video([0.0, 5 * 3600.0])).seconds > 5 * 3600
    assert [time_s for time_s, _ in frames(made_video([0.0, 3600.0]))] == [0, 3600]


def test_a_length_that_the_header_hides_is_bounded_too(monkeypatch):
    monkeypatch.setattr(video, "_check", lambda *given: None)
    notes = []
    times = [time_s for time_s, _ in frames(made_video(STEADY), notes.append, replace(OPEN, video_seconds=0.5))]
    assert times[-1] <= 0.5 and notes == ["Only the first 0.5 seconds were read."]


def test_large_frames_are_worked_on_smaller(monkeypatch):
    monkeypatch.setattr(video, "WORK_SIDE", 32)
    data = made_video(STEADY[:2], rotation=90)
    assert next(frames(data))[1].shape == (32, 24, 3) and (probe(data).width, probe(data).height) == (24, 32)


def test_the_writers_videos_play_at_their_times(tmp_path):
    times = [0.0, 0.1, 0.15, 1.0]
    with VideoWriter(tmp_path / "out.mp4", 65, 49, 10) as writer:
        for index, time_s in enumerate(times):
            writer.write(np.full((49, 65, 3), 50 * index, np.uint8), time_s)
    found = list(frames(tmp_path / "out.mp4"))
    assert [time_s for time_s, _ in found] == pytest.approx(times, abs=1e-3)
    assert found[0][1].shape == (48, 64, 3) and abs(int(found[2][1].mean()) - 100) < 4
    with av.open(str(tmp_path / "out.mp4")) as made:
        assert made.streams.video[0].codec_context.name == "h264"
        assert made.streams.video[0].codec_context.pix_fmt == "yuv420p"
    with (
        pytest.raises(VideoError, match="cannot be written"),
        VideoWriter(tmp_path / "out.mp4" / "in a file.mp4", 64, 48, 10) as writer,
    ):
        writer.write(np.zeros((48, 64, 3), np.uint8), 0.0)


def write_noise(path: Path, count: int = 20, fail: BaseException | None = None) -> None:
    rng = np.random.default_rng(5)
    with VideoWriter(path, 64, 48, 10) as writer:
        for index in range(count):
            writer.write(rng.integers(0, 255, (48, 64, 3), np.uint8), index / 10)
        if fail is not None:
            raise fail


@pytest.mark.parametrize("fail", [KeyboardInterrupt(), WeightsError("Overflow.")])
def test_a_video_that_is_not_finished_leaves_the_old_file(tmp_path, fail):
    (tmp_path / "out.mp4").write_bytes(b"old")
    with pytest.raises(type(fail)):
        write_noise(tmp_path / "out.mp4", fail=fail)
    assert (tmp_path / "out.mp4").read_bytes() == b"old" and os.listdir(tmp_path) == ["out.mp4"]


@pytest.mark.parametrize("missing", [20_000, 100])  # bytes: while frames are written, and when the file is closed
def test_a_full_disk_is_a_sentence_and_leaves_the_old_file(tmp_path, missing):
    write_noise(tmp_path / "whole.mp4")
    size = (tmp_path / "whole.mp4").stat().st_size
    (tmp_path / "whole.mp4").unlink()
    (tmp_path / "out.mp4").write_bytes(b"old")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size - missing, limits[1]))
    try:
        with pytest.raises(VideoError, match="cannot be written: File too large"):
            write_noise(tmp_path / "out.mp4")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert (tmp_path / "out.mp4").read_bytes() == b"old" and os.listdir(tmp_path) == ["out.mp4"]


@pytest.mark.parametrize("name", ["12:30.mp4", "file:a.mp4", "new folder/%d.mp4", os.fsdecode(b"\xff.mp4")])
def test_any_name_is_a_file_s(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    write_noise(Path(name), count=3)
    assert len(list(frames(tmp_path / name))) == 3


RED = (200, 50, 50)
KR_KB = {601: (0.299, 0.114), 709: (0.2126, 0.0722)}  # what red and blue weigh in the standards' luma


def yuv(rgb: tuple[int, int, int], standard: int) -> tuple[float, float, float]:
    """A color in the standard's limited range, by hand."""
    kr, kb = KR_KB[standard]
    r, g, b = (value / 255 for value in rgb)
    y = kr * r + (1 - kr - kb) * g + kb * b
    return 16 + 219 * y, 128 + 112 * (b - y) / (1 - kb), 128 + 112 * (r - y) / (1 - kr)


@pytest.mark.parametrize(
    ("size", "tag", "standard"),
    [((640, 480), 2, 601), ((1280, 720), 2, 709), ((720, 1280), 2, 709), ((640, 480), 1, 709), ((1280, 720), 6, 601)],
)  # 1: BT.709, 2: untagged, 6: BT.601
def test_colors_are_read_by_their_tag_otherwise_by_the_size(size, tag, standard):
    file, planes = io.BytesIO(), np.zeros((size[1] * 3 // 2, size[0]), np.uint8)
    chroma = planes[size[1] :].reshape(2, -1)
    planes[: size[1]], chroma[0], chroma[1] = np.round(yuv(RED, standard))
    with av.open(file, "w", format="mp4") as out:
        stream = out.add_stream("libx264", rate=25, options={"crf": "4", "preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        stream.codec_context.colorspace = tag
        for packet in [*stream.encode(av.VideoFrame.from_ndarray(planes, "yuv420p")), *stream.encode()]:
            out.mux(packet)
    ((_, picture),) = frames(file.getvalue())
    assert np.abs(picture[9:-9, 9:-9].astype(int) - RED).max() <= 4


@pytest.mark.parametrize(("size", "tag", "standard"), [((640, 480), 6, 601), ((1280, 720), 1, 709)])
def test_a_written_video_says_how_its_colors_are_coded(size, tag, standard):
    out = io.BytesIO()
    with VideoWriter(out, *size, 25) as writer:
        writer.write(np.full((size[1], size[0], 3), RED, np.uint8), 0.0)
    with av.open(io.BytesIO(out.getvalue())) as made:
        context = made.streams.video[0].codec_context
        told = context.colorspace, context.color_primaries, context.color_trc, context.color_range
        frame = next(made.decode(video=0))
    assert told == (tag, 1, 1, 1) and b"colrnclx" in out.getvalue()
    assert [bytes(plane)[999] for plane in frame.planes] == pytest.approx(yuv(RED, standard), abs=3)
    assert np.abs(next(frames(out.getvalue()))[1].astype(int) - RED).max() <= 6


def test_a_video_whose_frames_grow_is_written_whole(tmp_path):
    with VideoWriter(tmp_path / "grown.mp4", 64, 48, 10) as writer:
        writer.write(np.zeros((48, 64, 3), np.uint8), 0.0)
        large = np.zeros((96, 128, 3), np.uint8)
        large[48:, 64:] = 255  # the lower right quarter
        writer.write(large, 0.1)
    *_, (_, last) = frames((tmp_path / "grown.mp4").read_bytes())
    assert last.shape[:2] == (48, 64) and last[40, 55].mean() > 200 and last[10, 10].mean() < 60


@pytest.mark.parametrize("size", [(240, 320), (120, 160), (480, 640), (600, 200), (321, 241)])
def test_a_frame_of_another_shape_is_fitted_in_and_never_stretched(tmp_path, size):
    """A disk stays round, and in the middle between black bars."""
    with VideoWriter(tmp_path / "turned.mp4", 320, 240, 10) as writer:
        writer.write(np.zeros((240, 320, 3), np.uint8), 0.0)
        turned = np.full((size[1], size[0], 3), 90, np.uint8)
        cv2.circle(turned, (size[0] // 2, size[1] // 2), min(size) // 4, (255, 255, 255), -1)
        writer.write(turned, 0.1)
    *_, (_, last) = frames((tmp_path / "turned.mp4").read_bytes())
    factor = min(320 / size[0], 240 / size[1])
    disk, picture = (np.argwhere(last[..., 1] > level) for level in (170, 45))
    for found, across in [(disk, (min(size) // 4 * 2 * factor,) * 2), (picture, (size[1] * factor, size[0] * factor))]:
        assert np.ptp(found, axis=0) == pytest.approx(across, abs=4)
        assert found.mean(axis=0) == pytest.approx((120, 160), abs=3)


def test_no_more_frames_are_decoded_than_the_limit(tmp_path):
    with VideoWriter(tmp_path / "long.mp4", 64, 48, 10) as writer:
        for index in range(20):
            writer.write(np.full((48, 64, 3), 10 * index, np.uint8), index / 10)
    notes = []
    limits = replace(OPEN, video_frames=7)
    assert len(list(frames((tmp_path / "long.mp4").read_bytes(), notes.append, limits))) == 7
    assert notes == ["Only the first 7 frames were read."]


@pytest.mark.parametrize(
    ("pixel_shape", "rotation", "shown"),
    [
        (Fraction(16, 9), 0, (114, 48)),
        (Fraction(1, 2), 0, (64, 96)),
        (Fraction(2), 90, (48, 128)),
        (Fraction(1000), 0, (64, 48)),
    ],
)  # no camera has such pixels
def test_pixels_that_are_no_squares_are_drawn_out(pixel_shape, rotation, shown):
    data = made_video(STEADY[:3], rotation=rotation, pixel_shape=pixel_shape)
    assert next(frames(data))[1].shape[:2] == (shown[1], shown[0])
    assert (probe(data).width, probe(data).height) == shown


def test_packets_without_frames_come_to_an_end(monkeypatch):
    """A few bytes each, millions fit into a video; nobody could cancel meanwhile."""
    file = io.BytesIO()
    with av.open(file, "w", format="webm") as out:
        stream = out.add_stream("libvpx", rate=25)
        stream.width, stream.height, stream.pix_fmt, stream.gop_size = 64, 48, "yuv420p", 1
        picture = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 90, np.uint8), format="rgb24")
        good = [packet for one in (picture, picture, None) for packet in stream.encode(one)]
        for index, data in enumerate([bytes(good[0]), *[b"\xff" * 4] * 100, bytes(good[1])]):
            packet = av.Packet(data)
            packet.stream, packet.pts, packet.dts, packet.time_base = stream, 40 * index, 40 * index, Fraction(1, 1000)
            out.mux(packet)
    notes = []
    assert len(list(frames(file.getvalue(), notes.append))) == 2
    monkeypatch.setattr(video, "MAX_EMPTY", 50)
    assert len(list(frames(file.getvalue(), notes.append))) == 1
    assert all("damaged or incomplete" in note for note in notes) and len(notes) == 2
