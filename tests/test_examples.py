"""The programs in examples/, each run as a person would: by its main() with a small model and input."""

from __future__ import annotations

import json
import runpy
import shutil

import cv2
import pandas as pd
import pytest

from fer.vision.images import read_image
from fer.vision.video import VideoWriter
from tests.conftest import ROOT

EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
MODEL = "mini_xception"


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Runs an example with these arguments, in a folder of its own."""
    monkeypatch.chdir(tmp_path)

    def main(name: str, *arguments: object) -> None:
        runpy.run_path(str(ROOT / "examples" / name))["main"](*map(str, arguments))

    return main


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_an_example_is_short_and_tried(example):
    assert len(example.read_text(encoding="utf-8").splitlines()) < 40
    assert f'run("{example.name}"' in (ROOT / "tests" / "test_examples.py").read_text(encoding="utf-8")


def test_read_a_photo(run, sample, capsys):
    run("read_photo.py", sample, MODEL)
    assert capsys.readouterr().out.startswith("face 1: happy, 9")


def test_follow_a_webcam_in_a_window(run, sample, tmp_path, monkeypatch):
    photo = cv2.resize(read_image(sample), (256, 256))
    with open(tmp_path / "camera.mp4", "wb") as file, VideoWriter(file, 256, 256, 10) as writer:
        for index in range(3):
            writer.write(photo, index / 10)
    shown, said = [], []
    monkeypatch.setattr(cv2, "imshow", lambda title, frame_bgr: shown.append(frame_bgr))  # here is no display
    monkeypatch.setattr(cv2, "waitKey", lambda ms: ord("q") if len(shown) == 2 else -1)
    put = cv2.putText
    monkeypatch.setattr(cv2, "putText", lambda frame, text, *rest: (said.append(text), put(frame, text, *rest)))
    run("webcam.py", tmp_path / "camera.mp4", MODEL)
    assert len(shown) == 2 and said == ["1: happy"] * 2
    assert all((frame == (80, 200, 80)).all(2).sum() > 100 for frame in shown)  # the box is drawn
    with pytest.raises(SystemExit, match="cannot be opened"):
        run("webcam.py", tmp_path / "no camera", MODEL)


def test_a_folder_into_a_table(run, sample, tmp_path, capsys):
    (tmp_path / "photos" / "more").mkdir(parents=True)
    shutil.copy(sample, tmp_path / "photos" / "more" / "a.jpg")
    (tmp_path / "photos" / "b.jpg").write_text("not a picture")
    run("folder_to_table.py", "photos", "out.csv", MODEL)
    told = capsys.readouterr()
    assert "b.jpg" in told.err and "happy" in told.out
    (row,) = pd.read_csv("out.csv").to_dict("records")
    assert row["input"] == "a.jpg" and row["answer"] == "happy"
    assert sum(list(row.values())[3:]) == pytest.approx(1) and row["confidence"] == row["happy"]


def test_explain_a_face(run, sample, tmp_path, capsys):
    pytest.importorskip("torch", reason="the extra train is not installed")
    run("explain_face.py", sample, "maps", MODEL)
    assert "4 files in maps" in capsys.readouterr().out
    judgments = json.loads((tmp_path / "maps" / "explanation.json").read_text())["methods"]["grad_cam"]["happy"]
    assert judgments["judgment"] in ("pass", "unclear", "fail")


def test_call_the_service(run, sample, tmp_path, capsys):
    pytest.importorskip("fastapi", reason="the extra serve is not installed")
    from tests.service.conftest import CONFIG, serving

    with serving(CONFIG) as served:
        run("call_service.py", sample, served.address)
        assert "set " in capsys.readouterr().out
        (tmp_path / "text.jpg").write_text("not a picture")
        with pytest.raises(SystemExit, match="not a picture"):
            run("call_service.py", tmp_path / "text.jpg", served.address)
    with pytest.raises(SystemExit, match="fer serve"):
        run("call_service.py", sample, served.address)
