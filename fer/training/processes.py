"""Run several processes for one run: PyTorch's elastic launcher starts them, and this process watches the launcher.

Across machines, start the launcher on each by hand (docs/training.md); the first process then holds the run's lock.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable

from fer.errors import RunError
from fer.records import EpochRecord
from fer.training.run_directory import RunDirectory
from fer.training.stop_signal import StopSignal

LOOK_S = 0.3
ENDED = ("finished", "stopped", "failed")


def supervise(
    run: RunDirectory, processes: int, held: tuple[int, ...], on_epoch: Callable[[EpochRecord], None] | None = None
) -> str:
    """Run `torchrun` on this machine until the run ends; returns its state. Raises RunError if a process died.

    held: open lock files, inherited by the launcher so that the run stays locked while it lives.
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
    threads = str(max((os.cpu_count() or 1) // processes, 1))
    environment = {"OMP_NUM_THREADS": threads, **os.environ, "FER_SUPERVISED": "1"}
    launcher = subprocess.Popen(
        command,
        env=environment,
        pass_fds=held,
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


def _tell(run: RunDirectory, told: int, on_epoch: Callable[[EpochRecord], None] | None) -> int:
    """Report the epochs recorded since; returns the last one reported."""
    if on_epoch is None:
        return told
    for record in run.records():
        if record.epoch > told:
            on_epoch(record)
            told = record.epoch
    return told
