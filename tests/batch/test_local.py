"""Processes of this machine: the same table with one or two, after a kill, after Ctrl-C, after a worker's death."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

import pytest

from fer.batch import local
from fer.batch.inputs import Input, find_inputs
from fer.batch.local import read_here
from fer.batch.run import LEDGER, run_batch
from fer.cli import main
from fer.errors import FerError
from tests.batch.conftest import given, settings, table
from tests.conftest import ROOT
from tests.waiting import wait_for


@pytest.fixture(scope="module")
def whole(photos_and_video, tmp_path_factory) -> Path:
    """The folder that an undisturbed batch of two workers wrote."""
    out = tmp_path_factory.mktemp("whole")
    inputs, _ = find_inputs([photos_and_video])
    outcome = run_batch(inputs, out, settings("hog"), workers=2)
    assert not outcome.left and set(outcome.errors) == {str(photos_and_video / "broken.jpg")}
    return out


def arguments(inputs: Path, out: Path, *more: str) -> list[str]:
    return ["batch", str(inputs), "--out", str(out), "--model", "mini_xception", "--detector", "hog", *more]


def start(inputs: Path, out: Path, *more: str) -> subprocess.Popen:
    """The command in a process of its own, once it has finished an input."""
    running = subprocess.Popen(
        [sys.executable, "-m", "fer", *arguments(inputs, out, *more)], cwd=ROOT, stderr=subprocess.PIPE, text=True
    )

    def begun() -> bool:
        assert running.poll() is None, "it has ended"
        return (out / LEDGER).is_file() and (out / LEDGER).stat().st_size > 0

    wait_for(begun)
    return running


def test_the_files_of_a_batch(whole, photos_and_video):
    rows = table(whole / "readings.csv")
    assert {row["input"] for row in rows} == {str(photos_and_video / "clip.mp4")} and len(rows) == 10
    ((failed),) = table(whole / "errors.csv")
    assert failed["input"].endswith("broken.jpg") and "damaged" in failed["error"]
    summary = json.loads((whole / "summary.json").read_text())
    counts = {name: summary[name] for name in ("inputs", "read", "read_before", "failed", "left", "faces", "videos")}
    assert counts == {
        "inputs": 14,
        "read": 13,
        "read_before": 0,
        "failed": 1,
        "left": 0,
        "faces": 10,
        "videos": 1,
    }
    assert summary["model"] == "mini_xception" and summary["settings"]["detector"] == "hog" and summary["seconds"] > 0


def test_a_name_in_errors_csv_is_no_formula(tmp_path):
    outcome = run_batch([Input("=2+3.png", tmp_path / "=2+3.png")], tmp_path / "out", settings(), workers=1)
    (row,) = table(tmp_path / "out" / "errors.csv")
    assert row == {"input": "'=2+3.png", "error": outcome.errors["=2+3.png"]}


def test_a_worker_whose_batch_was_killed_leaves_its_video_without_a_word(photos_and_video, monkeypatch, caplog):
    monkeypatch.setattr(local, "TOLD_S", 0.0)
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    ours, theirs = multiprocessing.Pipe()
    clip = photos_and_video / "clip.mp4"
    ours.send_bytes(json.dumps([clip.name, str(clip)]).encode())
    read = local.read_input

    def killed_meanwhile(*arguments):
        ours.close()
        return read(*arguments)

    monkeypatch.setattr(local, "read_input", killed_meanwhile)
    local._work(theirs, json.dumps(asdict(settings("hog"))))
    assert not caplog.records


def test_the_same_command_reads_only_what_is_new_or_changed(photos_and_video, tmp_path, capsys):
    folder = tmp_path / "in"
    folder.mkdir()
    for name in ("00.png", "02.png"):
        (folder / name).write_bytes((photos_and_video / name).read_bytes())
    command = ["batch", str(folder), "--out", str(tmp_path / "out"), "--model", "mini_xception", "--detector", "none"]

    def run() -> dict:
        capsys.readouterr()
        assert main([*command, "--json"]) == 0
        return json.loads(capsys.readouterr().out)

    assert run()["read"] == 2
    first = (tmp_path / "out" / "readings.csv").read_bytes()
    again = run()
    assert (again["read"], again["read_before"], again["faces"]) == (0, 2, 2)
    assert (tmp_path / "out" / "readings.csv").read_bytes() == first
    (folder / "02.png").write_bytes((photos_and_video / "04.png").read_bytes())
    (folder / "01.png").write_bytes((photos_and_video / "06.png").read_bytes())
    assert (changed := run())["read"] == 2 and changed["read_before"] == 1
    rows = table(tmp_path / "out" / "readings.csv")
    assert [Path(row["input"]).name for row in rows] == ["00.png", "01.png", "02.png"]
    (folder / "00.png").unlink()
    assert run()["inputs"] == 2 and len(table(tmp_path / "out" / "readings.csv")) == 2


def test_after_a_kill_the_same_command_goes_on_to_the_same_table(photos_and_video, whole, tmp_path, capsys):
    out = tmp_path / "out"
    running = start(photos_and_video, out, "--workers", "1")
    running.kill()
    running.communicate()
    lines = (out / LEDGER).read_bytes().splitlines(keepends=True)
    complete = [json.loads(line) for line in lines if line.endswith(b"\n")]
    assert complete
    assert main(arguments(photos_and_video, out, "--json")) == 1
    summary = json.loads(capsys.readouterr().out)
    assert summary["read_before"] >= len(complete) and summary["read"] + summary["read_before"] == 13
    assert (out / "readings.csv").read_bytes() == (whole / "readings.csv").read_bytes()


def test_ctrl_c_finishes_what_is_at_work_and_says_how_to_go_on(photos_and_video, whole, tmp_path):
    out = tmp_path / "out"
    many = tmp_path / "many"
    many.mkdir()
    for number in range(400):
        (many / f"{number}.png").hardlink_to(photos_and_video / "00.png")
    running = start(many, out, "--workers", "1")
    running.send_signal(signal.SIGINT)
    _, said = running.communicate(timeout=60)
    assert running.returncode == 130 and "Run the same command again" in said and "Traceback" not in said
    summary = json.loads((out / "summary.json").read_text())
    assert summary["left"] > 0 and summary["read"] == len((out / LEDGER).read_bytes().splitlines())
    assert summary["read"] + summary["left"] == 400


def test_a_worker_that_dies_costs_its_input_a_second_try_then_a_row_of_errors(photos_and_video, tmp_path):
    deadly, photo = given(tmp_path / "deadly.png"), given(photos_and_video / "00.png")
    os.mkfifo(deadly.path)  # whoever opens it waits for a writer: long enough to be killed at it
    deaths = []

    def kill_who_reads_it(done: float) -> None:
        with suppress(OSError):  # nobody has opened it
            writer = os.open(deadly.path, os.O_WRONLY | os.O_NONBLOCK)
            (child,) = multiprocessing.active_children()
            os.kill(child.pid, signal.SIGKILL)
            child.join()
            os.close(writer)  # not before: an end of the file would be read as a damaged picture
            deaths.append(child.pid)

    readings = {each.input: each for each in read_here([deadly, photo], settings(), 1, kill_who_reads_it)}
    assert len(set(deaths)) == 2 and not readings[photo.name].error
    assert "twice (SIGKILL)" in readings[deadly.name].error


def test_a_model_that_cannot_be_loaded_ends_the_batch_with_its_sentence(photos_and_video, tmp_path):
    from dataclasses import replace

    with pytest.raises(FerError, match="differs from the model"):
        list(read_here([given(photos_and_video / "00.png")], replace(settings(), card="0"), 1))


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (["--workers", "0"], "1 to 4096"),
        (["--readings", "0"], "0.1 to 120"),
        (["--model", "nobody"], "no model"),
        (["--device", "cuda"], "cuda"),
    ],
)
def test_what_is_wrong_with_all_of_it_is_a_sentence(photos_and_video, tmp_path, capsys, more, says):
    assert main(["batch", str(photos_and_video / "00.png"), "--out", str(tmp_path / "out"), *more]) == 1
    said = capsys.readouterr().err
    assert says in said and "Traceback" not in said


def test_nothing_to_read_is_a_sentence(tmp_path, capsys):
    assert main(["batch", str(tmp_path), "--out", str(tmp_path / "out")]) == 1
    assert "No photos" in capsys.readouterr().err and not (tmp_path / "out").exists()
