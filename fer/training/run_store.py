"""The runs folder: list, name, rename, delete and restore runs.

Knows nothing of PyTorch.
"""

from __future__ import annotations

import os
import shutil
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from fer.errors import RunError
from fer.locations import runs_folder
from fer.training.run_about import checked_title, read_about, title_of, write_about
from fer.training.run_directory import RUN_ID, RunDirectory, bad_name, new_run_id

DELETED = ".deleted"  # in the runs folder: deleted runs that can still be restored
UNDO_S = 600.0


def list_runs() -> list[RunDirectory]:
    """All runs, newest first."""
    folder = runs_folder()
    found = [file.parent for file in folder.glob("*/config.json") if RUN_ID.fullmatch(file.parent.name)]
    return [RunDirectory(path) for path in sorted(found, key=_born, reverse=True)]


def find_run(run_id: str) -> RunDirectory:
    """A run by its id, which may come from an untrusted URL. Raises RunError for anything else."""
    return RunDirectory.open(runs_folder() / checked_id(run_id))


def checked_id(run_id: str) -> str:
    if not isinstance(run_id, str) or not RUN_ID.fullmatch(run_id):
        raise bad_name(run_id)
    return run_id


def free_id(model: str) -> str:
    """A new run's id: date, time and model, plus a number if taken. Raises RunError for an invalid model name."""
    base = checked_id(new_run_id(model))
    number, name = 1, base
    while (runs_folder() / name).exists():
        number += 1
        name = f"{base}-{number}"
    return name


def free_title(title: str, run: RunDirectory) -> str:
    """A title for this run, plus a number if another run has it."""
    taken = {title_of(other) for other in list_runs() if other.id != run.id}
    number, name = 1, title
    while name in taken:
        number += 1
        name = f"{title} ({number})"
    return name


def rename_run(run: RunDirectory, title: str) -> None:
    """Change the title; the id and all addresses stay. Raises RunError if the title is invalid or taken."""
    title = checked_title(title)
    if any(title in (title_of(other), other.id) for other in list_runs() if other.id != run.id):
        raise RunError(f"There is already a run called {title}. Choose another name.")
    write_about(run, replace(read_about(run), title=title))


def delete_run(run: RunDirectory) -> Path:
    """Move the whole directory aside, weights included; returns its place until `purge_deleted`.

    Raises RunError while the run is training.
    """
    if run.is_locked():
        raise RunError(f"The run {title_of(run)} is training. Stop it, then delete it.")
    aside = run.path.parent / DELETED / f"{time.time():.3f}-{run.id}"
    try:
        if run.path.is_symlink():
            raise OSError(0, "it is a link to another folder")
        aside.parent.mkdir(exist_ok=True)
        os.rename(run.path, aside)
    except OSError as error:
        raise RunError(f"The run {title_of(run)} cannot be deleted: {error.strerror}.") from None
    return aside


def restore_run(aside: Path) -> RunDirectory:
    """Undo `delete_run`. Raises RunError if it is too late, or if another run has the name."""
    run = RunDirectory(aside.parent.parent / aside.name.partition("-")[2])
    if run.path.exists():
        raise RunError(f"There is already a run {run.id}. Delete it first to restore the other one.")
    try:
        os.rename(aside, run.path)
    except OSError:
        raise RunError("This run can no longer be restored.") from None
    return run


def purge_deleted(before_s: float) -> None:
    """Permanently remove runs that were deleted before that time."""
    for aside in (runs_folder() / DELETED).glob("*"):
        with suppress(ValueError):
            if float(aside.name.partition("-")[0]) < before_s:
                shutil.rmtree(aside, ignore_errors=True)


def _born(path: Path) -> float:
    try:
        return (path / "config.json").stat().st_mtime
    except OSError:
        return 0.0
