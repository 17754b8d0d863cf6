"""The contract of the command line: what it prints, and how it ends."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys

import pytest

from fer.cli import main
from fer.expressions import NAMES


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
    assert all(set(row) == {"path", "width", "height", "faces", "error"} for row in rows)


def test_a_face_as_json(sample, capsys):
    assert main(["predict", str(sample), "--detector", "hog", "--json"]) == 0
    (row,) = lines(capsys)
    (face,) = row["faces"]
    assert (row["width"], row["height"], row["error"]) == (512, 512, None)
    assert set(face) == {"box", "score", "detector", "quality", "expression", "confidence", "sure", "probabilities"}
    assert len(face["box"]) == 4 and face["quality"] == {"ok": True, "reasons": []}
    assert face["expression"] == "happy" and list(face["probabilities"]) == list(NAMES)
    assert sum(face["probabilities"].values()) == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("detector", ["hog", "haar", "none"])
def test_predict_in_words(sample, capsys, detector):
    assert main(["predict", str(sample), "--detector", detector]) == 0
    assert str(sample) in capsys.readouterr().out


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
    } <= set(public)
    assert set(public["per_class"]["fear"]) == {"precision", "recall", "f1", "support"}
    assert main(["evaluate", "--data", str(small_csv)]) == 0
    assert "accuracy" in capsys.readouterr().out


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


@pytest.mark.parametrize("command", ["predict", "evaluate", "train", "summary"])
def test_every_command_has_help(command, capsys):
    with pytest.raises(SystemExit) as caught:
        main([command, "--help"])
    assert caught.value.code == 0 and "usage" in capsys.readouterr().out
