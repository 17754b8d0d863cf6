"""Training with a runs folder of its own, whose workers end with the test."""

from __future__ import annotations

import pytest

from fer.training.run_directory import RunDirectory
from tests.waiting import wait_for


@pytest.fixture
def folder(tmp_path, monkeypatch):
    path = tmp_path / "runs"
    path.mkdir()
    monkeypatch.setenv("FER_RUNS", str(path))
    yield path
    for file in path.glob("*/config.json"):
        run = RunDirectory(file.parent)
        run.request("stop")
        wait_for(lambda run=run: not run.is_locked(), 60)


@pytest.fixture
def app(folder, home):
    return home
