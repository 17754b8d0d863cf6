"""Workers for real: started as processes, killed as processes."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

import pytest

from fer.training.config import TrainConfig
from fer.training.run_directory import RunDirectory
from tests.waiting import wait_for

SMALL = {"limit": 256, "batch_size": 32, "learning_rate": 0.05, "threads": 1, "warmup_epochs": 0.5, "ema_decay": 0.9}


@pytest.fixture(scope="session", autouse=True)
def drawn(tmp_path_factory):
    """The drawn faces are drawn once for all workers."""
    os.environ["FER_CACHE"] = str(tmp_path_factory.getbasetemp() / "cache")
    from fer.data.synthetic import read_synthetic

    return read_synthetic()


@pytest.fixture
def runs_folder(tmp_path, monkeypatch) -> Path:
    """A runs folder of this test's own; a worker that is still there at the end is stopped."""
    folder = tmp_path / "runs"
    folder.mkdir()
    monkeypatch.setenv("FER_RUNS", str(folder))
    yield folder
    for file in folder.glob("*/config.json"):
        RunDirectory(file.parent).request("stop")
    for file in folder.glob("*/config.json"):
        wait_for(lambda file=file: not RunDirectory(file.parent).is_locked(), 30)


def small(**changes) -> TrainConfig:
    return TrainConfig(**{**SMALL, "epochs": 3, **changes})


def numbers(run: RunDirectory) -> list[tuple]:
    """All that was recorded, but the clock's."""
    return [dataclasses.replace(record, seconds=0, pictures_per_second=0) for record in run.records()]
