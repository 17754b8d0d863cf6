"""Run several processes for one run: PyTorch's elastic launcher starts them, and this process watches the launcher.

Across machines, start the launcher on each by hand (docs/training.md); the first process then holds the run's lock.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from typing import IO

from fer.errors import RunError
from fer.machine import share_of_cores
from fer.records import EpochRecord
from fer.training.run_directory import RunDirectory
from fer.training.run_queue import Turn
from fer.training.stop_signal import StopSignal

SUPERVISED = "FER_SUPERVISED"  # set for processes whose parent holds the run's lock and turn
HOLD = "hold"  # the parent's request to pause: lasts until it has the turn again
PROGRESS = ("epoch", "epochs", "step", "steps", "left_s")  # in the status
LOOK_S = 0.3
ENDED = ("finished", "stopped", "failed")


def supervise(
    run: RunDirectory,
    processes: int,
    lock: IO | None,
    turn: Turn,
    on_epoch: Callable[[EpochRecord], None] | None = None,
) -> str:
    """Run `torchrun` on this machine until the run ends; returns its state. Raises RunError if a process died.

    lock, turn: inherited by the launcher, so that the run stays locked while it lives.
    """
    stop, asked, told = StopSignal(patient=True), False, 0
    command = [
        sys.executable,
        "-m",
        "torch.distributed.run",
        "--standalone",
        f"--nproc-per-node={processes}",
        "-m",
        "fer.training.worker",
        str(run.path.resolve()),
    ]
    # The app has already set each process's share; on the command line, the user may have.
    environment = {"OMP_NUM_THREADS": str(share_of_cores(processes)), **os.environ, SUPERVISED: "1"}
    run.withdraw(HOLD)
    launcher = subprocess.Popen(
        command,
        env=environment,
        pass_fds=[file.fileno() for file in (lock, turn) if file is not None],
        start_new_session=True,
        stdin=subprocess.DEVNULL,
        stdout=sys.stderr.fileno(),
        stderr=sys.stderr.fileno(),
    )
    try:
        while launcher.poll() is None:
            if stop.asked and not asked:
                run.request("stop")
                asked = True
            _pass_on_pause(run, turn, lambda: stop.asked or launcher.poll() is not None)
            told = _tell(run, told, on_epoch)
            time.sleep(LOOK_S)
    finally:
        if launcher.poll() is None:
            launcher.terminate()
            launcher.wait()
    _tell(run, told, on_epoch)
    status = run.status()
    if launcher.returncode == 0 and status["state"] in ENDED:
        return status["state"]
    reason = status.get("message") if status["state"] == "failed" else None
    raise RunError(
        reason or "One of the run's processes ended unexpectedly. Resume continues from the last complete epoch.",
        cause=status.get("cause") or "lost",
    )


def _pass_on_pause(run: RunDirectory, turn: Turn, ended: Callable[[], bool]) -> None:
    """Pause the processes on request, and give up the turn meanwhile; they go on once it is this run's turn again."""
    if run.requested("pause"):
        run.request(HOLD)
        if run.status()["state"] == "paused":
            turn.release()
    elif run.requested(HOLD):
        turn.release()
        progress = {name: value for name, value in run.status().items() if name in PROGRESS}
        if turn.wait(lambda: ended() or run.requested("stop") or run.requested("pause"), "paused", **progress):
            run.withdraw(HOLD)


def _tell(run: RunDirectory, told: int, on_epoch: Callable[[EpochRecord], None] | None) -> int:
    """Report the epochs recorded since; returns the last one reported."""
    if on_epoch is None:
        return told
    for record in run.records():
        if record.epoch > told:
            on_epoch(record)
            told = record.epoch
    return told
