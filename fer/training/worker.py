"""Train the run in a directory: `python -m fer.training.worker RUN_DIR`. The one process that writes there."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

import torch
from accelerate import Accelerator
from tqdm import tqdm

from fer.data.dataset import Dataset
from fer.data.read import read_dataset
from fer.data.transforms import Preprocessing
from fer.errors import FerError, RunError
from fer.models.checkpoints import Card, save_checkpoint
from fer.models.zoo import build, parameter_count
from fer.records import EpochRecord
from fer.training.config import TrainConfig
from fer.training.loop import Faces, Interrupted, evaluate, recall_and_f1, steps_per_epoch, train_one_epoch
from fer.training.optimisation import make_average, make_optimizer
from fer.training.runs import RunDirectory
from fer.training.state import load_state, save_state

HEARTBEAT_S = 2.0
LICENCES = {"FER2013": "Open Database License, contents under the Database Contents License",
            "FER+ votes": "MIT (not used in this training)"}


def train(run: RunDirectory, quiet: bool = False, on_epoch: Callable[[EpochRecord], None] | None = None) -> str:
    """Train until finished, stopped or failed; returns that state. Raises RunError where the run is taken.

    SIGINT and SIGTERM, or a file `stop` in the directory, end it after the current step; what was
    saved is the last whole epoch.
    """
    with run.lock():
        run.withdraw("stop", "pause")
        try:
            return _train(run, run.config, quiet, on_epoch)
        except Interrupted:
            run.write_status("stopped", message="Stopped. Resume goes on from the last whole epoch.")
            return "stopped"
        except FerError as error:
            run.write_status("failed", message=error.message)
            raise
        except OSError as error:
            message = f"The run could not write its files: {error.strerror}. The last good checkpoint is kept."
            _try_status(run, message)
            raise RunError(message) from error


def _train(run: RunDirectory, config: TrainConfig, quiet: bool,
           on_epoch: Callable[[EpochRecord], None] | None) -> str:
    stop = _Stop()
    run.write_status("running", epoch=0, epochs=config.epochs, message="Reading the data.")
    accelerator = Accelerator(cpu=not torch.cuda.is_available(), mixed_precision=config.precision)
    if config.threads:
        torch.set_num_threads(config.threads)
    torch.manual_seed(config.seed)
    dataset = read_dataset(config.data, quiet=quiet)
    training, validation = _splits(dataset, config)
    preprocessing = _preprocessing(config, training)
    train_faces, validation_faces = (_to_device(part, accelerator.device) for part in (training, validation))

    model = build(config.model, config.dropout).to(accelerator.device, memory_format=torch.channels_last)
    optimizer = make_optimizer(model, config)
    average = make_average(model, config.ema_decay)
    facts = load_state(run, model, average, optimizer) or {"epoch": 0, "best": -1.0, "best_epoch": 0}
    run.drop_records_after(facts["epoch"])
    if facts["epoch"] == 0:
        save_state(run, 0, model, average, optimizer, facts)
    network, optimizer = accelerator.prepare(model, optimizer)

    steps = steps_per_epoch(len(train_faces), config.batch_size)
    bar = tqdm(total=config.epochs * steps, initial=facts["epoch"] * steps, unit="step", desc="Training",
               disable=quiet, mininterval=1)
    for epoch in range(facts["epoch"] + 1, config.epochs + 1):
        began, beat = time.monotonic(), 0.0

        def on_step(step: int, steps: int, epoch: int = epoch) -> bool:
            nonlocal beat
            bar.update()
            if time.monotonic() - beat > HEARTBEAT_S:
                beat = time.monotonic()
                run.write_status("running", epoch=epoch, epochs=config.epochs, step=step, steps=steps)
            return not (stop.asked or run.requested("stop"))

        train_loss, train_accuracy, rate = train_one_epoch(
            network, average, optimizer, train_faces, epoch, config, preprocessing, accelerator, on_step)
        seconds = time.monotonic() - began
        kept = average.module if config.ema_decay else model
        loss, confusion, _ = evaluate(kept, validation_faces, preprocessing)
        recall, macro_f1 = recall_and_f1(confusion)
        accuracy = float(confusion.trace() / confusion.sum())
        best = accuracy > facts["best"]
        if best:
            facts |= {"best": accuracy, "best_epoch": epoch}
            save_checkpoint(run.best, kept.state_dict(), _card(config, preprocessing, dataset, epoch, accuracy, loss,
                                                               macro_f1, parameter_count(model)))
        save_state(run, epoch, model, average, optimizer, facts)
        record = EpochRecord(epoch, train_loss, train_accuracy, loss, accuracy, macro_f1, tuple(recall.tolist()),
                             tuple(map(tuple, confusion.tolist())), rate, seconds,
                             steps * config.batch_size / seconds, best)
        run.append(record)
        if on_epoch is not None:
            on_epoch(record)
        bar.set_postfix(epoch=epoch, loss=f"{train_loss:.3f}", validation=f"{accuracy:.4f}")
    bar.close()
    run.write_status("finished", epoch=config.epochs, epochs=config.epochs, best=facts["best"],
                     best_epoch=facts["best_epoch"])
    return "finished"


def _splits(dataset: Dataset, config: TrainConfig) -> tuple[Dataset, Dataset]:
    training, validation = dataset.split("Training"), dataset.split("PublicTest")
    if config.limit:
        training = training.take(slice(0, config.limit))
    if len(training) < config.batch_size:
        raise RunError(f"There are {len(training)} pictures to train on, fewer than a batch of {config.batch_size}. "
                       "Lower the batch size, or add pictures.")
    return training, validation


def _preprocessing(config: TrainConfig, training: Dataset) -> Preprocessing:
    unit = training.pixels.astype("float32") / 255
    return Preprocessing(face_size=training.pixels.shape[-1], input_size=config.input_size,
                         standardise=config.standardise, mean=round(float(unit.mean()), 4),
                         deviation=max(round(float(unit.std()), 4), 1e-3))


def _to_device(dataset: Dataset, device: torch.device) -> Faces:
    return Faces(torch.from_numpy(dataset.pixels).to(device), torch.from_numpy(dataset.labels).to(device))


def _card(config: TrainConfig, preprocessing: Preprocessing, dataset: Dataset, epoch: int, accuracy: float,
          loss: float, macro_f1: float, parameters: int) -> Card:
    metrics = {"split": "PublicTest", "tta": "none", "accuracy": round(accuracy, 4), "nll": round(loss, 4),
               "macro_f1": round(macro_f1, 4)}
    settings = {name: value for name, value in config.to_json().items() if name != "data"}
    return Card(config.model, preprocessing, data=Path(dataset.name).name, metrics=metrics,
                licences=LICENCES if dataset.votes is not None else {},
                training={"epoch": epoch, "parameters": parameters, "config": settings},
                date=date.today().isoformat())


def _try_status(run: RunDirectory, message: str) -> None:
    try:
        run.write_status("failed", message=message)
    except OSError:
        shutil.rmtree(run.path / "state" / "torn", ignore_errors=True)


class _Stop:
    """Set by SIGINT and SIGTERM; a second signal ends the process the usual way."""

    def __init__(self) -> None:
        self.asked = False
        for number in (signal.SIGINT, signal.SIGTERM):
            try:
                signal.signal(number, self._ask)
            except ValueError:  # not in the main thread: the file `stop` still works
                break

    def _ask(self, number: int, _frame) -> None:
        self.asked = True
        signal.signal(number, signal.SIG_DFL)


def main() -> int:
    if len(sys.argv) != 2:
        print("usage: python -m fer.training.worker RUN_DIR", file=sys.stderr)
        return 2
    os.nice(5)
    try:
        print(train(RunDirectory.open(sys.argv[1])))
    except FerError as error:
        print(error.message, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
