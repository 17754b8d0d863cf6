"""Videos made here, by the field's own containers and codecs, good and bad."""

from __future__ import annotations

import io
from fractions import Fraction

import av
import numpy as np
import pytest

from fer.errors import VideoError
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
) -> bytes:
    """One plain gray frame a time, 20 levels apart, with a white upper left quarter."""
    file = io.BytesIO()
    with av.open(file, "w", format=container, options=options or {}) as out:
        stream = out.add_stream(codec, rate=25)
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        stream.codec_context.time_base = Fraction(1, 1000)
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


def test_a_cut_off_video_gives_its_readable_part_and_a_note():
    data = made_video([index / 25 for index in range(200)], size=(320, 240), container="matroska")
    notes = []
    found = list(frames(data[: int(len(data) * 0.6)], notes.append))
    assert 20 < len(found) < 200 and len(notes) == 1 and f"{len(found)} frames could be read" in notes[0]
    whole = []
    assert len(list(frames(data, whole.append))) == 200 and not whole


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
    with pytest.raises(VideoError, match="no picture"):
        probe(file.getvalue())


def test_limits_are_told_with_what_to_do(monkeypatch, tmp_path):
    with pytest.raises(VideoError, match="60 minutes long"):
        probe(made_video([0.0, 3600.0]))
    with pytest.raises(VideoError, match="7680 x 4320"):
        probe(made_video([0.0], size=(7680, 4320), codec="mpeg4", container="avi"))
    monkeypatch.setattr(video, "MAX_BYTES", 100)
    with pytest.raises(VideoError, match="at most"):
        probe(made_video(STEADY))
    with pytest.raises(VideoError, match="no such file"):
        probe(tmp_path / "none.mp4")


def test_a_length_that_the_header_hides_is_bounded_too(monkeypatch):
    monkeypatch.setattr(video, "MAX_SECONDS", 0.5)
    monkeypatch.setattr(video, "_info", lambda container, stream: None)
    notes = []
    assert [time_s for time_s, _ in frames(made_video(STEADY), notes.append)][-1] <= 0.5 and "Only the first" in notes[
        0
    ]


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
        VideoWriter(tmp_path / "none" / "out.mp4", 64, 48, 10) as writer,
    ):
        writer.write(np.zeros((48, 64, 3), np.uint8), 0.0)


def test_a_video_whose_frames_grow_is_written_whole(tmp_path):
    with VideoWriter(tmp_path / "grown.mp4", 64, 48, 10) as writer:
        writer.write(np.zeros((48, 64, 3), np.uint8), 0.0)
        large = np.zeros((96, 128, 3), np.uint8)
        large[48:, 64:] = 255  # the lower right quarter
        writer.write(large, 0.1)
    *_, (_, last) = frames((tmp_path / "grown.mp4").read_bytes())
    assert last.shape[:2] == (48, 64) and last[40, 55].mean() > 200 and last[10, 10].mean() < 60


def test_no_more_frames_are_decoded_than_the_limit(monkeypatch, tmp_path):
    monkeypatch.setattr(video, "MAX_FRAMES", 7)
    with VideoWriter(tmp_path / "long.mp4", 64, 48, 10) as writer:
        for index in range(20):
            writer.write(np.full((48, 64, 3), 10 * index, np.uint8), index / 10)
    notes = []
    assert len(list(frames((tmp_path / "long.mp4").read_bytes(), notes.append))) == 7
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
    assert all("damaged or cut off" in note for note in notes) and len(notes) == 2
