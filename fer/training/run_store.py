"""The runs folder: what is there, by which name, and how a run is renamed or deleted. Knows nothing of PyTorch."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from fer.errors import RunError
from fer.locations import runs_folder
from fer.training.run_directory import RUN_ID, RunDirectory, new_run_id


def list_runs() -> list[RunDirectory]:
    """All runs, the newest first."""
    folder = runs_folder()
    found = [file.parent for file in folder.glob("*/config.json") if RUN_ID.fullmatch(file.parent.name)]
    return [RunDirectory(path) for path in sorted(found, key=_born, reverse=True)]


def find_run(run_id: str) -> RunDirectory:
    """A run by its id, which may come from a stranger's address line. Raises RunError for anything else."""
    return RunDirectory.open(runs_folder() / checked_id(run_id))


def checked_id(run_id: str) -> str:
    if not isinstance(run_id, str) or not RUN_ID.fullmatch(run_id):
        raise RunError(f"{str(run_id)[:80]!r} is no name for a run. Use letters, digits, '.', '_' and '-', 80 at most.")
    return run_id


def free_id(model: str) -> str:
    """A new run's id: date, time and model, counted on where that is taken. Raises RunError for a model of no name."""
    base = checked_id(new_run_id(model))
    number, name = 1, base
    while (runs_folder() / name).exists():
        number += 1
        name = f"{base}-{number}"
    return name


def rename_run(run: RunDirectory, new_id: str) -> RunDirectory:
    """Raises RunError where the name is bad or taken, or while the run is being trained."""
    _need_quiet(run, "renamed")
    target = run.path.parent / checked_id(new_id)
    if target.exists():
        raise RunError(f"There is a run {new_id} already. Choose another name.")
    os.rename(run.path, target)
    return RunDirectory(target)


def delete_run(run: RunDirectory) -> None:
    """Remove the directory and all that is in it, weights too. Raises RunError while the run is being trained."""
    _need_quiet(run, "deleted")
    try:
        shutil.rmtree(run.path)
    except OSError as error:
        raise RunError(f"The run {run.id} cannot be deleted: {error.strerror}.") from None


def _need_quiet(run: RunDirectory, verb: str) -> None:
    if run.is_locked():
        raise RunError(f"The run {run.id} is being trained. Stop it before it can be {verb}.")


def _born(path: Path) -> float:
    try:
        return (path / "config.json").stat().st_mtime
    except OSError:
        return 0.0
