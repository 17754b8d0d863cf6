"""Two gloo processes on loopback: as good as one, only the first writes, and the death of one ends the run clearly."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from fer.errors import RunError
from fer.training import launcher, processes, run_queue
from fer.training.run_directory import RunDirectory
from fer.training.run_queue import Turn
from tests.training.conftest import small
from tests.waiting import wait_for

ROOT = Path(__file__).parents[2]


def ranks_of(run: RunDirectory) -> dict[int, int]:
    """rank -> process id, as the system tells."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().split(b"\0")
            facts = dict(line.split(b"=", 1) for line in (folder / "environ").read_bytes().split(b"\0") if b"=" in line)
        except OSError:
            continue
        if str(run.path.resolve()).encode() in words and b"RANK" in facts and b"torch.distributed.run" not in words:
            found[int(facts[b"RANK"])] = int(folder.name)
    return found


def accuracy(run: RunDirectory) -> float:
    return run.records()[-1].validation_accuracy


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="tells processes apart by /proc")
@pytest.mark.long
def test_two_processes_are_as_good_as_one_and_survive_the_death_of_one(runs_folder):
    # Until both have learned it (0.98 and more for any seed): after five epochs the luck of the start decides.
    settings = {"limit": 1050, "epochs": 9, "batch_size": 42, "learning_rate": 0.1, "warmup_epochs": 2.0}
    command = [
        sys.executable,
        "-m",
        "fer",
        "train",
        "--limit",
        "1050",
        "--epochs",
        "9",
        "--batch-size",
        "42",
        "--learning-rate",
        "0.1",
        "--threads",
        "1",
        "--warmup-epochs",
        "2",
        "--ema-decay",
        "0.9",
        "--json",
    ]
    one = subprocess.run(
        [*command, "--out", str(runs_folder / "one")], cwd=ROOT, check=True, capture_output=True, text=True
    )
    assert len(one.stdout.splitlines()) == 9

    two = launcher.start(small(**settings, processes=2), "two")
    wait_for(lambda: len(two.records()) >= 1, 90)
    ranks = ranks_of(two)
    assert sorted(ranks) == [0, 1] and two.status()["pid"] == ranks[0]  # only the first writes
    began = time.monotonic()
    os.kill(ranks[1], signal.SIGKILL)
    wait_for(lambda: two.status()["state"] == "failed", 60)
    wait_for(lambda: not two.is_locked(), 60)
    assert time.monotonic() - began < 60
    assert "Resume continues" in two.status()["message"] and not ranks_of(two)
    launcher.resume(two)
    done = len(two.records())
    wait_for(lambda: len(two.records()) > done, 120)
    launcher.pause(two)
    wait_for(lambda: two.status()["state"] == "paused", 60)
    other = launcher.start(small(epochs=1), "other")
    wait_for(lambda: other.status()["state"] == "finished", 120)
    launcher.resume(two)
    wait_for(lambda: two.status()["state"] == "finished", 240)
    assert [record.epoch for record in two.records()] == list(range(1, 10))
    assert abs(accuracy(two) - accuracy(RunDirectory(runs_folder / "one"))) <= 0.03
    watched = [json.loads(line)["epoch"] for line in (two.path / "watch.jsonl").read_text().splitlines()]
    assert watched == list(range(1, 10))


def test_a_failure_of_the_first_process_is_told_as_its_own(runs_folder):
    run = RunDirectory.create(runs_folder / "bad", small(processes=2, data=str(runs_folder / "nowhere.csv")))
    from fer.training.worker import train

    with pytest.raises(RunError, match=r"no file nowhere\.csv"):
        train(run, quiet=True)
    assert run.status()["state"] == "failed"


class Launcher:
    """Stands for PyTorch's launcher: whenever it is polled, it takes one more step of what its processes do."""

    def __init__(self, steps):
        self.steps, self.returncode = steps, None

    def poll(self):
        if next(self.steps, "ended") == "ended":
            self.returncode = 0
        return self.returncode


@pytest.fixture
def launched(monkeypatch):
    """Let `supervise` run these steps instead of processes; returns the environments that it gave them."""
    environments = []

    def launch(steps):
        def popen(command, env, **_settings):
            environments.append(env)
            return Launcher(steps)

        monkeypatch.setattr(processes.subprocess, "Popen", popen)
        return environments

    monkeypatch.setattr(processes, "StopSignal", lambda patient: SimpleNamespace(asked=False))
    monkeypatch.setattr(processes, "LOOK_S", 0)
    monkeypatch.setattr(run_queue, "LOOK_S", 0)
    return launch


@pytest.fixture
def queued(runs_folder):
    """A run of two processes, its turn, and another run's turn."""
    run = RunDirectory.create(runs_folder / "two", small(processes=2))
    return run, Turn(run), Turn(RunDirectory.create(runs_folder / "other", small()))


def test_a_paused_run_of_several_processes_lets_the_next_one_go_first(queued, launched):
    run, turn, other = queued
    assert turn.try_take()

    def trained():
        run.write_status("running", epoch=1, step=3)
        yield
        assert not other.try_take() and not run.requested(processes.HOLD)
        launcher.pause(run)
        yield
        assert run.requested(processes.HOLD) and not other.try_take()  # still in the middle of a step
        run.write_status("paused", epoch=1, step=3)
        yield
        assert other.try_take()
        launcher.resume(run)
        yield
        yield  # while it waits for its turn
        assert run.requested(processes.HOLD) and "queued_at" in run.status() and run.status()["step"] == 3
        other.release()
        while run.requested(processes.HOLD):
            yield
        assert not other.try_take()
        run.write_status("finished")

    launched(trained())
    with run.lock() as lock:
        assert processes.supervise(run, 2, lock, turn) == "finished"


def test_a_stop_ends_the_wait_for_the_turn(queued, launched):
    run, turn, other = queued

    def trained():
        launcher.pause(run)
        run.write_status("paused")
        yield
        assert other.try_take()
        launcher.resume(run)
        yield
        launcher.stop(run)
        yield
        run.write_status("stopped")

    launched(trained())
    with run.lock() as lock:
        assert processes.supervise(run, 2, lock, turn) == "stopped"


def test_several_processes_pause_until_their_parent_has_the_turn(runs_folder, monkeypatch):
    from fer.training.control import GO, PAUSE, Control

    run = RunDirectory.create(runs_folder / "two", small(processes=2))
    monkeypatch.setenv(processes.SUPERVISED, "1")
    control = Control(run, SimpleNamespace(num_processes=1, is_main_process=True))
    run.request("pause")
    assert control._wish() == GO  # its parent passes it on
    run.request(processes.HOLD)
    run.withdraw("pause")
    assert control._wish() == PAUSE


def test_each_process_has_its_share_of_the_cores(runs_folder, launched, monkeypatch):
    """Sixteen cores: the app keeps one of them; a user's own number counts."""
    monkeypatch.setattr("fer.machine.cores", lambda: 16)
    monkeypatch.setattr(launcher, "cores", lambda: 16)
    assert launcher.worker_environment(1)["OMP_NUM_THREADS"] == "15"
    assert launcher.worker_environment(4)["OMP_NUM_THREADS"] == "3"
    assert launcher.worker_environment(64)["OMP_NUM_THREADS"] == "1"
    run = RunDirectory.create(runs_folder / "four", small(processes=4))
    run.write_status("finished")
    for own, threads in ((None, "4"), ("3", "3")):
        monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
        if own:
            monkeypatch.setenv("OMP_NUM_THREADS", own)
        environments = launched(iter(()))
        assert processes.supervise(run, 4, None, Turn(run)) == "finished"
        assert environments[-1]["OMP_NUM_THREADS"] == threads
