"""Search for better settings, seeded: each trial is a run; Optuna proposes settings, validation accuracy ranks them."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import cast

import optuna

from fer.errors import FerError, RunError
from fer.locations import runs_folder
from fer.training.config import CHOICES, Balance, TrainConfig
from fer.training.run_directory import RunDirectory
from fer.training.run_store import free_id
from fer.training.worker import train

SEARCHED = ("learning_rate", "weight_decay", "label_smoothing", "dropout", "erasing", "mixup", "balance")


def propose(trial: optuna.Trial, config: TrainConfig) -> TrainConfig:
    """Propose one setting: the learning rate from a fifth to twice the given one, regularizers within usual ranges."""
    balances = [one for one in CHOICES["balance"] if config.allows_balance(one)]
    return replace(
        config,
        learning_rate=trial.suggest_float(
            "learning_rate", config.learning_rate / 5, config.learning_rate * 2, log=True
        ),
        weight_decay=trial.suggest_float("weight_decay", 1e-5, 1e-3, log=True),
        label_smoothing=trial.suggest_float("label_smoothing", 0.0, 0.15),
        dropout=trial.suggest_float("dropout", 0.0, 0.4),
        erasing=trial.suggest_float("erasing", 0.0, 0.5),
        mixup=trial.suggest_float("mixup", 0.0, 0.4),
        balance=cast(Balance, trial.suggest_categorical("balance", balances)),
    )


def run_search(config: TrainConfig, trials: int, out: Path | None = None, as_json: bool = False) -> int:
    """Train `trials` runs, <out>-01 and so on, one after the other; prints a table, best first.

    The first trial uses the given settings. Stopping a run ends the search; a failed run counts as 0.
    """
    if trials < 1:
        raise RunError(f"A search needs at least 1 trial, got {trials}.")
    base = out or runs_folder() / f"{free_id(config.model)}-search"
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=config.seed))
    rows = []
    for number in range(1, trials + 1):
        trial = study.ask()
        settings = propose(trial, config) if number > 1 else config
        run = RunDirectory.create(base.with_name(f"{base.name}-{number:02d}"), settings)
        print(f"run {run.path}", file=sys.stderr)
        try:
            state = train(run, quiet=True)
        except FerError as error:
            print(error.message, file=sys.stderr)
            state = "failed"
        best = max((record.validation_accuracy for record in run.records()), default=0.0)
        if number > 1:
            study.tell(trial, best)
        else:  # the sampler did not propose the given settings
            study.tell(trial, state=optuna.trial.TrialState.FAIL)
        rows.append(
            {
                "run": run.id,
                "state": state,
                "accuracy": round(best, 4),
                **{name: _short(getattr(settings, name)) for name in SEARCHED},
            }
        )
        if as_json:
            print(json.dumps(rows[-1]), flush=True)
        if state == "stopped":
            break
    if not as_json:
        print(table(rows))
    return 0


def table(rows: list[dict]) -> str:
    """The trials as text, best first."""
    ranked = sorted(rows, key=lambda row: -row["accuracy"])
    cells = [list(ranked[0]), *([str(value) for value in row.values()] for row in ranked)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells
    )


def _short(value: object) -> object:
    return float(f"{value:.3g}") if isinstance(value, float) else value
