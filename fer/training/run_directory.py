"""A run's directory: what the worker writes and the page reads. Knows nothing of PyTorch.

config.json, metrics.jsonl (append-only), status.json, state/<epoch>/ and the pointer state/current,
best.safetensors and best.json, log.txt, lock (flock: held means alive), stop, pause and hold (requests);
about.json, what people call it, is fer.training.run_about's.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import IO

from fer.data.read import SYNTHETIC
from fer.errors import RunError
from fer.files import replace_file
from fer.models.weights import portable_name, settle
from fer.records import EpochRecord
from fer.training.config import TrainConfig

RUN_ID = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9 ._-]{0,78}[A-Za-z0-9._-])?")
# What an interrupted write leaves of a worker's own files: fer.files.replacing's, and fer.models.weights' next ones.
HALF_WRITTEN = re.compile(
    r"\.{1,2}(?:(?:about|best|config|last|status|watch)\.json|(?:metrics|watch)\.jsonl"
    r"|(?:answers-\d+|best|last)\.safetensors|best\.onnx|current)\..+"
)
ALIVE = ("queued", "running", "paused")  # states with a process
SILENT_S = 60.0  # a living worker without a heartbeat for this long hangs
QUEUE_GRACE_S = 60.0  # a queued run's process may take this long to start
LOCK_PATIENCE_S = 1.0
NUMBER = (int, float)
STATUS_KINDS: dict[str, type | tuple[type, ...]] = {
    "state": str,
    "message": str,
    "cause": str,
    "heartbeat": NUMBER,
    "queued_at": NUMBER,
    "left_s": NUMBER,
    "best": NUMBER,
    "best_epoch": int,
    "epoch": int,
    "epochs": int,
    "step": int,
    "steps": int,
    "pid": int,
}


def new_run_id(model: str) -> str:
    return f"{datetime.now():%Y%m%d-%H%M%S}-{model}"


def bad_name(name: object) -> RunError:
    return RunError(
        f"Run names may use letters, digits, spaces, . _ - and at most 80 characters. {str(name)[:80]!r} is not valid."
    )


def shown_state(status: dict) -> str:
    """The state to display: a resumed run that waits for its turn is queued, although its worker is still paused."""
    return "queued" if status["state"] == "paused" and "queued_at" in status else status["state"]


def _fits(name: str, value: object) -> bool:
    """Whether a value of status.json has the right type; unknown keys may hold anything."""
    kind = STATUS_KINDS.get(name, object)
    if kind in (int, NUMBER) and (isinstance(value, bool) or not isinstance(value, NUMBER) or not abs(value) < 2**53):
        return False
    return isinstance(value, kind)


def _changed(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


class RunDirectory:
    """One run on disk. Reading never needs the lock; only the worker that holds it writes."""

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)

    @classmethod
    def create(cls, path: Path | str, config: TrainConfig) -> RunDirectory:
        """Raises RunError if the run exists already, the folder has other files, or it cannot be created.

        Paths in the configuration become absolute, since a resume may come from another working directory.
        """
        run, config = cls(path), _with_absolute_paths(config)
        if not RUN_ID.fullmatch(run.path.name):
            raise bad_name(run.path.name)
        if os.path.exists(run.path / "config.json"):
            raise RunError(f"There is already a run {run.path.name}. Resume it, or choose another name.")
        was_there = os.path.exists(run.path)
        try:
            run.path.mkdir(parents=True, exist_ok=True)
            if any(run.path.iterdir()):
                raise RunError(f"The folder {run.path.name} has other files. Name a new or empty folder for the run.")
            replace_file(run.path / "config.json", json.dumps(config.to_json(), indent=2) + "\n")
            run.write_status("queued")
        except OSError as error:
            if not was_there:  # leave nothing half made
                shutil.rmtree(run.path, ignore_errors=True)
            raise RunError(f"The run's folder cannot be created: {error.strerror}.") from None
        return run

    @classmethod
    def open(cls, path: Path | str) -> RunDirectory:
        run = cls(path)
        if not os.path.isfile(run.path / "config.json"):
            raise RunError(f"{run.path.name} is not a run: it has no config.json.")
        return run

    @property
    def id(self) -> str:
        return self.path.name

    @property
    def config(self) -> TrainConfig:
        return TrainConfig.read(self.path / "config.json")

    @property
    def best(self) -> Path:
        return self.path / "best.safetensors"

    def write_status(self, state: str, **details: object) -> None:
        """state: queued, running, paused, stopped, finished or failed. `heartbeat` is the time of writing."""
        values = {"state": state, "heartbeat": time.time(), "pid": os.getpid(), **details}
        replace_file(self.path / "status.json", json.dumps(values) + "\n")

    def status(self) -> dict:
        """The last written status. A worker that ended without a final status reads as `died`; one that lives but has
        been silent for long has `silent_s`, the seconds since its last heartbeat."""
        values = self._written_status()
        waits = values["state"] == "queued" and time.time() - values["heartbeat"] < QUEUE_GRACE_S
        if values["state"] in ALIVE and not waits and not self.is_locked():
            values = self._written_status()  # it may have ended between the two reads
            if values["state"] in ALIVE:
                values["state"] = "died"
        silent = time.time() - values["heartbeat"]
        if values["state"] in ALIVE and silent > SILENT_S and self.is_locked():
            values["silent_s"] = silent
        return values

    def _written_status(self) -> dict:
        try:
            values = json.loads((self.path / "status.json").read_text(encoding="utf-8"))
            known = {name: value for name, value in values.items() if _fits(name, value)}
            return {**known, "state": known["state"], "heartbeat": float(known["heartbeat"])}
        except (OSError, ValueError, KeyError, AttributeError, OverflowError, RecursionError):
            return {"state": "queued", "heartbeat": _changed(self.path)}

    def append(self, record: EpochRecord) -> None:
        with open(self.path / "metrics.jsonl", "a", encoding="utf-8") as file:
            file.write(json.dumps(record.to_json()) + "\n")
            file.flush()
            os.fsync(file.fileno())

    def records(self) -> list[EpochRecord]:
        """All complete records, ordered by epoch; of a repeated epoch, the last one written."""
        try:
            lines = (self.path / "metrics.jsonl").read_bytes().splitlines(keepends=True)
        except OSError:
            return []
        found: dict[int, EpochRecord] = {}
        for line in lines:
            # The worker may be mid-write: a line without its newline is not a record yet.
            if not line.endswith(b"\n"):
                continue
            try:
                record = EpochRecord.from_json(json.loads(line))
            except (ValueError, RecursionError):
                continue
            found[record.epoch] = record
        return [found[epoch] for epoch in sorted(found)]

    def drop_records_after(self, epoch: int, last: EpochRecord | None = None) -> None:
        """Before a resume, drop epochs that were recorded but not saved, and an incomplete last line.

        last: the record saved with the state, restored if the worker was killed before recording it.
        """
        kept = [record for record in self.records() if record.epoch <= epoch]
        if last is not None and last.epoch == epoch and not any(record.epoch == epoch for record in kept):
            kept.append(last)
        lines = (json.dumps(record.to_json()) for record in kept)
        replace_file(self.path / "metrics.jsonl", "".join(f"{line}\n" for line in lines))

    # --- the resumable state: a new folder per epoch, then one pointer is replaced ---

    def current_state(self) -> Path | None:
        """The folder of the last complete state, or None before the first.

        If the pointer to it is lost, or names an incomplete one, the newest.
        """
        try:
            name = (self.path / "state" / "current").read_text(encoding="utf-8").strip()
        except (OSError, ValueError):
            name = ""
        folder = self.path / "state" / name
        # last.json is written last, and only when the tensors are on the disk
        whole = [each for each in self._states() if os.path.isfile(each / "last.json")]
        return folder if folder in whole else max(whole, key=lambda each: int(each.name), default=None)

    def _states(self) -> list[Path]:
        return [each for each in (self.path / "state").glob("*/") if each.name.isdecimal()]

    def new_state(self, epoch: int) -> Path:
        folder = self.path / "state" / f"{epoch:04d}"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        return folder

    def point_to(self, folder: Path) -> None:
        """Make `folder` the current state, then remove the others."""
        replace_file(self.path / "state" / "current", folder.name + "\n")
        self._remove_states_except(folder)

    def _remove_states_except(self, kept: Path) -> None:
        for other in self._states():
            if other != kept:
                shutil.rmtree(other, ignore_errors=True)

    # --- requests and liveness ---

    def request(self, what: str) -> None:
        """Request the worker to `stop` or `pause`."""
        (self.path / what).touch()

    def requested(self, what: str) -> bool:
        return (self.path / what).exists()

    def withdraw(self, *what: str) -> None:
        for name in what:
            (self.path / name).unlink(missing_ok=True)

    def is_locked(self) -> bool:
        """Whether a worker lives. Takes a shared lock for an instant; a starting worker waits for its release."""
        try:
            with open(self.path / "lock") as file:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
                return False
        except BlockingIOError:
            return True
        except OSError:
            return False  # no lock file: no worker has started yet

    @contextmanager
    def lock(self) -> Iterator[IO]:
        """Lock the run as its only worker. Raises RunError if another process has the lock; a dying process frees it.

        Yields the open lock file, which a child process may inherit to keep the lock.
        """
        with open(self.path / "lock", "a") as file:
            deadline = time.monotonic() + LOCK_PATIENCE_S
            while not _try_lock(file):
                if time.monotonic() > deadline:
                    raise RunError(f"The run {self.id} is already training, in another process.")
                time.sleep(0.02)
            try:
                yield file
            finally:
                fcntl.flock(file, fcntl.LOCK_UN)

    def sweep(self) -> None:
        """Remove the files of interrupted writes; only for the worker that holds the lock."""
        settle(self.best)
        for file in [*self.path.glob(".*"), *(self.path / "state").glob(".*")]:
            if file.is_file() and HALF_WRITTEN.fullmatch(file.name):
                file.unlink(missing_ok=True)
        if current := self.current_state():
            self._remove_states_except(current)


def _with_absolute_paths(config: TrainConfig) -> TrainConfig:
    is_path = config.data != SYNTHETIC and os.path.exists(config.data)
    teachers = [portable_name(name.strip()) for name in config.teacher.split(",")]
    return replace(
        config,
        data=os.path.abspath(config.data) if is_path else config.data,
        init=portable_name(config.init),
        # A comma in the working directory's own name would read as one more teacher.
        teacher=config.teacher if any("," in name for name in teachers) else ",".join(teachers),
    )


def _try_lock(file: IO) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    except OSError:
        return False
