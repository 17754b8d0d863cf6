"""Workers on a Ray cluster: Ray Data with one actor per worker. Inputs are paths on storage shared by all machines."""

from __future__ import annotations

import json
import logging
import os
import socket
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from fer.batch.inputs import Input
from fer.batch.reading import Reader, Reading, Settings, read_input
from fer.errors import FerError

KNOCK_S = 10.0
GROUP = 16  # photos per task: few enough to lose little in a failure, enough to make Ray's overhead small


@contextmanager
def connected(address: str) -> Iterator[None]:
    """Join the cluster at the address, or start one on this machine for `local`, for the block. Raises FerError.

    Turns off Ray's usage reports and keeps its log in its own files.
    """
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")  # silences a warning about a future change
    import ray

    _quiet()
    known = ray.is_initialized()  # by the calling program
    if not known:
        _knock(address)
        try:
            ray.init(
                address="local" if address == "local" else address,
                include_dashboard=False if address == "local" else None,
                log_to_driver=False,
                logging_level=logging.ERROR,
            )
        except (ConnectionError, RuntimeError, ValueError, OSError) as error:
            said = str(error).partition("\n")[0][:200] or type(error).__name__
            raise FerError(f"Cannot connect to Ray at {address}: {said}") from None
    try:
        yield
    finally:
        if not known:
            ray.shutdown()


def _knock(address: str) -> None:
    """Raises FerError if nothing listens at the address; Ray itself would retry for minutes."""
    host, colon, port = address.rpartition(":")
    if not colon or not port.isdigit():
        return
    try:
        socket.create_connection((host.strip("[]"), int(port)), KNOCK_S).close()
    except (OSError, OverflowError) as error:
        said = getattr(error, "strerror", None) or "no answer"
        raise FerError(
            f"Cannot connect to Ray at {address}: {said}. Use the address printed by `ray start --head`."
        ) from None


def _quiet() -> None:
    """Silence Ray's progress bars and log lines: losing one machine would print a hundred lines."""
    import ray._private.worker
    import ray.data

    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    for name in ("ray", "ray.data"):
        logging.getLogger(name).setLevel(logging.ERROR)
    # The machines' reports go to stdout even with log_to_driver=False; only this switch stops them.
    ray._private.worker._worker_logs_enabled = False


def read_there(
    inputs: Sequence[Input],
    settings: Settings,
    workers: int,
    on_progress: Callable[[float], None] = lambda inputs_done: None,
    stopping: Callable[[], bool] = lambda: False,
) -> Generator[Reading]:
    """Read the inputs with this many actors on the `connected` cluster; yields each reading as it is finished.

    If a machine is lost, its inputs are retried elsewhere. Once stopping() returns True, does not wait for more
    readings. Raises FerError if workers cannot start.
    """
    import ray.data

    tasks = _tasks(inputs)
    dataset = ray.data.from_items(tasks, override_num_blocks=len(tasks)).map_batches(
        _Actor,
        fn_constructor_args=(json.dumps(asdict(settings)),),
        batch_size=1,
        compute=ray.data.ActorPoolStrategy(size=min(workers, len(tasks))),
        num_cpus=1,
    )
    for done, row in enumerate(dataset.iter_rows(), 1):
        if row["failed"]:
            raise FerError(row["failed"])
        yield Reading.from_line(row["reading"])
        on_progress(done)
        if stopping():
            return


def cluster_cores() -> int:
    """The number of processor cores in the cluster."""
    import ray

    return max(int(ray.cluster_resources().get("CPU", 1)), 1)


def _tasks(inputs: Sequence[Input]) -> list[dict[str, str]]:
    """One task per video, and one per group of photos."""
    photos = [given for given in inputs if not given.is_video]
    groups = [[given] for given in inputs if given.is_video]
    groups += [photos[first : first + GROUP] for first in range(0, len(photos), GROUP)]
    return [{"inputs": json.dumps([[given.name, str(given.path)] for given in group])} for group in groups]


class _Actor:
    """A worker that loads its model once."""

    def __init__(self, settings: str) -> None:
        self.failed, self.reader = "", None
        try:
            self.reader = Reader(Settings(**json.loads(settings)))
        except FerError as error:  # not raised: Ray would restart the actor endlessly
            self.failed = error.message

    def __call__(self, batch: dict[str, Any]) -> dict[str, list[str]]:
        if self.reader is None:
            return {"reading": [""], "failed": [self.failed]}
        given = [Input(name, Path(path)) for name, path in json.loads(str(batch["inputs"][0]))]
        lines = [read_input(self.reader, each).to_line() for each in given]
        return {"reading": lines, "failed": [""] * len(lines)}
