"""Every fault for real: workers killed, files torn, disks filled; what was good stays, and the run goes on exactly."""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from fer.errors import FerError, RunError, WeightsError
from fer.inference.recognizer import load
from fer.models.card import Card
from fer.models.checkpoints import load_checkpoint, save_checkpoint
from fer.models.registry import build
from fer.training import launcher, run_directory, run_store, worker
from fer.training.run_directory import RunDirectory
from tests.training.conftest import numbers, small
from tests.waiting import wait_for

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory) -> RunDirectory:
    """Three epochs without a fault, each better than the one before, which broken runs must equal."""
    config = small(dropout=0.1, balance="sampling", seed=4)
    run = RunDirectory.create(tmp_path_factory.mktemp("unbroken") / "whole", config)
    assert worker.train(run, quiet=True) == "finished" and all(record.best for record in run.records())
    return run


def test_a_killed_worker_reads_as_died_and_resumes_to_the_same_numbers(runs_folder, unbroken):
    run = launcher.start(unbroken.config, "killed")
    wait_for(lambda: len(run.records()) >= 1 and run.status().get("step", 0) >= 0)
    os.kill(run.status()["pid"], signal.SIGKILL)  # in mid-epoch, whichever it is
    wait_for(lambda: not run.is_locked(), 10)
    assert run.status()["state"] == "died" and len(run.records()) < 3
    with open(run.path / "metrics.jsonl", "a") as file:
        file.write('{"epoch": 2, "train_l')
    launcher.resume(run)
    wait_for(lambda: run.status()["state"] == "finished")
    assert numbers(run) == numbers(unbroken)
    assert run.best.read_bytes() == unbroken.best.read_bytes()


KILLED_AT = {
    "the weights are written": ("fer.models.weights", "os.replace", "best.safetensors"),
    "weights are new, their graph is old": ("fer.models.weights", "os.replace", "best.onnx"),
    "both are new, the card is old": ("fer.models.weights", "os.replace", "best.json"),
    "the state is written": ("fer.training.run_directory", "os.replace", "last.json"),
    "the pointer is replaced": ("fer.training.run_directory", "os.replace", "current"),
    "the state is kept, the record is not": ("fer.training.run_directory", "RunDirectory.append", ""),
}


@pytest.mark.parametrize("moment", KILLED_AT)
def test_a_kill_while_a_checkpoint_is_written(tmp_path, unbroken, moment):
    """The process kills itself at the very moment, in its second epoch; then the run is resumed."""
    module, name, target = KILLED_AT[moment]
    run = RunDirectory.create(tmp_path / "torn", unbroken.config)
    code = f"""
import os, signal, sys
import fer.training.trainer, {module} as module
from fer.training.run_directory import RunDirectory
from fer.training.worker import train
original, seen = module.{name}, []
def fatal(*arguments):
    if not {target!r} or str(arguments[-1]).endswith({target!r}):
        seen.append(1)
        if len(seen) == {3 if target in ("last.json", "current") else 2}:
            os.kill(os.getpid(), signal.SIGKILL)
    return original(*arguments)
module.{name} = fatal
train(RunDirectory.open(sys.argv[1]), quiet=True)
"""
    done = subprocess.run([sys.executable, "-c", code, str(run.path)], cwd=ROOT, check=False, capture_output=True)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()[-500:]
    assert run.status()["state"] == "died"
    model, card = load_checkpoint(run.best)  # whole, whichever epoch's it is
    assert card.training["epoch"] in (1, 2)
    assert worker.train(run, quiet=True) == "finished"
    assert numbers(run) == numbers(unbroken)
    assert run.best.read_bytes() == unbroken.best.read_bytes()
    assert not [file for file in run.path.rglob(".*") if file.is_file()]  # nothing half written is left behind


def test_a_full_disk_fails_with_a_clear_word_and_keeps_the_last_checkpoint(tmp_path):
    """A real tmpfs of 2 MB where the machine lets us mount one; else a limit on the size of files."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = (
        shutil.which("mount")
        and subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(disk)], check=False, capture_output=True
        ).returncode
        == 0
    )
    try:
        run = RunDirectory.create(disk / "full", small(epochs=4))
        limit = None if mounted else (lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000)))

        def fill() -> None:
            if mounted:
                room = shutil.disk_usage(disk).free
                (disk / "ballast").write_bytes(b"x" * max(room - 300_000, 0))

        process = subprocess.Popen(
            [sys.executable, "-m", "fer.training.worker", str(run.path)],
            cwd=ROOT,
            preexec_fn=limit,  # noqa: PLW1509  the only way to limit a child from here
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        if mounted:
            wait_for(lambda: len(run.records()) >= 1)
            fill()
        assert process.wait(90) == 1
        status = run.status()
        assert status["state"] == "failed" and "could not write" in status["message"]
        if mounted:
            assert "disk is full" in status["message"]
            load(run.path)  # the last good one
            (disk / "ballast").unlink()
            assert worker.train(run, quiet=True) == "finished" and len(run.records()) == 4
    finally:
        if mounted:
            subprocess.run(["umount", str(disk)], check=True)


def test_a_second_start_is_refused_and_harms_nothing(runs_folder):
    run = launcher.start(small(epochs=40), "one")
    wait_for(lambda: run.status()["state"] == "running" and run.status().get("step"))
    with pytest.raises(RunError, match="already"):
        launcher.launch(run)
    second = subprocess.run(
        [sys.executable, "-m", "fer.training.worker", str(run.path)],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
    )
    assert second.returncode == 1 and "already" in second.stderr
    assert run.status()["state"] == "running"
    launcher.stop(run)
    wait_for(lambda: run.status()["state"] == "stopped")


NONSENSE = {
    "not JSON": "{epochs: 3",
    "a list": "[]",
    "text for a number": json.dumps({"epochs": "many"}),
    "below its range": json.dumps({"epochs": -1}),
    "not a number": '{"learning_rate": NaN}',
    "an unknown setting": json.dumps({"epcohs": 3}),
    "an unknown network": json.dumps({"model": "resnet9000"}),
    "nested without end": "[" * 100_000,
}


@pytest.mark.parametrize("text", NONSENSE.values(), ids=NONSENSE)
def test_a_config_of_nonsense_fails_with_a_sentence(tmp_path, text):
    run = RunDirectory.create(tmp_path / "nonsense", small())
    (run.path / "config.json").write_text(text)
    with pytest.raises(FerError):
        worker.train(run, quiet=True)
    status = run.status()
    assert status["state"] == "failed" and status["message"].endswith((".", "Expected the settings of a run."))
    assert not run.is_locked()


def test_a_checkpoint_of_another_network_is_refused(tmp_path):
    save_checkpoint(tmp_path / "other.safetensors", build("repvgg_small").state_dict(), Card("repvgg_small"))
    run = RunDirectory.create(tmp_path / "run", small(init=str(tmp_path / "other.safetensors")))
    with pytest.raises(RunError, match="are for repvgg_small; this run trains mini_xception"):
        worker.train(run, quiet=True)
    assert run.status()["state"] == "failed"


def test_a_state_of_another_network_is_refused(tmp_path, unbroken):
    run = RunDirectory.create(tmp_path / "run", small(model="repvgg_small"))
    shutil.copytree(unbroken.path / "state", run.path / "state")
    with pytest.raises(RunError, match="another network"):
        worker.train(run, quiet=True)


@pytest.mark.parametrize("name", ["../x", "..", "", ".hidden", "a/b", "a\\b", "a\0b", "x" * 81, "/etc", " a", "<b>"])
def test_no_name_leads_outside_the_runs_folder(runs_folder, name):
    (runs_folder.parent / "x").mkdir(exist_ok=True)
    (runs_folder.parent / "x" / "config.json").write_text("{}")
    with pytest.raises(RunError, match="Run names may use"):
        run_store.find_run(name)
    run = RunDirectory.create(runs_folder / "good", small())
    if name.strip() != "a":
        with pytest.raises(RunError):
            run_store.rename_run(run, name)
    assert [file.name for file in runs_folder.iterdir()] == ["good"]


def test_a_hang_shows(tmp_path, monkeypatch):
    run = RunDirectory.create(tmp_path / "hung", small())
    run.write_status("running")
    with run.lock():
        assert "silent_s" not in run.status()
        written_s = run.status()["heartbeat"]
        monkeypatch.setattr(run_directory.time, "time", lambda: written_s + run_directory.SILENT_S + 1)
        assert run.status()["silent_s"] == pytest.approx(run_directory.SILENT_S + 1)


def test_a_damaged_card_beside_good_weights_is_not_mended_by_guesswork(tmp_path, unbroken):
    shutil.copytree(unbroken.path, tmp_path / "copy")
    card = tmp_path / "copy" / "best.json"
    card.write_text(card.read_text().replace('sha256": "', 'sha256": "00'))
    with pytest.raises(WeightsError, match="sha256"):
        load(tmp_path / "copy")
