"""Save and restore everything that an interrupted run needs to continue exactly: safetensors and JSON, no pickle."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from typing import Any

import safetensors.torch
import torch
from torch import nn

from fer.errors import RunError, WeightsError
from fer.files import replace_file
from fer.models.checkpoints import read_tensors
from fer.preprocessing import Preprocessing
from fer.records import EpochRecord
from fer.training.run_directory import RunDirectory


@dataclass
class Standing:
    """A run's progress, and its state besides the tensors. epoch: the last complete one, 0 before the first.

    record: of that epoch. scaler: the state of fp16's gradient scaler.
    """

    epoch: int = 0
    best: float = -1.0
    best_epoch: int = 0
    record: EpochRecord | None = None
    preprocessing: Preprocessing | None = None
    scaler: dict[str, Any] | None = None

    def to_json(self) -> dict[str, Any]:
        """Omits values that are not set yet."""
        values: dict[str, Any] = {"epoch": self.epoch, "best": self.best, "best_epoch": self.best_epoch}
        if self.record is not None:
            values["record"] = self.record.to_json()
        if self.preprocessing is not None:
            values["preprocessing"] = self.preprocessing.to_json()
        if self.scaler is not None:
            values["scaler"] = self.scaler
        return values

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Standing:
        """From the result of `load_state`. Raises RunError for values that `to_json` did not write."""
        record, preprocessing = values.get("record"), values.get("preprocessing")
        try:
            return cls(
                epoch=int(values["epoch"]),
                best=float(values["best"]),
                best_epoch=int(values["best_epoch"]),
                record=None if record is None else EpochRecord.from_json(record),
                preprocessing=None if preprocessing is None else Preprocessing.from_json(preprocessing),
                scaler=values.get("scaler"),
            )
        except (KeyError, TypeError, ValueError, OverflowError, WeightsError) as error:
            raise RunError(
                f"The run's saved state cannot be used ({type(error).__name__}): it is damaged. Start a new run."
            ) from None


def save_state(
    run: RunDirectory,
    epoch: int,
    model: nn.Module,
    average: nn.Module,
    optimizer: torch.optim.Optimizer,
    facts: dict[str, Any],
) -> None:
    """Write state/<epoch>/ completely, then point to it. facts: JSON values that `load_state` returns."""
    folder = run.new_state(epoch)
    tensors = {f"model.{name}": value for name, value in model.state_dict().items()}
    tensors |= {f"average.{name}": value for name, value in average.state_dict().items()}
    for index, values in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{index}.{key}": value for key, value in values.items() if torch.is_tensor(value)}
    tensors["random"] = torch.get_rng_state()
    # clone: safetensors rejects tensors that share memory
    blob = safetensors.torch.save({name: value.detach().cpu().contiguous().clone() for name, value in tensors.items()})
    with open(folder / "last.safetensors", "wb") as file:
        file.write(blob)
        file.flush()
        os.fsync(file.fileno())
    values = {**facts, "epoch": epoch, "sha256": hashlib.sha256(blob).hexdigest()}
    replace_file(folder / "last.json", json.dumps(values, indent=2) + "\n")
    run.point_to(folder)


def load_state(
    run: RunDirectory, model: nn.Module, average: nn.Module, optimizer: torch.optim.Optimizer
) -> dict[str, Any] | None:
    """Restore the state after the last complete epoch; returns its facts, or None for a new run.

    Raises RunError for a damaged state, and for a missing one if the run has results that would be lost.
    """
    folder = run.current_state()
    if folder is None:
        if run.records() or run.best.is_file():
            raise RunError(
                f"The saved state of {run.id} is missing, so it cannot be resumed. Its best weights and its results "
                "are as they were. Start a new run, for example from these weights."
            )
        return None
    try:
        facts = json.loads((folder / "last.json").read_text(encoding="utf-8"))
        tensors = read_tensors(folder / "last.safetensors", facts["sha256"])
        model.load_state_dict(_under("model.", tensors))
        average.load_state_dict(_under("average.", tensors))
        state: dict[int, dict[str, torch.Tensor]] = {}
        for name, value in _under("optimizer.", tensors).items():
            index, key = name.split(".", 1)
            state.setdefault(int(index), {})[key] = value
        whole = optimizer.state_dict()
        optimizer.load_state_dict({"state": state, "param_groups": whole["param_groups"]})
        torch.set_rng_state(tensors["random"])
        if type(facts["epoch"]) is not int or facts["epoch"] < 0:
            raise ValueError("epoch")
        return facts
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RuntimeError, WeightsError) as error:
        raise RunError(
            f"The saved state of {run.id} cannot be used ({type(error).__name__}): it is damaged, or "
            "belongs to another network. Start a new run."
        ) from None


def _under(prefix: str, tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
