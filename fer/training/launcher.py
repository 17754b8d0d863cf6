"""Start runs in their own processes, which outlive the page and the server, and send them requests.

Knows nothing of PyTorch.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from fer.data.read import SYNTHETIC
from fer.data.uploads import is_upload
from fer.errors import RunError
from fer.limits import Limits, limits
from fer.locations import PACKAGE, make_folders_absolute, runs_folder
from fer.machine import cores, share_of_cores
from fer.models.weights import shipped_names
from fer.training.config import TrainConfig
from fer.training.run_about import title_of
from fer.training.run_directory import ALIVE, RunDirectory
from fer.training.run_store import free_id, list_runs

# Waiting threads sleep instead of spinning, which leaves the processor to the app and other work.
WAITING = {"OMP_WAIT_POLICY": "PASSIVE", "GOMP_SPINCOUNT": "0"}
RESUMABLE = ("stopped", "failed", "died")
_starting = threading.Lock()  # so that two runs starting at once are counted one after the other


def start(config: TrainConfig, run_id: str = "", store: Callable[[], object] = lambda: None) -> RunDirectory:
    """Create a run and its worker, queued while another trains. Raises RunError, also if fer.limits are exceeded.

    store: stores the data, if it is an upload; called only if the run is accepted, and never twice at once.
    """
    config = bounded(config)
    with _starting:
        _need_room()
        store()
        run = RunDirectory.create(runs_folder() / (run_id or free_id(config.model)), config)
        launch(run)
    return run


def bounded(config: TrainConfig) -> TrainConfig:
    """The configuration within the current limits: the number of pictures is reduced; raises RunError for the rest."""
    most = limits()
    if most.train_models and config.model not in most.train_models:
        raise RunError(
            f"On this shared demo only {' and '.join(most.train_models)} can be trained. Choose one, or "
            "train on your own machine: see docs/installation.md."
        )
    for name, highest in highest_settings().items():
        if getattr(config, name) > highest:
            raise RunError(
                f"The setting {name.replace('_', ' ')} is {getattr(config, name)}; the limit here is {highest}. "
                f"Lower it, or train on your own machine."
            )
    _check_sources(config, most)
    if most.server_paths:
        return config
    return replace(config, limit=min(config.limit or most.train_pictures, most.train_pictures))


def highest_settings() -> dict[str, int]:
    """The settings with a maximum value under the current limits."""
    most = limits()
    lengths = {"epochs": most.train_epochs, "batch_size": most.train_batch}
    return lengths if most.server_paths else {**lengths, "processes": 1, "threads": os.cpu_count() or 1}


def _check_sources(config: TrainConfig, most: Limits) -> None:
    """Check where weights and data come from. Raises RunError for too many teachers, and for paths."""
    teachers = [name for name in config.teacher.split(",") if name.strip()]
    if len(teachers) > most.train_teachers:
        raise RunError(
            f"On this shared demo a run has at most {most.train_teachers} teacher, not {len(teachers)}. "
            "Choose one, or train on your own machine."
        )
    if most.server_paths:
        return
    if not {config.init, *map(str.strip, teachers)} <= {"", *shipped_names()}:
        raise RunError("On this shared demo a run starts from scratch or from shipped weights. Choose one of these.")
    if config.data != SYNTHETIC and not is_upload(config.data):
        raise RunError("This shared demo does not read data by path. Use the synthetic faces, or upload your data.")


def _need_room() -> None:
    """Raises RunError if too many runs have a process; a paused one counts, as it holds memory too."""
    alive = sum(run.status()["state"] in ALIVE for run in list_runs())
    if alive >= limits().train_waiting:
        raise RunError(
            f"{alive} runs are already training, waiting or paused. Try again in a few minutes, or train on your own "
            "machine."
        )


def launch(run: RunDirectory) -> None:
    """Start a run's worker, for the first time or to resume. Raises RunError if another process is training it."""
    if run.is_locked():
        raise RunError(f"The run {title_of(run)} is already training, in another process.")
    environment = worker_environment(run.config.processes)
    try:
        run.withdraw("stop", "pause")
        run.write_status("queued", message="Starting.")
        with open(run.path / "log.txt", "a", encoding="utf-8") as log:
            log.write(f"--- {time.strftime('%Y-%m-%d %H:%M:%S')} worker starts\n")
            log.flush()
            process = subprocess.Popen(
                [sys.executable, "-m", "fer.training.worker", str(run.path.resolve())],
                cwd=PACKAGE.parent,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                env=environment,
            )
    except OSError as error:
        with suppress(OSError):  # a full disk may not have room even for that
            run.write_status("failed", message=f"The worker could not be started: {error.strerror}.", cause="disk")
        raise RunError(f"The run {title_of(run)} could not be started: {error.strerror}.") from None
    threading.Thread(target=process.wait, daemon=True).start()  # reap the child when it ends


def worker_environment(processes: int = 1) -> dict[str, str]:
    """Environment variables of each process of a run, and of the one that times its steps beforehand."""
    environment = {**WAITING, **os.environ, "OMP_NUM_THREADS": str(worker_threads(processes))}
    make_folders_absolute(environment)
    return environment


def worker_threads(processes: int = 1) -> int:
    """Each process's threads. One core is left to the app, unless there are one or two: a worker is nice and yields."""
    return share_of_cores(processes, spare=1 if cores() > 2 else 0)


def pause(run: RunDirectory) -> None:
    run.request("pause")


def resume(run: RunDirectory) -> None:
    """Continue a paused run from its step, and a stopped, failed or died run from its last complete epoch.

    Raises RunError, also if fer.limits are exceeded.
    """
    if run.is_locked():
        run.withdraw("pause")
        return
    config = run.config
    if bounded(config) != config:
        raise RunError(f"The run {title_of(run)} uses more pictures than this shared demo allows. Start a new one.")
    with _starting:
        _need_room()
        launch(run)


def stop(run: RunDirectory) -> None:
    run.request("stop")


def kill(run: RunDirectory) -> None:
    """End a hanging worker. Raises RunError if the process is not this run's worker."""
    pid = run.status().get("pid")
    if not run.is_locked() or not isinstance(pid, int) or not _is_worker(pid, run.path):
        raise RunError(
            f"The process of {title_of(run)} can no longer be found. Stop it by hand, or restart the machine."
        )
    os.kill(pid, signal.SIGKILL)


def _is_worker(pid: int, path: Path) -> bool:
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").rstrip("\0").replace("\0", " ")
    except OSError:
        words = _told_by_ps(pid)
    return words.endswith(f" fer.training.worker {path.resolve()}")


def _told_by_ps(pid: int) -> str:
    """A process's command line on systems without /proc, such as macOS; empty if unknown."""
    try:
        return subprocess.run(
            ["ps", "-ww", "-o", "command=", "-p", str(pid)],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=10,
            check=False,
        ).stdout.strip()
    except (OSError, subprocess.TimeoutExpired):
        return ""
