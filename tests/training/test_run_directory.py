"""A run learns, can be interrupted and resumed exactly, and fails with a reason."""

from __future__ import annotations

import dataclasses
import json
import math
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import fer
from fer.errors import RunError
from fer.models.card import Card
from fer.models.weights import read_card
from fer.training import launcher
from fer.training.config import TrainConfig
from fer.training.optimizer import learning_rate
from fer.training.run_directory import RunDirectory
from fer.training.stop_signal import Interrupted
from fer.training.worker import train
from tests.waiting import wait_for

ROOT = Path(__file__).parents[2]
SETTINGS = {"batch_size": 32, "learning_rate": 0.05, "threads": 1, "warmup_epochs": 0.5, "ema_decay": 0.9}


def run_of(folder: Path, csv: Path, **changes) -> RunDirectory:
    return RunDirectory.create(folder, TrainConfig(data=str(csv), **{**SETTINGS, "epochs": 6, **changes}))


def numbers(run: RunDirectory) -> list[tuple]:
    return [dataclasses.replace(record, seconds=0, pictures_per_second=0) for record in run.records()]


def test_it_learns_and_leaves_a_checkpoint_that_predicts(tmp_path, small_csv):
    run = run_of(tmp_path / "first", small_csv, epochs=14, flip=0)
    assert train(run, quiet=True) == "finished"
    records = run.records()
    assert [record.epoch for record in records] == list(range(1, 15))
    assert max(record.validation_accuracy for record in records) > 0.7
    assert records[-1].train_loss < records[0].train_loss
    status = run.status()
    assert status["state"] == "finished" and status["best"] == max(r.validation_accuracy for r in records)
    recognizer = fer.load(run.path)
    assert recognizer.name == "first"
    from fer.data.fer2013 import read_fer2013
    from fer.evaluation.evaluation import study

    report = study(recognizer, read_fer2013(small_csv, quiet=True), "PublicTest").report
    assert report.accuracy == pytest.approx(status["best"])
    assert recognizer.card.metrics["accuracy"] == pytest.approx(status["best"], abs=1e-4)


def test_a_resumed_run_equals_the_unbroken_one(tmp_path, small_csv):
    whole = run_of(tmp_path / "whole", small_csv, dropout=0.2, erasing=0.3)
    train(whole, quiet=True)
    broken = run_of(tmp_path / "broken", small_csv, dropout=0.2, erasing=0.3)

    def stop_after_two(record):
        if record.epoch == 2:
            broken.request("stop")

    assert train(broken, quiet=True, on_epoch=stop_after_two) == "stopped"
    assert len(broken.records()) == 2 and broken.status()["state"] == "stopped"
    with open(broken.path / "metrics.jsonl", "a") as file:
        file.write('{"epoch": 3, "train_l')  # a torn line, as a killed worker leaves it
    assert len(broken.records()) == 2
    assert train(broken, quiet=True) == "finished"
    assert numbers(broken) == numbers(whole)
    assert broken.best.read_bytes() == whole.best.read_bytes()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_saves_and_exits_0_then_resume_finishes(tmp_path, small_csv, number):
    command = [sys.executable, "-m", "fer", "train"]
    settings = ["--data", str(small_csv), "--batch-size", "32", "--epochs", "400", "--threads", "1"]
    worker = subprocess.Popen(
        [*command, *settings, "--out", str(tmp_path / "run")],
        cwd=ROOT,
        env=os.environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    run = RunDirectory(tmp_path / "run")
    wait_for(lambda: len(run.records()) >= 2)
    assert run.status()["state"] == "running"
    worker.send_signal(number)
    assert worker.wait(30) == 0
    assert run.status()["state"] == "stopped" and not run.is_locked()
    done = len(run.records())
    config = json.loads((run.path / "config.json").read_text())
    (run.path / "config.json").write_text(json.dumps({**config, "epochs": done + 1}))
    again = subprocess.run(
        [*command, "--resume", str(run.path), "--json"],
        cwd=ROOT,
        env=os.environ,
        capture_output=True,
        text=True,
        check=True,
    )
    (line,) = again.stdout.splitlines()
    assert json.loads(line)["epoch"] == done + 1


def test_a_stop_is_heard_while_the_data_is_read(tmp_path, small_csv, monkeypatch):
    from fer.training import trainer

    run = run_of(tmp_path / "reading", small_csv)

    def never_ending(*_asked, **_settings):
        run.request("stop")
        while True:
            _asked[1](0.5)

    monkeypatch.setattr(trainer, "read_dataset", never_ending)
    assert train(run, quiet=True) == "stopped" and not run.records()


def test_judging_a_large_split_is_no_silence(tmp_path, small_csv, monkeypatch):
    from fer.training import control, trainer

    monkeypatch.setattr(control, "HEARTBEAT_S", 0.0)
    run, told, evaluate = run_of(tmp_path / "large", small_csv, epochs=1), [], trainer.evaluate

    def in_small_batches(*given, **settings):
        before = run.status()["heartbeat"]
        found = evaluate(*given, **settings, batch_size=1)
        told.append(run.status()["heartbeat"] - before)
        return found

    monkeypatch.setattr(trainer, "evaluate", in_small_batches)
    train(run, quiet=True)
    assert told[0] > 0


def test_a_diverging_run_fails_with_the_reason(tmp_path, small_csv):
    run = run_of(tmp_path / "wild", small_csv, learning_rate=1e12, warmup_epochs=0, epochs=30)
    with pytest.raises(RunError, match="Lower the learning rate"):
        train(run, quiet=True)
    status = run.status()
    assert status["state"] == "failed" and "loss became" in status["message"]


def test_a_second_worker_is_refused(tmp_path, small_csv):
    run = run_of(tmp_path / "one", small_csv)
    with run.lock(), pytest.raises(RunError, match="already"):
        train(run, quiet=True)


def test_a_worker_that_went_reads_as_died(tmp_path, small_csv):
    run = run_of(tmp_path / "gone", small_csv)
    run.write_status("running")
    assert run.status()["state"] == "died"
    with run.lock():
        assert run.status()["state"] == "running"


@pytest.mark.parametrize("name", ["..", "a b ", ".hidden", "x" * 90, "a\nb"])
def test_run_names_stay_in_their_folder(tmp_path, name):
    with pytest.raises(RunError, match="name"):
        RunDirectory.create(tmp_path / "runs" / name, TrainConfig())


def test_a_run_is_not_overwritten(tmp_path):
    RunDirectory.create(tmp_path / "one", TrainConfig())
    with pytest.raises(RunError, match="There is already a run one"):
        RunDirectory.create(tmp_path / "one", TrainConfig())
    with pytest.raises(RunError, match="not a run"):
        RunDirectory.open(tmp_path)


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ([], "object"),
        ({"epoch": 3}, "'epoch'"),
        ({"epochs": "3"}, "whole number"),
        ({"epochs": 0}, "at least 1"),
        ({"optimizer": "magic"}, "sgd, adamw"),
        ({"flip": 3}, "0 to 1"),
        ({"epochs": True}, "whole number"),
    ],
)
def test_nonsense_settings_are_a_sentence(values, says):
    with pytest.raises(RunError, match=says):
        TrainConfig.from_json(values)


def test_settings_survive_json(tmp_path):
    config = TrainConfig(epochs=7, standardise="dataset")
    (tmp_path / "config.json").write_text(json.dumps(config.to_json()))
    assert TrainConfig.read(tmp_path / "config.json") == config


def test_the_schedule_by_hand():
    config = TrainConfig(epochs=10, learning_rate=0.1, warmup_epochs=1)
    assert learning_rate(0, 9, config) == pytest.approx(0.01)  # a tenth of the way up
    assert learning_rate(9, 9, config) == pytest.approx(0.1)
    assert learning_rate(9 + 40, 9, config) == pytest.approx(0.05 * (1 - math.cos(math.pi * 41 / 81)))
    linear = dataclasses.replace(config, schedule="linear", warmup_epochs=0)
    assert learning_rate(45, 9, linear) == pytest.approx(0.05)
    assert learning_rate(80, 9, dataclasses.replace(config, schedule="constant")) == 0.1


def test_a_full_disk_ends_in_a_sentence_and_leaves_no_half_made_run(tmp_path, monkeypatch):
    def full(self, state, **details) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(RunDirectory, "write_status", full)
    with pytest.raises(RunError, match="cannot be created: No space left"):
        RunDirectory.create(tmp_path / "new", TrainConfig())
    assert not (tmp_path / "new").exists()
    (tmp_path / "there").mkdir()
    with pytest.raises(RunError, match="cannot be created"):
        RunDirectory.create(tmp_path / "there", TrainConfig())
    assert (tmp_path / "there").is_dir()  # what was there before stays
    with pytest.raises(RunError, match="could not be started: No space left"):
        launcher.launch(RunDirectory(tmp_path / "there"))


def test_a_folder_with_other_files_is_refused_and_kept(tmp_path):
    mine = tmp_path / "notes" / ".env.local"
    mine.parent.mkdir()
    mine.write_text("KEY=1")
    with pytest.raises(RunError, match="has other files"):
        RunDirectory.create(mine.parent, TrainConfig())
    assert [file.name for file in mine.parent.iterdir()] == [".env.local"]
    empty = tmp_path / "empty"
    empty.mkdir()
    assert RunDirectory.create(empty, TrainConfig()).config == TrainConfig()


def test_a_sweep_removes_what_a_worker_left_half_written_and_nothing_else(tmp_path):
    run = RunDirectory.create(tmp_path / "run", TrainConfig())
    state = run.new_state(2)
    (state / "last.json").touch()
    run.point_to(state)
    own = (
        ".status.json.ab12",
        "..best.onnx.next.x_9",
        ".answers-0.safetensors.tmp",
        "state/.current.q",
        "state/0001/x",
    )
    users = (".env.local", ".config.yaml", ".gitignore", "state/notes/thesis.txt")
    for name in (*own, *users):
        (run.path / name).parent.mkdir(parents=True, exist_ok=True)
        (run.path / name).write_text("x")
    run.sweep()
    assert [name for name in own if (run.path / name).exists()] == []
    assert [name for name in users if not (run.path / name).exists()] == []
    assert run.current_state() == run.path / "state" / "0002"


def test_a_lost_pointer_loses_nothing(tmp_path, small_csv):
    run = run_of(tmp_path / "run", small_csv, epochs=2, limit=64)
    train(run, quiet=True)
    records = numbers(run)
    config = json.loads((run.path / "config.json").read_text())
    (run.path / "config.json").write_text(json.dumps(config | {"epochs": 3}))
    pointer = run.path / "state" / "current"
    for lost in (lambda: pointer.write_text(""), pointer.unlink):
        lost()
        assert run.current_state() == run.path / "state" / "0002"
    assert train(run, quiet=True) == "finished" and numbers(run)[:2] == records

    (run.current_state() / "last.json").unlink()
    pointer.unlink()
    kept = numbers(run), run.best.read_bytes()
    with pytest.raises(RunError, match="saved state of run is missing"):
        train(run, quiet=True)
    assert (numbers(run), run.best.read_bytes()) == kept


def test_a_resume_in_the_first_epoch_keeps_the_state_that_it_starts_from(tmp_path, small_csv, monkeypatch):
    from fer.training import trainer

    run = run_of(tmp_path / "run", small_csv, epochs=1, limit=64)

    def stopped(*_given):
        raise Interrupted

    with monkeypatch.context() as patched:
        patched.setattr(trainer, "train_one_epoch", stopped)
        assert train(run, quiet=True) == "stopped"
    state = run.current_state()
    assert state is not None and state.name == "0000"
    saved = {file.name: file.stat().st_ino for file in state.iterdir()}
    with monkeypatch.context() as patched:
        patched.setattr(trainer, "train_one_epoch", stopped)
        assert train(run, quiet=True) == "stopped"
    assert {file.name: file.stat().st_ino for file in state.iterdir()} == saved

    (state / "last.json").unlink()  # as earlier versions left it when killed in a resume
    assert run.current_state() is None
    assert train(run, quiet=True) == "finished" and len(run.records()) == 1


def test_relative_paths_are_stored_absolute_and_names_as_they_are(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.csv").touch()
    (tmp_path / "compact").mkdir()  # no run: the name still means the shipped model
    (tmp_path / "synthetic").mkdir()
    for run in ("first", "mini_xception"):
        (tmp_path / run).mkdir()
        (tmp_path / run / "best.safetensors").touch()
    (tmp_path / "w.safetensors").touch()

    def stored(number: int, **settings) -> dict:
        config = RunDirectory.create(tmp_path / "runs" / str(number), TrainConfig(**settings)).config
        return {name: getattr(config, name) for name in settings}

    assert stored(1, data="mine.csv", init="first") == {
        "data": str(tmp_path / "mine.csv"),
        "init": str(tmp_path / "first"),
    }
    assert stored(2, teacher="compact, w.safetensors,mini_xception") == {
        "teacher": f"compact,{tmp_path / 'w.safetensors'},{tmp_path / 'mini_xception'}"  # the run here, as ever
    }
    kept = {"data": "synthetic", "init": "compact", "teacher": ""}
    assert stored(3, **kept) == kept
    (tmp_path / "a, b").mkdir()
    monkeypatch.chdir(tmp_path / "a, b")
    (tmp_path / "a, b" / "w.onnx").touch()
    assert stored(4, teacher="w.onnx") == {"teacher": "w.onnx"}


def test_a_run_started_with_a_relative_path_resumes_from_another_folder(tmp_path, small_csv, monkeypatch):
    for folder in ("work", "elsewhere"):
        (tmp_path / folder).mkdir()
    shutil.copy(small_csv, tmp_path / "work" / "mine.csv")
    monkeypatch.chdir(tmp_path / "work")
    run = RunDirectory.create(tmp_path / "run", TrainConfig(data="mine.csv", **SETTINGS, epochs=1, limit=64))
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert train(run, quiet=True) == "finished"


@pytest.mark.parametrize("name", ["compact.safetensors", "mine.onnx"])
def test_a_run_called_like_a_file_loads(tmp_path, small_csv, name):
    run = run_of(tmp_path / name, small_csv, epochs=1, limit=64)
    train(run, quiet=True)
    assert fer.load(run.path).name == name


def test_what_learned_from_photos_once_is_never_from_drawings(tmp_path, small_csv):
    """Photos, then synthetic faces, then those again; and synthetic faces alone."""

    def trained(name: str, data: str, init: str = "") -> Card:
        run = run_of(tmp_path / name, Path(data), epochs=1, limit=64, init=init and str(tmp_path / init))
        train(run, quiet=True)
        return read_card(run.best)

    assert not trained("photos", str(small_csv)).from_drawings
    second, third = trained("second", "synthetic", "photos"), trained("third", "synthetic", "second")
    assert not second.from_drawings and not third.from_drawings
    assert second.started_from == third.started_from == small_csv.name
    assert "rawings" not in third.notes
    assert trained("drawn", "synthetic").from_drawings and trained("drawn_on", "synthetic", "drawn").from_drawings
