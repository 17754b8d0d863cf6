"""Two gloo processes on loopback: as good as one, only the first writes, and the death of one ends the run clearly."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fer.errors import RunError
from fer.training import launcher
from fer.training.run_directory import RunDirectory
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
