"""What a failure is told by, and what is then to be changed."""

from __future__ import annotations

import errno

import pytest
import torch

from fer.errors import DatasetError, RunError, WeightsError
from fer.training import worker
from fer.training.config import TrainConfig
from fer.training.failures import advice_on, cause_of
from fer.training.run_directory import RunDirectory
from tests.training.conftest import small


def out_of_memory() -> Exception:
    """As PyTorch says it."""
    with pytest.raises(RuntimeError) as told:
        torch.empty(2**48)
    return told.value


@pytest.mark.parametrize(
    ("error", "cause", "resume"),
    [
        (RunError("x", cause="diverged"), "diverged", False),
        (out_of_memory(), "memory", False),
        (MemoryError(), "memory", False),
        (OSError(errno.ENOMEM, "Cannot allocate memory"), "memory", False),
        (DatasetError("x"), "data", True),
        (WeightsError("x"), "weights", False),
        (RunError("x"), "setting", False),
        (OSError(errno.ENOSPC, "No space left on device"), "disk", True),
        (ModuleNotFoundError(name="torch"), "missing", True),
        (ZeroDivisionError(), "unexpected", True),
    ],
)
def test_each_failure_has_its_advice(error, cause, resume):
    assert cause_of(error) == cause and advice_on(cause, TrainConfig()).resume == resume


def test_advice_names_what_to_enter():
    assert "0.005" in advice_on("diverged", TrainConfig(learning_rate=0.05)).words
    assert "a batch of 32" in advice_on("memory", TrainConfig(batch_size=64)).words
    assert "a smaller network" in advice_on("memory", TrainConfig(batch_size=2)).words
    assert advice_on("", TrainConfig()) == advice_on("unexpected", TrainConfig())  # a run from before causes were told


def test_a_run_that_fails_says_why_in_its_status(tmp_path, monkeypatch):
    from fer.training import trainer

    def full(*given):
        raise MemoryError

    run = RunDirectory.create(tmp_path / "gone", small(data=str(tmp_path / "no.csv")))
    with pytest.raises(DatasetError):
        worker.train(run, quiet=True)
    assert run.status()["cause"] == "data"
    run = RunDirectory.create(tmp_path / "large", small())
    monkeypatch.setattr(trainer, "run_session", full)
    with pytest.raises(MemoryError):
        worker.train(run, quiet=True)
    assert run.status()["cause"] == "memory" and "out of memory" in run.status()["message"]
