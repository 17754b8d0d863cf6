"""A video of two people in turn: read, followed, drawn, kept; cancelled; and without anyone."""

from __future__ import annotations

import io
import json

import cv2
import numpy as np
import pytest

import fer
from fer.cli import main
from fer.expressions import NAMES
from fer.inference.recording import shares, transitions
from fer.inference.video import read_video
from fer.records import FaceBox, FaceRecord, Prediction
from fer.vision.detection import load_detector
from fer.vision.images import read_image
from fer.vision.video import VideoWriter, frames
from fer.visualization.overlay import draw_faces
from tests.conftest import ROOT


def portrait(name: str) -> np.ndarray:
    picture = read_image(ROOT / "fer/app/samples" / name)
    factor = max(320 / picture.shape[1], 240 / picture.shape[0])
    return cv2.resize(picture, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)[:240, :320]


@pytest.fixture(scope="session")
def clip(tmp_path_factory):
    """Two seconds of the astronaut, then one of an empty wall."""
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    with VideoWriter(path, 320, 240, 10) as writer:
        for index in range(30):
            frame = portrait("astronaut.jpg") if index < 20 else np.full((240, 320, 3), 120, np.uint8)
            writer.write(frame, index / 10)
    return path


def read(source, out, **options):
    return read_video(source, out, fer.load("mini_xception"), load_detector("hog"), draw_faces, **options)


def test_people_are_read_and_drawn(clip):
    out, seen = io.BytesIO(), []
    video = read(clip.read_bytes(), out, on_progress=lambda progress: seen.append(progress.done) or True)
    assert video.frames == 30 and video.read == 30 and not video.notes and not video.cancelled
    assert {row.person for row in video.rows} == {1} and video.rows[-1].prediction.answer == "happy"
    assert 1.8 <= max(row.time_s for row in video.rows) <= 2.0
    assert [moment.row.prediction.answer for moment in video.moments] == ["happy"]
    assert seen == sorted(seen) and seen[-1] > 0.9
    drawn = list(frames(out.getvalue()))
    assert len(drawn) == 30
    plain = list(frames(clip))
    assert np.abs(drawn[5][1].astype(int) - plain[5][1]).max() > 100  # a box and a label
    assert np.abs(drawn[-1][1].astype(int) - plain[-1][1]).max() < 40  # nothing on the wall


def test_fewer_readings_still_draw_every_frame(clip):
    video = read(clip, io.BytesIO(), readings_per_s=2)
    assert video.frames == 30 and video.read in (6, 7)


def test_cancel_keeps_what_is_done(clip):
    out = io.BytesIO()
    video = read(clip, out, on_progress=lambda progress: progress.frames < 5)
    assert video.cancelled and video.frames == 5 and len(list(frames(out.getvalue()))) == 5


def test_no_face_is_a_note(tmp_path):
    with VideoWriter(tmp_path / "wall.mp4", 64, 48, 10) as writer:
        for index in range(5):
            writer.write(np.full((48, 64, 3), 90, np.uint8), index / 10)
    video = read(tmp_path / "wall.mp4", io.BytesIO())
    assert not video.rows and "No face was found" in video.notes[0]


def row(time_s: float, person: int, expression: str, sure: bool = True) -> FaceRecord:
    probabilities = tuple(0.4 if name == expression else 0.1 for name in NAMES)
    face = Prediction(FaceBox(0, 0, 1, 1, detector="yunet"), probabilities, sure)
    return FaceRecord(face, time_s=time_s, person=person)


def test_shares_and_transitions_by_hand():
    rows = [row(0, 1, "happy"), row(0, 2, "sad"), row(1, 1, "angry", False), row(2, 1, "sad"), row(3, 1, "happy")]
    assert shares(rows) == {**dict.fromkeys(NAMES, 0), "happy": 0.4, "sad": 0.4, "not sure": 0.2}
    assert transitions(rows) == {("happy", "sad"): 1, ("sad", "happy"): 1} and shares([]) == {}


def test_the_command_line(clip, tmp_path, capsys):
    out, table = tmp_path / "out.mp4", tmp_path / "out.csv"
    assert (
        main(
            [
                "video",
                str(clip),
                "--out",
                str(out),
                "--csv",
                str(table),
                "--detector",
                "hog",
                "--model",
                "mini_xception",
                "--json",
            ]
        )
        == 0
    )
    told = json.loads(capsys.readouterr().out)
    assert told["frames"] == 30 and told["rows"][0]["person"] == 1 and out.stat().st_size > 1000
    assert len(table.read_text().splitlines()) == 1 + len(told["rows"])
    assert main(["video", str(clip), "--out", str(clip)]) == 1
    (tmp_path / "bad.mp4").write_bytes(b"no video")
    assert main(["video", str(tmp_path / "bad.mp4"), "--out", str(out)]) == 1
    assert "not a video" in capsys.readouterr().err
