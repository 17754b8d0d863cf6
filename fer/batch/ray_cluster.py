"""Workers on a Ray cluster: Ray Data with one actor a worker, inputs by path on storage that all machines share."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from fer.batch.inputs import Input
from fer.batch.reading import Reader, Reading, Settings, read_input
from fer.errors import FerError

GROUP = 16  # photos a task: few enough to lose little, enough to make Ray's own work small beside theirs


def connect(address: str) -> None:
    """Join the cluster at the address, or start one on this machine for `local`. Raises FerError.

    Ray's usage report is off, and its log stays in its own files.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    import ray

    if ray.is_initialized():
        return
    try:
        ray.init(
            address=None if address == "local" else address,
            include_dashboard=False if address == "local" else None,
            log_to_driver=False,
            logging_level=logging.ERROR,
        )
    except (ConnectionError, RuntimeError, ValueError) as error:
        said = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        raise FerError(f"There is no Ray cluster at {address}: {said}") from None


def read_there(
    inputs: Sequence[Input],
    settings: Settings,
    workers: int,
    on_progress: Callable[[float], None] = lambda inputs_done: None,
    stopping: Callable[[], bool] = lambda: False,
) -> Iterator[Reading]:
    """Read the inputs with so many actors of the cluster that `connect` joined; yields each as it is finished.

    A machine that is lost costs its inputs a second try elsewhere. Once stopping() says so, nothing more is waited for.
    Raises FerError where workers cannot start.
    """
    import ray
    import ray.data

    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    for name in ("ray", "ray.data"):
        logging.getLogger(name).setLevel(logging.ERROR)
    tasks = _tasks(inputs)
    dataset = ray.data.from_items(tasks, override_num_blocks=len(tasks)).map_batches(
        _Actor,
        fn_constructor_args=(json.dumps(asdict(settings)),),
        batch_size=1,
        compute=ray.data.ActorPoolStrategy(size=min(workers, len(tasks))),
        num_cpus=1,
    )
    done = 0
    for row in dataset.iter_rows():
        if row["failed"]:
            raise FerError(row["failed"])
        done += 1
        yield Reading.from_line(row["reading"])
        on_progress(done)
        if stopping():
            return


def cluster_cores() -> int:
    """The processor cores of the cluster."""
    import ray

    return max(int(ray.cluster_resources().get("CPU", 1)), 1)


def _tasks(inputs: Sequence[Input]) -> list[dict[str, str]]:
    """A video by itself, photos in groups."""
    photos = [given for given in inputs if not given.is_video]
    groups = [[given] for given in inputs if given.is_video]
    groups += [photos[first : first + GROUP] for first in range(0, len(photos), GROUP)]
    return [{"inputs": json.dumps([[given.name, str(given.path)] for given in group])} for group in groups]


class _Actor:
    """One worker: its model is loaded once."""

    def __init__(self, settings: str) -> None:
        self.failed, self.reader = "", None
        try:
            self.reader = Reader(Settings(**json.loads(settings)))
        except FerError as error:  # raised, Ray would start the actor again and again
            self.failed = error.message

    def __call__(self, batch: dict[str, Any]) -> dict[str, list[str]]:
        if self.reader is None:
            return {"reading": [""], "failed": [self.failed]}
        given = [Input(name, Path(path)) for name, path in json.loads(str(batch["inputs"][0]))]
        lines = [read_input(self.reader, each).to_line() for each in given]
        return {"reading": lines, "failed": [""] * len(lines)}
