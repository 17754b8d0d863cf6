"""The contract of the command line: what it prints, and how it ends."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import zipfile
from dataclasses import replace

import cv2
import numpy as np
import pytest
from PIL import Image

from fer.cli import main
from fer.data.read import read_dataset
from fer.expressions import NAMES
from fer.limits import HOSTED
from fer.models.checkpoints import load_checkpoint, save_checkpoint
from fer.models.weights import find_weights
from fer.tools.export import export
from fer.vision.video import VideoWriter


def lines(capsys) -> list[dict]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_a_folder_with_one_corrupt_and_one_text_file(tmp_path, sample, capsys):
    for number in range(98):
        shutil.copy(sample, tmp_path / f"photo-{number:03}.jpg")
    (tmp_path / "corrupt.jpg").write_bytes(sample.read_bytes()[:9000])
    (tmp_path / "text.jpg").write_text("not a picture")
    assert main(["predict", str(tmp_path), "--detector", "none", "--json"]) == 1
    rows = lines(capsys)
    failed = [row for row in rows if row["error"]]
    assert len(rows) == 100 and len(failed) == 2
    assert {row["error"]["type"] for row in failed} == {"ImageError"}
    assert all(set(row) == {"path", "width", "height", "rotation", "faces", "notes", "error"} for row in rows)


def test_a_face_as_json(sample, capsys):
    assert main(["predict", str(sample), "--detector", "hog", "--json"]) == 0
    (row,) = lines(capsys)
    (face,) = row["faces"]
    assert (row["width"], row["height"], row["error"]) == (512, 512, None)
    assert set(face) == {
        *("box", "score", "detector", "quality", "answer", "expression", "confidence", "sure", "set", "probabilities")
    }
    assert face["answer"] == "happy" and face["set"][0] == "happy" and set(face["set"]) <= set(NAMES)
    assert len(face["box"]) == 4 and face["quality"] == {"ok": True, "reasons": []}
    assert face["expression"] == "happy" and list(face["probabilities"]) == list(NAMES)
    assert sum(face["probabilities"].values()) == pytest.approx(1, abs=1e-3)


def test_what_was_done_to_read_a_photo_stands_in_its_row_and_is_said(tmp_path, sample, capsys):
    Image.open(sample).rotate(90).save(tmp_path / "turned.png")
    Image.open(sample).crop((170, 60, 280, 190)).resize((48, 48)).save(tmp_path / "crop.png")
    (tmp_path / "short.jpg").write_bytes(sample.read_bytes()[:-2])
    (tmp_path / "film.mp4").write_bytes(b"x")
    assert main(["predict", str(tmp_path), "--json"]) == 0
    captured = capsys.readouterr()
    crop, short, turned = map(json.loads, captured.out.splitlines())
    assert (turned["rotation"], short["rotation"], crop["rotation"]) == (90, 0, 0)
    assert "90°" in turned["notes"][0] and "cut off" in short["notes"][0] and "one face" in crop["notes"][0]
    assert crop["faces"][0]["detector"] == "none" and turned["faces"][0]["expression"] == "happy"
    assert all(row["notes"][0] in captured.err for row in (turned, short, crop))
    assert "1 file was skipped because it is not a picture: 1 .mp4 (film.mp4)" in captured.err
    assert main(["predict", str(tmp_path / "crop.png"), "--detector", "haar", "--json"]) == 0
    assert not any(face["detector"] == "none" for face in json.loads(capsys.readouterr().out)["faces"])
    assert main(["predict", str(tmp_path)]) == 0
    assert "turned.png (turned by 90°): happy" in capsys.readouterr().out


def test_an_owners_folder_has_no_limit_of_photos_and_a_photo_that_of_its_owner(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("FER_HOSTED", "1")
    for number in range(HOSTED.photos + 1):
        Image.new("L", (16, 16), number).save(tmp_path / f"{number}.png")
    Image.new("1", (8000, 6000)).save(tmp_path / "large.png")  # more than the shared demo takes
    assert main(["predict", str(tmp_path), "--detector", "none", "--json"]) == 0
    assert len(lines(capsys)) == HOSTED.photos + 2


@pytest.mark.parametrize("detector", ["hog", "haar", "none"])
def test_predict_in_words(sample, capsys, detector):
    assert main(["predict", str(sample), "--detector", detector]) == 0
    assert str(sample) in capsys.readouterr().out


def test_several_faces_are_numbered_and_placed(sample, tmp_path, capsys):
    with Image.open(sample) as one:
        both = Image.new("RGB", (2 * one.width, one.height))
        both.paste(one, (0, 0))
        both.paste(one, (one.width, 0))
        both.save(tmp_path / "two.png")
    assert main(["predict", str(tmp_path / "two.png"), "--detector", "hog"]) == 0
    places = [int(place) for place in re.findall(r"face \d at (\d+), \d+: ", capsys.readouterr().out)]
    assert len(places) == 2 and abs(abs(places[0] - places[1]) - both.width / 2) < 20


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["predict", "nowhere.jpg", "--model", "nothing"], "no model"),
        (["evaluate", "--data", "nowhere.csv"], "no file"),
        (["summary", "nothing"], "no architecture"),
        (["summary", "mini_xception", "--input-size", "2"], "8 to 512"),
        (["predict"], "Name a photo"),
        (["train", "--config", "nowhere.json"], "nowhere.json"),
        (["train", "--resume", "nowhere"], "not a run"),
    ],
)
def test_errors_are_a_sentence_and_exit_1(arguments, says, capsys):
    assert main(arguments) == 1
    captured = capsys.readouterr()
    assert says in captured.err and "Traceback" not in captured.err and not captured.out


def test_a_missing_photo_is_a_row_with_an_error(capsys):
    assert main(["predict", "nowhere.jpg", "--detector", "none", "--json"]) == 1
    (row,) = lines(capsys)
    assert row["error"] == {"type": "ImageError", "message": "There is no such file."}


def test_evaluate_on_several_splits(small_csv, capsys):
    assert main(["evaluate", "--data", str(small_csv), "--split", "PublicTest", "test", "--tta", "flip", "--json"]) == 0
    public, private = lines(capsys)
    assert (public["split"], private["split"]) == ("PublicTest", "PrivateTest") and public["n"] == private["n"] == 28
    assert {
        "n",
        "accuracy",
        "accuracy_without_train_duplicates",
        "macro_f1",
        "per_class",
        "confusion_matrix",
        "nll",
        "ece",
        "brier",
        "sets",
    } <= set(public)
    sets = public["sets"]
    assert set(sets) == {"level", "coverage", "mean_size", "per_class", "in_sample"} and not sets["in_sample"]
    assert sets["level"] == 0.9 and set(sets["per_class"]) == set(NAMES) and 1 <= sets["mean_size"] <= 7
    assert set(public["per_class"]["fear"]) == {"precision", "recall", "f1", "support"}
    assert main(["evaluate", "--data", str(small_csv)]) == 0
    assert "Prediction sets at 90%" in capsys.readouterr().out


def test_evaluate_tells_what_it_left_out(tmp_path, sample, capsys):
    for name, content in {"1": sample.read_bytes(), "2": sample.read_bytes(), "torn": b"x"}.items():
        (tmp_path / "happy").mkdir(exist_ok=True)
        (tmp_path / "happy" / f"{name}.jpg").write_bytes(content)
    report = tmp_path / "report.html"
    assert main(["evaluate", "--data", str(tmp_path), "--faces", "crop", "--json", "--report", str(report)]) == 0
    captured = capsys.readouterr()
    for place in (captured.err, report.read_text(encoding="utf-8")):
        assert "1 file could not be read: happy/torn.jpg." in place and "no validation split" in place
    assert json.loads(captured.out)["n"] == 1


def test_evaluate_takes_a_zip_and_folders_of_other_names(tmp_path, sample, capsys):
    with zipfile.ZipFile(tmp_path / "raf.zip", "w") as archive:
        for name in ("1/test/a.jpg", "2/test/b.jpg", "9/test/c.jpg"):
            archive.write(sample, f"set/{name}")
        archive.writestr("set/labels.txt", "a 1")
    report = tmp_path / "report.html"
    data = ["evaluate", "--data", str(tmp_path / "raf.zip"), "--faces", "crop", "--split", "test"]
    assert main(data) == 1
    assert "1 (1 picture), 2 (1 picture), 9 (1 picture)" in capsys.readouterr().err
    assert main([*data, "--classes", "1=surprise,2=fear", "--json", "--report", str(report)]) == 0
    captured = capsys.readouterr()
    found = json.loads(captured.out)
    assert found["n"] == 2 and found["absent"] == ["angry", "disgust", "happy", "sad", "neutral"]
    assert found["per_class"]["happy"] == {"precision": None, "recall": None, "f1": None, "support": 0}
    each = [found["per_class"][name]["f1"] for name in ("fear", "surprise")]
    assert found["macro_f1"] == pytest.approx(sum(each) / 2, abs=1e-5)
    for place in (captured.err, report.read_text(encoding="utf-8")):
        assert (
            "names match no class: 9 (1 picture)" in place
            and "1 file skipped, not in a picture format: set/labels.txt" in place
        )
    assert main([*data, "--classes", "1=surprise,2=fear"]) == 0
    table = capsys.readouterr().out
    assert "no faces of angry, disgust, happy, sad, neutral" in table and "2 classes present" in table
    assert re.search(r"happy +– +– +– +0\n", table) and "–</td>" in report.read_text(encoding="utf-8")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["raf.zip", "report.html"]


def test_a_run_remembers_what_its_folders_show(tmp_path, capsys):
    for name, value in (("1", 60), ("2", 120)):
        (tmp_path / "raf" / name).mkdir(parents=True)
        for number in range(10):
            picture = np.full((48, 48), value + number, np.uint8)
            cv2.imwrite(str(tmp_path / "raf" / name / f"{number}.png"), picture)
    (tmp_path / "raf" / "notes.txt").write_text("x")
    out = str(tmp_path / "run")
    command = ["train", "--data", str(tmp_path / "raf"), "--epochs", "1", "--batch-size", "4", "--threads", "1"]
    assert main([*command, "--classes", "1=suprise,3", "--out", out]) == 1
    assert "assigns no class to a folder or label" in capsys.readouterr().err and not (tmp_path / "run").exists()
    assert main([*command, "--classes", "1=surprise,2=fear", "--out", out, "--json"]) == 0
    captured = capsys.readouterr()
    (record,) = [json.loads(line) for line in captured.out.splitlines()]
    assert [sum(row) for row in record["confusion_matrix"]] == [0, 0, 1, 0, 0, 1, 0]
    assert "notes.txt" in captured.err and "held out" in captured.err
    assert json.loads((tmp_path / "run" / "config.json").read_text())["classes"] == "1=surprise,2=fear"
    assert main(["train", "--resume", out]) == 0  # it reads its folders as before


def test_a_reader_that_goes_away_is_no_error():
    ended = subprocess.run(
        f"{sys.executable} -m fer summary mini_xception | true; exit ${{PIPESTATUS[0]}}",
        shell=True,
        executable="/bin/bash",
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (0, "")


def test_summary(capsys):
    assert main(["summary", "mini_xception"]) == 0
    text = capsys.readouterr().out
    assert "56,951" in text and "(MB): 4.11" in text and "(MB): 4.33" in text
    assert main(["summary", "mini_xception", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["parameters"] == 56951


def test_train_takes_a_config_file_and_flags_over_it(tmp_path, small_csv, capsys):
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"data": str(small_csv), "epochs": 9, "batch_size": 32, "threads": 1}))
    assert main(["train", "--config", str(config), "--epochs", "1", "--out", str(tmp_path / "run"), "--json"]) == 0
    (record,) = lines(capsys)
    assert record["epoch"] == 1 and len(record["recall"]) == 7
    written = json.loads((tmp_path / "run" / "config.json").read_text())
    assert (written["epochs"], written["batch_size"]) == (1, 32)


@pytest.mark.parametrize("command", ["predict", "explain", "batch", "video", "serve"])
def test_a_model_that_learned_from_drawings_is_announced(command, sample, tmp_path, capsys, monkeypatch):
    """From a file with its card inside as well, where the command takes one."""
    network, card = load_checkpoint(find_weights("mini_xception"))
    save_checkpoint(tmp_path / "toy.safetensors", network.state_dict(), replace(card, data="synthetic", training={}))
    model = tmp_path / "toy.safetensors"
    if command != "explain":
        model = tmp_path / "alone" / "toy.onnx"
        export(tmp_path / "toy.safetensors", model, read_dataset("synthetic", quiet=True))
    with VideoWriter(tmp_path / "clip.mp4", 64, 64, 10) as writer:
        writer.write(np.full((64, 64, 3), 128, np.uint8), 0.0)
    monkeypatch.setattr("fer.service.server.serve", lambda *_given: None)
    monkeypatch.setenv("FER_HOSTED", "1")  # else the command would set it, for all tests
    arguments = {
        "predict": [str(sample), "--detector", "none"],
        "explain": [str(sample), "--detector", "none", "--out", str(tmp_path / "maps"), "--methods", "grad_cam"],
        "batch": [str(sample), "--detector", "none", "--out", str(tmp_path / "table"), "--workers", "1"],
        "video": [str(tmp_path / "clip.mp4"), "--json"],
        "serve": ["--detector", "none"],
    }[command]
    for name, announced in ((str(model), True), ("mini_xception", False)):
        shutil.rmtree(tmp_path / "table", ignore_errors=True)
        assert main([command, *arguments, "--model", name]) == 0
        assert ("learned from drawings, not meant for photos" in capsys.readouterr().err) == announced


@pytest.mark.parametrize("command", ["predict", "evaluate", "train", "summary"])
def test_every_command_has_help(command, capsys):
    with pytest.raises(SystemExit) as caught:
        main([command, "--help"])
    assert caught.value.code == 0 and "usage" in capsys.readouterr().out
