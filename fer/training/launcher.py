"""Start runs as processes of their own, which outlive the page and the server, and tell them what is wished.

Knows nothing of PyTorch.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from fer.errors import RunError
from fer.training.config import TrainConfig
from fer.training.runs import RunDirectory
from fer.training.shelf import REPOSITORY, free_id, runs_folder

# Threads that wait for each other sleep instead of spinning: the app and other work get the processor.
WAITING = {"OMP_WAIT_POLICY": "PASSIVE", "GOMP_SPINCOUNT": "0"}
RESUMABLE = ("stopped", "failed", "died")


def start(config: TrainConfig, run_id: str = "") -> RunDirectory:
    """Create a run and its worker; it queues while another one trains. Raises RunError."""
    run = RunDirectory.create(runs_folder() / (run_id or free_id(config.model)), config)
    launch(run)
    return run


def launch(run: RunDirectory) -> None:
    """Start the worker of a run that no process holds: at the first start, or to resume it."""
    if run.is_locked():
        raise RunError(f"The run {run.id} is being trained already, by another process.")
    run.withdraw("stop", "pause")
    run.write_status("queued", message="Starting.")
    try:
        with open(run.path / "log.txt", "a", encoding="utf-8") as log:
            log.write(f"--- {time.strftime('%Y-%m-%d %H:%M:%S')} worker starts\n")
            log.flush()
            process = subprocess.Popen(
                [sys.executable, "-m", "fer.training.worker", str(run.path.resolve())], cwd=REPOSITORY,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                env={**WAITING, **os.environ, "OMP_NUM_THREADS": str(worker_threads())})
    except OSError as error:
        run.write_status("failed", message=f"The worker could not be started: {error.strerror}.")
        raise RunError(f"The run {run.id} could not be started: {error.strerror}.") from None
    threading.Thread(target=process.wait, daemon=True).start()  # so that no ended child lingers


def worker_threads() -> int:
    """Of many cores one is left for the app; of one or two none, since the worker is nice and gives way."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return cores - 1 if cores > 2 else cores


def pause(run: RunDirectory) -> None:
    run.request("pause")


def resume(run: RunDirectory) -> None:
    """Go on: a paused run from its very step, a stopped, failed or died one from its last whole epoch."""
    if run.is_locked():
        run.withdraw("pause")
    else:
        launch(run)


def stop(run: RunDirectory) -> None:
    run.request("stop")


def kill(run: RunDirectory) -> None:
    """End a worker that hangs. Raises RunError where the process is not this run's worker."""
    pid = run.status().get("pid")
    if not run.is_locked() or not isinstance(pid, int) or not _is_worker(pid, run.path):
        raise RunError(f"The process of {run.id} cannot be told any more. Stop it by hand, or restart the machine.")
    os.kill(pid, signal.SIGKILL)


def _is_worker(pid: int, path: Path) -> bool:
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return False
    return "fer.training.worker" in words and str(path.resolve()) in words
