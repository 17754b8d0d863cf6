"""Describe a network, and time its training steps on this machine as the run's worker would take them.

`python -m fer.training.estimate SETTINGS STARTED` prints {"network": ...}, then {"costs": ...} as lines of JSON, or
{"problem": ...} if the run would fail. STARTED: when this process was started, as returned by time.time().
"""

from __future__ import annotations

import json
import os
import sys
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from accelerate import Accelerator
from torch import nn

from fer.data.dataset import FACE_SIZE
from fer.data.ferplus import VOTE_NAMES
from fer.errors import FerError
from fer.expressions import COUNT
from fer.models.card import Card
from fer.models.checkpoints import save_checkpoint
from fer.models.structure import parts_of
from fer.models.summary import summarize
from fer.preprocessing import Preprocessing
from fer.training.batchnorm import with_new_statistics
from fer.training.config import TrainConfig
from fer.training.epoch import Faces, evaluate, train_one_epoch
from fer.training.loss import WithVotes
from fer.training.optimizer import make_average, make_optimizer
from fer.training.pace import Costs, Range
from fer.training.resume_state import save_state
from fer.training.run_directory import RunDirectory
from fer.training.starting_weights import freeze, starting_network
from fer.training.stop_signal import Interrupted
from fer.training.teacher import load_teacher
from fer.training.worker import NICENESS

WARM_UP, STEPS = 4, 12  # steps; the first ones are slow, while memory is allocated and kernels are chosen
BUDGET_S = 8.0  # for the steps of one size, after the first two
LARGEST_BATCH = 256  # the largest batch to time; larger ones are extrapolated
JUDGED = 512  # pictures


def network_of(config: TrainConfig) -> tuple[nn.Module, Preprocessing, dict[str, object]]:
    """The network that the run would start with, its preprocessing, and its description for the page."""
    network, start = starting_network(config)
    preprocessing = start.preprocessing if start else Preprocessing(input_size=config.input_size)
    size = preprocessing.input_size
    shown = {
        "side": size,
        "summary": summarize(network, size).to_json(),
        "parts": [part.to_json() for part in parts_of(network, size)],
    }
    return network, preprocessing, shown


def measure(config: TrainConfig, network: nn.Module, preprocessing: Preprocessing, loading_s: float) -> Costs:
    """Time training steps, validation and saving on random pictures, with the trainer's own functions. Raises FerError.

    Times one of several processes, with its share of the batch; its share of the cores is in the environment.
    loading_s: the time to load PyTorch, which the run needs too.
    """
    processes = config.processes
    config = replace(config, batch_size=config.batch_size // processes, processes=1)
    if config.threads:
        torch.set_num_threads(config.threads)
    # A low rate keeps the weights finite with any settings. One long epoch, of which only the first steps are taken.
    config = replace(config, batch_size=min(config.batch_size, LARGEST_BATCH), learning_rate=1e-5, mixup_off_epochs=0)
    accelerator = Accelerator(cpu=not torch.cuda.is_available(), mixed_precision=config.precision)
    if config.freeze:
        freeze(network, config.freeze)
    model = WithVotes(network) if config.ferplus_weight else network
    model = model.to(accelerator.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimizer, average = make_optimizer(model, config), make_average(model, config.ema_decay)
    prepared, optimizer = accelerator.prepare(model, optimizer)
    faces = _faces(max(config.batch_size * (WARM_UP + STEPS), JUDGED), config, accelerator.device)
    teacher = load_teacher(replace(config, teacher_epochs=0), accelerator.device)

    def steps(epoch: int) -> Range:
        times = [time.perf_counter()]

        def on_step(_step: int, _steps: int) -> bool:
            times.append(time.perf_counter())
            return len(times) < WARM_UP + 3 or times[-1] - times[WARM_UP] < BUDGET_S

        with suppress(Interrupted):
            train_one_epoch(
                prepared, average, optimizer, faces, epoch, config, preprocessing, accelerator, on_step, teacher
            )
        return _around_median(np.diff(times)[WARM_UP:])

    small = config.small_size and config.small_epochs
    config = replace(config, epochs=2, small_epochs=1 if small else 0)
    small_step = steps(1) if small else Range(0, 0)
    step = steps(2)
    kept = average.module if config.ema_decay else model
    kept = kept.network if isinstance(kept, WithVotes) else kept
    judged = _seconds(lambda: evaluate(kept, _some(faces, JUDGED), preprocessing)) / JUDGED
    norm = 0.0
    if config.norm_pictures:
        norm = _seconds(lambda: with_new_statistics(kept, faces, preprocessing, JUDGED)) / JUDGED
    start = time.perf_counter()
    with TemporaryDirectory() as folder:
        run, card = RunDirectory.create(Path(folder) / "timed", config), Card(config.model, preprocessing)
        best = _seconds(lambda: save_checkpoint(run.best, kept.state_dict(), card))
        state = _seconds(lambda: save_state(run, 1, model, average, optimizer, {}))
    first_export = time.perf_counter() - start - 2 * (best + state)
    small_step = small_step if small else step
    return Costs(
        config.batch_size * processes,
        loading_s + max(first_export, 0),
        step,
        small_step,
        judged,
        norm,
        Range(state, state + best),
    )


def _faces(count: int, config: TrainConfig, device: torch.device) -> Faces:
    """Noise of a face's size, with random labels."""
    generator = torch.Generator().manual_seed(0)
    pixels = torch.randint(0, 256, (count, FACE_SIZE, FACE_SIZE), dtype=torch.uint8, generator=generator)
    labels = torch.randint(0, COUNT, (count,), generator=generator)
    votes = torch.full((count, len(VOTE_NAMES)), 1 / len(VOTE_NAMES)) if config.ferplus_weight else None
    return Faces(pixels.to(device), labels.to(device), None if votes is None else votes.to(device))


def _some(faces: Faces, count: int) -> Faces:
    return Faces(faces.pixels[:count], faces.labels[:count])


def _around_median(seconds: np.ndarray) -> Range:
    """From halfway between median and lower quartile to halfway to the upper: over a run, variation evens out."""
    low, median, high = np.quantile(seconds, (0.25, 0.5, 0.75)).tolist()
    return Range((low + median) / 2, (median + high) / 2)


def _seconds(work) -> float:
    """Seconds that the second call takes."""
    work()
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def main(settings: str, started: str) -> None:
    os.nice(NICENESS)  # as the worker
    loading_s = max(time.time() - float(started), 0.0)
    try:
        config = TrainConfig.from_json(json.loads(settings))
        network, preprocessing, shown = network_of(config)
        print(json.dumps({"network": shown}), flush=True)
        print(json.dumps({"costs": measure(config, network, preprocessing, loading_s).to_json()}), flush=True)
    except FerError as error:
        print(json.dumps({"problem": error.message}), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
