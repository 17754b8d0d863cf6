"""One run at a time: queued workers wait, first come, first served, for their runs folder's lock.

Each waits in its own process, so that the queue continues without the app. Knows nothing of PyTorch.
"""

from __future__ import annotations

import fcntl
import time
from collections.abc import Callable
from pathlib import Path

from fer.training.run_about import read_about
from fer.training.run_directory import RunDirectory

LOOK_S = 0.4
BEAT_S = 5.0


class Turn:
    """One run's turn among the runs of its folder; held while it trains, released while it is paused."""

    def __init__(self, run: RunDirectory) -> None:
        self.run = run
        self._file = open(run.path.parent / ".turn", "a")  # noqa: SIM115  lives as long as the worker

    def try_take(self) -> bool:
        """Take the turn if it is free, bypassing the queue."""
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except OSError:
            return False

    def wait(self, cancelled: Callable[[], bool], state: str = "queued", **details: object) -> bool:
        """Wait behind all runs that queued earlier; returns False if `cancelled` becomes true first.

        state, details: for the status, such as the progress of a run that was paused.
        """
        since, beat = time.time(), 0.0
        while not cancelled():
            if time.monotonic() - beat > BEAT_S:
                beat = time.monotonic()
                self.run.write_status(state, **details, queued_at=since, message="Waiting for its turn.")
            ahead = [
                other
                for other in queue(self.run.path.parent)
                if other.id != self.run.id and other.status().get("queued_at", since) < since
            ]
            if not ahead and self.try_take():
                return True
            time.sleep(LOOK_S)
        return False

    def release(self) -> None:
        fcntl.flock(self._file, fcntl.LOCK_UN)

    def fileno(self) -> int:
        return self._file.fileno()


def queue(runs_folder: Path) -> list[RunDirectory]:
    """The runs waiting for their turn, the next one first."""
    waiting = []
    for file in runs_folder.glob("*/status.json"):
        run = RunDirectory(file.parent)
        status = run.status()
        if "queued_at" in status and status["state"] in ("queued", "paused") and run.is_locked():
            waiting.append((status["queued_at"], run.id, run))
    return [run for _, _, run in sorted(waiting, key=lambda row: row[:2])]


def expected_wait_s(run: RunDirectory) -> float | None:
    """Estimated seconds until a queued run's turn: the rest of the training run, and all runs queued earlier.

    None if the time of one of them is unknown.
    """
    training = [
        other
        for file in run.path.parent.glob("*/status.json")
        if (other := RunDirectory(file.parent)).status()["state"] == "running"
    ]
    waiting = queue(run.path.parent)
    ahead = waiting[: next((place for place, other in enumerate(waiting) if other.id == run.id), 0)]
    rests = [_rest_s(other) for other in (*training, *ahead)]
    known = [rest for rest in rests if rest is not None]
    return sum(known) if len(known) == len(rests) else None


def _rest_s(run: RunDirectory) -> float | None:
    """Seconds that the run still takes: from its own speed, else from the estimate at its start."""
    return run.status().get("left_s") or read_about(run).expected_s or None
