"""What Training remembers of a visitor: the view, the forms, the remedy, their own runs, the watched epochs."""

from __future__ import annotations

from typing import Literal

from fer.app.session import Slot
from fer.limits import hosted

View = Literal["run", "new", "compare"]

view: Slot[View] = Slot("training_view", lambda: "run")
_last_form: Slot[int] = Slot("last_form", int)
_started_form: Slot[int] = Slot("started_form", int)
_own_runs: Slot[set[str]] = Slot("own_runs", set)
_watched_epochs: Slot[dict[str, int | None]] = Slot("watched_epochs", dict)
_remedy: Slot[dict[str, str]] = Slot("chosen_remedy", dict)  # for one data set


def new_form() -> int:
    """The number of a form that goes on the page: it starts one run and no second one."""
    number = _last_form.get() + 1
    _last_form.set(number)
    return number


def has_started(form: int) -> bool:
    """Whether a run was started from this form already."""
    return form <= _started_form.get()


def mark_started(form: int) -> None:
    _started_form.set(form)


def add_own_run(run_id: str) -> None:
    """This visitor started or renamed that run."""
    _own_runs.get().add(run_id)


def remove_own_run(run_id: str) -> None:
    """That name is free again, for another visitor's run."""
    _own_runs.get().discard(run_id)


def may_change(run_id: str) -> bool:
    """Whether this visitor may pause, stop, rename or delete a run: on the shared demo only their own."""
    return not hosted() or run_id in _own_runs.get()


def watched_epoch(run_id: str) -> int | None:
    """The epoch whose watched faces are shown; None follows the newest."""
    return _watched_epochs.get().get(run_id)


def watch_epoch(run_id: str, epoch: int | None) -> None:
    _watched_epochs.get()[run_id] = epoch


def remedy(data: str) -> str:
    """The remedy for imbalance that was chosen for this data: none, sampling or weights."""
    return _remedy.get().get(data, "none")


def choose_remedy(name: str, data: str) -> None:
    _remedy.set({data: name})
