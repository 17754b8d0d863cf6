"""Training's session state: the view, the form's values, the visitor's runs, the watched epochs, a deletion."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from streamlit.runtime.uploaded_file_manager import UploadedFile

from fer.app.session import RecentSlot, Slot
from fer.limits import hosted
from fer.training.config import TrainConfig
from fer.training.run_store import UNDO_S

if TYPE_CHECKING:
    from fer.app.training.data_report import Sheet
    from fer.data.report import DataReport

MAX_REPORTS = 4
DATA = "data"  # the page's choice of data
View = Literal["run", "new", "compare"]
Setting = str | int | float


@dataclass(frozen=True)
class TrainingData:
    """A form's data. path: as --data takes it; of an upload, where it is stored once the run starts.

    name: an upload's file name. upload: itself, unless an earlier run has stored it.
    """

    path: str
    name: str = ""
    upload: UploadedFile | None = None


@dataclass
class Form:
    """A form's values, which outlive its widgets.

    preset: the current one, empty for the first. changes: by preset, the settings that differ from it. data: an earlier
    run's data, if the form was filled from it. upload: its file name, if it was uploaded. version: increased when
    values are set from outside, to create new widgets.
    """

    preset: str = ""
    changes: dict[str, dict[str, Setting]] = field(default_factory=dict)
    data: str = ""
    upload: str = ""
    version: int = 0

    def changed(self, preset: str) -> dict[str, Setting]:
        return self.changes.setdefault(preset, {})


@dataclass(frozen=True)
class Deleted:
    """A deleted run that can still be restored. aside: its temporary folder."""

    aside: Path
    title: str
    until_s: float = field(default_factory=lambda: time.time() + UNDO_S)


view: Slot[View | None] = Slot("training_view", lambda: None)  # None: the page's default
watched: Slot[str] = Slot("watched_run", str)  # the run shown last
form: Slot[Form] = Slot("training_form", Form)
# The form's settings, and the estimated seconds for such a run.
expected: Slot[tuple[TrainConfig, float] | None] = Slot("expected_duration", lambda: None)
# The reports on the data, with a contact sheet per class, keyed by the data's path, faces, classes and version.
reports: RecentSlot[tuple[str, str, str, str], tuple[DataReport, dict[str, Sheet]]] = RecentSlot(
    "data_reports", MAX_REPORTS
)
_deleted: Slot[list[Deleted]] = Slot("deleted_runs", list)  # the last one last
_last_form: Slot[int] = Slot("last_form", int)
_started_form: Slot[int] = Slot("started_form", int)
_own_runs: Slot[set[str]] = Slot("own_runs", set)
_watched_epochs: Slot[dict[str, int | None]] = Slot("watched_epochs", dict)
_remedy: Slot[dict[str, str]] = Slot("chosen_remedy", dict)  # for one data set


def new_form() -> int:
    """The number of the form on the page, which starts only one run."""
    number = _last_form.get() + 1
    _last_form.set(number)
    return number


def has_started(form: int) -> bool:
    """Whether this form has started a run."""
    return form <= _started_form.get()


def mark_started(form: int) -> None:
    _started_form.set(form)


def add_own_run(run_id: str) -> None:
    """Record that this visitor started or restored the run."""
    _own_runs.get().add(run_id)


def remove_own_run(run_id: str) -> None:
    """Forget the run, since another visitor may reuse its name."""
    _own_runs.get().discard(run_id)


def is_own_run(run_id: str) -> bool:
    return run_id in _own_runs.get()


def may_change(run_id: str) -> bool:
    """Whether this visitor may pause, stop, rename or delete a run: on the shared demo only their own."""
    return not hosted() or is_own_run(run_id)


def add_deleted(deleted: Deleted) -> None:
    _deleted.get().append(deleted)


def forget_deleted(deleted: Deleted) -> None:
    """The run was restored."""
    _deleted.set([other for other in _deleted.get() if other != deleted])


def deleted() -> Deleted | None:
    """The run deleted last, if it can still be restored."""
    there = [found for found in _deleted.get() if time.time() < found.until_s]
    return there[-1] if there else None


def watched_epoch(run_id: str) -> int | None:
    """The epoch whose watched faces are shown; None follows the newest."""
    return _watched_epochs.get().get(run_id)


def watch_epoch(run_id: str, epoch: int | None) -> None:
    _watched_epochs.get()[run_id] = epoch


def remedy(data: str) -> str:
    """The remedy for imbalance chosen for this data: none, sampling or weights."""
    return _remedy.get().get(data, "none")


def forget_data() -> None:
    """Other data is to be chosen."""
    form.get().data = form.get().upload = ""


def forget_report(digest: str) -> None:
    """Drop what was read of an upload."""
    read = reports.get()
    for key in [key for key in read if Path(key[0]).parent.name == digest]:
        del read[key]


def forget_remedy() -> None:
    _remedy.set({})


def choose_remedy(name: str, data: str) -> None:
    _remedy.set({data: name})
    for changes in form.get().changes.values():  # overrides an earlier manual setting
        changes.pop("balance", None)
