"""What fuzzing found, each with the smallest input that showed it; all of it is mended where it was wrong."""

from __future__ import annotations

import io
import json
import os
import struct
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from fer.cli import main
from fer.data.fer2013 import read_fer2013
from fer.data.ferplus import VOTE_NAMES, read_votes
from fer.data.folders import read_folder
from fer.data.read import read_dataset
from fer.data.zips import read_zip
from fer.errors import DatasetError, FerError, ImageError, RunError, SettingError, WeightsError
from fer.evaluation.groups import read_metadata
from fer.limits import OPEN
from fer.models.weights import find_weights
from fer.records import EpochRecord
from fer.training import watched_faces
from fer.training.config import TrainConfig
from fer.training.resume_state import load_state, save_state
from fer.training.run_directory import RunDirectory
from fer.training.run_store import free_id
from fer.vision.images import MAX_PASSES, decode_image, read_image
from tests.fuzz.files import PIXELS, run_files, zipped
from tests.fuzz.pictures import encode, many_passes, pictures
from tests.fuzz.targets import Target, write
from tests.fuzz.watch import watched

LONG = "x" * 5000  # longer than any name on a disk


def test_a_jpeg_that_is_gone_over_without_end_is_refused_and_an_ordinary_one_is_not():
    """100 passes over 64 megapixels kept a processor busy for 6 s; the 30 MB that are read hold 400,000 of them."""
    with pytest.raises(ImageError, match="passes"):
        decode_image(many_passes(64, 64, MAX_PASSES + 1))
    assert decode_image(many_passes(64, 64, MAX_PASSES - 1)).shape == (64, 64, 3)
    with pytest.raises(ImageError, match="passes"):
        decode_image(many_passes(64, 64, MAX_PASSES + 1).replace(b"\xff\xda", b"\xff\xff\xff\xda"))
    fakes = b"\xff\xda" * 200  # in metadata, and in a video behind the picture
    whole = pictures()["whole.jpg"]
    comment = b"\xff\xfe" + (len(fakes) + 2).to_bytes(2, "big") + fakes
    assert decode_image(whole[:2] + comment + whole[2:] + fakes).shape == (24, 32, 3)
    assert decode_image(pictures()["progressive.jpg"]).shape == (24, 32, 3)


@pytest.mark.parametrize("mode", ["RGBA", "I;16"])
def test_the_largest_picture_stays_below_a_gigabyte(mode):
    """Copies on the way from 64 megapixels to RGB came to 1.1 GB with transparency, to 1.7 GB with 16 bits."""
    data = encode(Image.new(mode, (8000, 8000)), "PNG", compress_level=1)
    outcome = watched(Target(lambda random: {}, lambda content, folder: decode_image(data), 1), {})
    assert not outcome.problem and outcome.grown < 700 * 2**20


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (f"emotion,pixels\n{'1' * 5000},{PIXELS}\n", "No label in t.csv"),  # int() takes 4,300 digits at most
        (f"emotion,pixels\n\u0663,{PIXELS}\n", "No label in t.csv"),
        (f"pixels,pixels,emotion\n{PIXELS},3\n", "two columns with the same name"),  # counted as two, read as three
        ("pixels," + "a" * 2_000_000, "Row 2|not a CSV|column"),  # a header line was read whole
        ('emotion,pixels\n"3' + '\n","' * 1000, "Row 2"),  # one row took all lines there are
    ],
)
def test_tables(tmp_path, text, says):
    (tmp_path / "t.csv").write_text(text, encoding="utf-8")
    with pytest.raises(DatasetError, match=says):
        read_fer2013(tmp_path / "t.csv", quiet=True, cached=False)


def test_a_vote_too_large_for_any_integer(tmp_path):
    (tmp_path / "v.csv").write_text(f"{','.join(VOTE_NAMES)}\n{10**30}" + ",0" * 9 + "\n")
    with pytest.raises(DatasetError, match="FER"):
        read_votes(tmp_path / "v.csv", 1)


@pytest.mark.parametrize(
    ("table", "says"),
    [
        (b"file,a\n" + b"x,1\n" * 200_001, "too large"),  # a dictionary a row: gigabytes for 20 MB
        (b"file" + b",a" * 100 + b"\n1,2\n", "too large"),  # a cell for each title in every row
    ],
)
def test_large_tables_about_pictures(table, says):
    with pytest.raises(DatasetError, match=says):
        read_metadata(table, ["1"])


def test_a_long_cell_does_not_give_every_picture_its_room():
    names = [f"{number}.png" for number in range(3000)]
    metadata = read_metadata(f"file,a\n0.png,{'x' * 100_000}\n".encode(), names)
    assert metadata.columns["a"].nbytes < 2**22  # 1.2 GB before


def broken_name(name: bytes) -> bytes:
    """A zip whose one member carries these bytes as its name, said to be UTF-8."""
    data = zipped({"happy/é.png": b"\x89PNG"}).replace("happy/é.png".encode(), name)
    for kind, at in ((b"PK\x03\x04", 26), (b"PK\x01\x02", 28)):
        start = data.index(kind) + at
        data = data[:start] + struct.pack("<H", len(name)) + data[start + 2 :]
    return data


@pytest.mark.parametrize("data", [broken_name(b"happy/\xff\xfe.png"), broken_name(b"")])
def test_zips_whose_names_are_none(data):
    with pytest.raises(DatasetError):
        read_zip(io.BytesIO(data), quiet=True)


def test_a_zip_of_folders_in_folders_without_end():
    with pytest.raises(DatasetError, match="deep"):
        read_zip(io.BytesIO(zipped({"happy/" + "a/" * 1500 + "1.png": b"\x89PNG"})), quiet=True)


def test_a_folder_a_thousand_deep_and_names_that_are_no_text(tmp_path):
    picture = pictures()["whole.png"]
    write(tmp_path, {"train/happy/\udcff.png": picture, "train/sad/\udcfe.png": b"no picture"})
    make_deep(tmp_path / "train" / "happy", 1200)
    try:
        dataset = read_folder(tmp_path, "crop", quiet=True, cached=False)
    finally:
        for level in range(1200, 0, -1):  # pytest could not: its clean-up goes down by recursion
            os.rmdir(tmp_path / "train" / "happy" / ("a/" * level))
    assert list(dataset.names) == ["train/happy/\\udcff.png"] and dataset.unreadable == ("train/sad/\\udcfe.png",)


def make_deep(folder: Path, levels: int) -> None:
    here = Path.cwd()
    try:
        os.chdir(folder)
        for _ in range(levels):
            os.mkdir("a")
            os.chdir("a")
    finally:
        os.chdir(here)


@pytest.mark.parametrize(
    "change",
    [
        {"epoch": [1]},
        {"epoch": "1"},
        {"epoch": 10**400},
        {"train_loss": "low"},
        {"train_loss": 10**400},
        {"recall": [0.5]},
        {"recall": None},
        {"confusion_matrix": [[1] * 7]},
        {"confusion_matrix": [[{}] * 7] * 7},
        {"confusion_matrix": [[10**400] * 7] * 7},
        {"seconds": None},
    ],
)
def test_a_record_of_other_kinds_is_no_record(tmp_path, change):
    lines = run_files()["metrics.jsonl"].splitlines(keepends=True)
    odd = json.dumps({**json.loads(lines[0]), **change}).encode() + b"\n"
    write(tmp_path, {"metrics.jsonl": odd + b"\xff\n" + b"[" * 5000 + b"\n" + lines[1]})
    assert [record.epoch for record in RunDirectory(tmp_path).records()] == [2]
    with pytest.raises(ValueError, match=r"\w"):
        EpochRecord.from_json(json.loads(odd))


def test_a_record_survives_json_with_a_loss_that_is_none():
    record = EpochRecord.from_json(json.loads(run_files()["metrics.jsonl"].splitlines()[0]))
    diverged = EpochRecord.from_json(json.loads(json.dumps({**record.to_json(), "train_loss": float("nan")})))
    assert EpochRecord.from_json(record.to_json()) == record and np.isnan(diverged.train_loss)


@pytest.mark.parametrize(
    "status",
    [
        b"[]",
        b"7",
        b"\xff",
        b"[" * 5000,
        b'{"state": 7, "heartbeat": 1}',
        b'{"state": "running", "heartbeat": "now"}',
        b'{"state": "running", "heartbeat": 1e999}',
        b'{"state": "running", "heartbeat": 1' + b"0" * 400 + b"}",
    ],
)
def test_a_status_of_other_kinds_reads_as_queued(tmp_path, status):
    write(tmp_path, {"status.json": status})
    assert RunDirectory(tmp_path).status()["state"] in ("queued", "died")


def test_values_of_other_kinds_leave_a_status(tmp_path):
    told = {"state": "stopped", "heartbeat": 1, "epoch": "2", "steps": None, "message": ["x"], "best": float("nan")}
    write(tmp_path, {"status.json": json.dumps(told).encode()})
    assert RunDirectory(tmp_path).status() == {"state": "stopped", "heartbeat": 1.0}


@pytest.mark.parametrize("name", [b"\xff", b"1" * 5000, b"../..", "٣".encode()])
def test_a_state_pointer_leads_nowhere(tmp_path, name):
    write(tmp_path, {"state/current": name})
    assert RunDirectory(tmp_path).current_state() is None


@pytest.mark.parametrize(
    "change",
    [
        lambda facts: [],
        lambda facts: {**facts, "epoch": "1"},
        lambda facts: {**facts, "epoch": -1},
        lambda facts: {**facts, "sha256": 7},
        lambda facts: {"epoch": 1},
        lambda facts: {**facts, "epoch": True},
    ],
)
def test_a_saved_state_of_other_kinds_is_a_sentence(tmp_path, change):
    run, model = RunDirectory(tmp_path), torch.nn.Linear(2, 2)
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    save_state(run, 1, model, model, optimizer, {})
    assert load_state(run, model, model, optimizer)["epoch"] == 1
    file = run.current_state() / "last.json"
    file.write_text(json.dumps(change(json.loads(file.read_text()))))
    with pytest.raises(RunError, match="saved state"):
        load_state(run, model, model, optimizer)
    file.write_text("[" * 5000)
    with pytest.raises(RunError, match="saved state"):
        load_state(run, model, model, optimizer)


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("watch.json", b'{"labels": [0, 9]}'),
        ("watch.json", b'{"labels": ["a", []]}'),
        ("watch.json", b"[" * 5000),
        ("watch.jsonl", b"\xff\n"),
        ("watch.jsonl", b"[" * 5000 + b"\n"),
        ("watch.png", b"no picture"),
        ("watch.jsonl", json.dumps({"epoch": 1, "probabilities": [["a"] * 7] * 2}).encode() + b"\n"),
        ("watch.jsonl", json.dumps({"epoch": 1, "probabilities": [[10**400] * 7] * 2}).encode() + b"\n"),
    ],
)
def test_a_wall_of_other_kinds_is_no_wall(tmp_path, file, content):
    strip = encode(Image.new("L", (96, 48)), "PNG")
    assert watched_faces.read(RunDirectory(write(tmp_path, {**run_files(), "watch.png": strip}))) is not None
    (tmp_path / file).write_bytes(content)
    assert watched_faces.read(RunDirectory(tmp_path)) is None


@pytest.mark.parametrize(
    ("read", "error"),
    [
        (find_weights, WeightsError),
        (read_dataset, DatasetError),
        (read_fer2013, DatasetError),
        (RunDirectory.open, RunError),
        (lambda name: RunDirectory.create(name, TrainConfig()), RunError),
        (read_image, ImageError),
        (lambda name: read_image(f"{name[:9]}\0"), ImageError),
        (free_id, RunError),
        (lambda name: free_id(f"../../{name[:3]}"), RunError),
    ],
)
def test_names_that_no_disk_takes(read, error):
    with pytest.raises(error):
        read(LONG)


def test_a_file_without_an_end_is_read_up_to_the_limit():
    with pytest.raises(ImageError, match="the limit is"):
        read_image("/dev/zero", replace(OPEN, photo_bytes=2**20))


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["train", "--teacher-weight", "-1"], "teacher_weight must be 0 to 1"),  # a ValueError went past main
        (["train", "--seed", "9" * 30], "seed must be below"),  # PyTorch takes 64 bits
        (["train", "--model", "../../x", "--epochs", "1"], "Run names may use"),  # a run outside the runs folder
        (["summary", "mini_xception", "--input-size", "9" * 30], "8 to 512"),
    ],
)
def test_numbers_out_of_range_are_sentences_on_the_command_line(arguments, says, capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("FER_RUNS", str(tmp_path / "a" / "b" / "runs"))
    assert issubclass(SettingError, FerError) and issubclass(SettingError, ValueError)
    assert main(arguments) == 1 and says in capsys.readouterr().err
    assert not list(tmp_path.rglob("*"))


def test_a_file_name_that_is_no_text_is_told_in_json(tmp_path, monkeypatch):
    """Printing it raised UnicodeEncodeError."""
    out = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(out, "utf-8"))
    name = str(tmp_path / "\udcff.png")
    assert main(["predict", name, "--model", "mini_xception", "--detector", "none", "--json"]) == 1
    sys.stdout.flush()
    assert json.loads(out.getvalue())["path"].endswith("\udcff.png")
