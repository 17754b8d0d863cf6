"""Folders named in the environment stay where they were named."""

from __future__ import annotations

import os

from fer.locations import make_folders_absolute
from fer.training.launcher import worker_environment


def test_relative_folders_are_resolved_before_a_process_goes_elsewhere(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    environment = {"FER_RUNS": "mine", "FER_CACHE": "/there", "FER_DATA": "", "FER_HOSTED": "1"}
    make_folders_absolute(environment)
    assert environment == {"FER_RUNS": str(tmp_path / "mine"), "FER_CACHE": "/there", "FER_DATA": "", "FER_HOSTED": "1"}
    monkeypatch.setenv("FER_CACHE", "cache")
    assert worker_environment()["FER_CACHE"] == str(tmp_path / "cache") and os.environ["FER_CACHE"] == "cache"
