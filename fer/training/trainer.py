"""Train one run to its last epoch, in this process; the worker holds the lock and reports how the run ended."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import numpy as np
import torch
from accelerate import Accelerator
from torch import nn
from torch.optim.swa_utils import AveragedModel
from tqdm import tqdm

from fer.data.dataset import Dataset
from fer.data.read import SYNTHETIC, read_dataset
from fer.data.uploads import is_upload
from fer.limits import OWNER, limits
from fer.models.card import DRAWINGS, NOT_FOR, Card
from fer.models.checkpoints import save_checkpoint
from fer.models.registry import parameter_count
from fer.preprocessing import Preprocessing
from fer.records import EpochRecord
from fer.scores import macro_f1
from fer.training import watched_faces
from fer.training.batchnorm import with_new_statistics
from fer.training.config import WEIGHTS, TrainConfig, names_of, small_data_notes
from fer.training.control import Control
from fer.training.epoch import Faces, evaluate, steps_per_epoch, train_one_epoch
from fer.training.loss import WithVotes
from fer.training.optimizer import make_average, make_optimizer
from fer.training.pace import Pace
from fer.training.resume_state import Standing, load_state, save_state
from fer.training.run_about import read_about
from fer.training.run_directory import RunDirectory
from fer.training.run_queue import Turn
from fer.training.setup import choose_splits, measure_preprocessing, to_device
from fer.training.starting_weights import freeze, starting_network
from fer.training.teacher import load_teacher

FERPLUS_LICENCE = "MIT (used in this training as an auxiliary loss)"
LICENCES = {
    "FER2013": "Open Database License, contents under the Database Contents License",
    "FER+ votes": "MIT (not used in this training)",
}


@dataclass
class Session:
    """Everything an epoch needs. model: the trained network, possibly with a vote head. average: its moving average."""

    run: RunDirectory
    config: TrainConfig
    accelerator: Accelerator
    control: Control
    dataset: Dataset
    training: Faces
    validation: Faces
    preprocessing: Preprocessing
    model: nn.Module
    average: AveragedModel
    optimizer: torch.optim.Optimizer
    standing: Standing
    pace: Pace
    watched: np.ndarray
    started_from: str  # training data of the starting weights

    @property
    def kept(self) -> nn.Module:
        """The network that is validated and saved."""
        model = self.average.module if self.config.ema_decay else self.model
        return model.network if isinstance(model, WithVotes) else model


def run_session(
    run: RunDirectory,
    config: TrainConfig,
    turn: Turn | None = None,
    quiet: bool = False,
    on_epoch: Callable[[EpochRecord], None] | None = None,
) -> str:
    """Train to the end; returns "finished" or "stopped". Raises FerError or OSError if it cannot continue."""
    accelerator = Accelerator(cpu=not torch.cuda.is_available(), mixed_precision=config.precision)
    control = Control(run, accelerator, turn)
    if config.threads:
        torch.set_num_threads(config.threads)
    session = open_session(run, config, accelerator, control, quiet)
    config, standing, pace, main = session.config, session.standing, session.pace, accelerator.is_main_process
    network, optimizer = accelerator.prepare(session.model, session.optimizer)
    if accelerator.scaler is not None and standing.scaler is not None:
        accelerator.scaler.load_state_dict(standing.scaler)
    teacher = load_teacher(config, accelerator.device)
    answers = run.path / f"answers-{accelerator.process_index}.safetensors"
    if teacher and teacher.keep and standing.epoch:
        teacher.restore(answers)
    steps = steps_per_epoch(len(session.training), config.batch_size)
    bar = tqdm(
        total=config.epochs * steps,
        initial=standing.epoch * steps,
        unit="step",
        desc="Training",
        disable=quiet or not main,
        mininterval=1,
    )
    for epoch in range(standing.epoch + 1, config.epochs + 1):
        if _out_of_patience(config, standing, epoch - 1):
            break
        began, control.paused_s = time.monotonic(), 0.0
        pace.go()

        def on_step(step: int, steps: int, epoch: int = epoch) -> bool:
            bar.update()
            pace.step_done(epoch)
            paused_s = control.paused_s
            going = control.go_on(
                epoch=epoch, epochs=config.epochs, step=step, steps=steps, left_s=pace.left_s(epoch, step)
            )
            if control.paused_s != paused_s:
                pace.go()
            return going

        trained = train_one_epoch(
            network,
            session.average,
            optimizer,
            session.training,
            epoch,
            config,
            session.preprocessing,
            accelerator,
            on_step,
            teacher,
        )
        seconds = time.monotonic() - began - control.paused_s
        if teacher and teacher.keep and epoch <= config.teacher_epochs:
            teacher.save(answers)
        if main:
            record = close_epoch(session, epoch, trained, seconds, steps)
            pace.epoch_done()
            if on_epoch is not None:
                on_epoch(record)
            bar.set_postfix(epoch=epoch, loss=f"{trained[0]:.3f}", validation=f"{record.validation_accuracy:.4f}")
        _share_best(session)
    bar.close()
    answers.unlink(missing_ok=True)
    if main:
        early = _out_of_patience(config, standing, standing.epoch) and standing.epoch < config.epochs
        message = f"Ended early: accuracy did not improve for {config.patience} epochs." if early else ""
        run.write_status(
            "finished",
            epoch=standing.epoch,
            epochs=config.epochs,
            best=standing.best,
            best_epoch=standing.best_epoch,
            message=message,
        )
    accelerator.end_training()
    return "finished"


def open_session(
    run: RunDirectory, config: TrainConfig, accelerator: Accelerator, control: Control, quiet: bool = True
) -> Session:
    """Read the data, build or restore the network, and reset the directory to the last complete epoch."""
    main = accelerator.is_main_process

    control.beat(epoch=0, epochs=config.epochs, message="Reading the data.")
    torch.manual_seed(config.seed)
    with tqdm(total=100, unit="%", desc="Reading the data", leave=False, disable=quiet or not main) as bar:

        def reading(share: float) -> None:
            bar.update(int(100 * share) - bar.n)
            control.beat(epoch=0, epochs=config.epochs, message=f"Reading the data: {share:.0%}")
            control.raise_if_stopped()

        uploaded = is_upload(config.data)
        most = limits() if uploaded else OWNER
        dataset = read_dataset(config.data, reading, True, config.faces, config.classes, most)
    if main and not uploaded:  # keep visitors' file names out of the log
        for line in [*dataset.left_out(), *dataset.remarks]:
            print(line, file=sys.stderr, flush=True)
    training, validation = choose_splits(dataset, config)
    if main:
        for note in small_data_notes(config, len(training), not (dataset.usage == "PublicTest").any()):
            print(note, file=sys.stderr, flush=True)
    config = config.fitted(len(training))
    network, start = starting_network(config)
    if config.freeze:
        freeze(network, config.freeze)
    model = WithVotes(network) if config.ferplus_weight else network
    model = model.to(accelerator.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimizer = make_optimizer(model, config)
    average = make_average(model, config.ema_decay)
    saved = load_state(run, model, average, optimizer)
    standing = Standing() if saved is None else Standing.from_json(saved)
    start_preprocessing = start.preprocessing if start else None
    preprocessing = standing.preprocessing or start_preprocessing or measure_preprocessing(config, training)
    standing.preprocessing = preprocessing
    accelerator.wait_for_everyone()  # every process has read the state before the first one writes
    rows = watched_faces.choose(validation.labels, config.seed) if watched_faces.allowed(run) else np.empty(0, np.int64)
    if main:
        run.sweep()
        run.drop_records_after(standing.epoch, standing.record)
        if len(rows):
            watched_faces.start(run, validation.pixels[rows], validation.labels[rows], standing.epoch)
        if saved is None:  # not again in a resume: that would first remove the state to resume from
            save_state(run, 0, model, average, optimizer, standing.to_json())
    with_votes = bool(config.ferplus_weight)
    return Session(
        run,
        config,
        accelerator,
        control,
        dataset,
        to_device(training, accelerator.device, with_votes),
        to_device(validation, accelerator.device, with_votes),
        preprocessing,
        model,
        average,
        optimizer,
        standing,
        Pace(config, steps_per_epoch(len(training), config.batch_size), len(validation)),
        rows,
        "" if start is None else _data_behind(start),
    )


def close_epoch(
    session: Session, epoch: int, trained: tuple[float, float, float], seconds: float, steps: int
) -> EpochRecord:
    """Validate the epoch, then save everything: best weights, watched faces, state, record."""
    run, config, standing = session.run, session.config, session.standing
    kept = session.kept

    def alive() -> None:
        left_s = session.pace.left_s(epoch, steps)
        session.control.beat(epoch=epoch, epochs=config.epochs, step=steps, steps=steps, left_s=left_s)

    if config.norm_pictures:
        kept = with_new_statistics(
            kept, session.training, session.preprocessing, config.norm_pictures, config.seed, on_batch=alive
        )
    loss, confusion, logits = evaluate(kept, session.validation, session.preprocessing, on_batch=alive)
    recall = confusion.diagonal() / np.maximum(confusion.sum(1), 1)
    accuracy = float(confusion.trace() / confusion.sum())
    train_loss, train_accuracy, rate = trained
    best = accuracy > standing.best
    record = EpochRecord(
        epoch,
        train_loss,
        train_accuracy,
        loss,
        accuracy,
        macro_f1(confusion),
        tuple(recall.tolist()),
        tuple(map(tuple, confusion.tolist())),
        rate,
        seconds,
        steps * config.batch_size / max(seconds, 1e-9),
        best,
    )
    if best:
        standing.best, standing.best_epoch = accuracy, epoch
        save_checkpoint(run.best, kept.state_dict(), _card(session, record))
    if len(session.watched):
        watched_faces.append(run, epoch, logits[session.watched])
    standing.epoch, standing.record = epoch, record
    if session.accelerator.scaler is not None:  # only with fp16
        standing.scaler = session.accelerator.scaler.state_dict()
    save_state(run, epoch, session.model, session.average, session.optimizer, standing.to_json())
    run.append(record)
    return record


def _share_best(session: Session) -> None:
    """The first process tells the others whether patience has ended, so that all agree."""
    if session.accelerator.num_processes == 1:
        return
    standing = session.standing
    told = torch.tensor([standing.epoch, standing.best_epoch], device=session.accelerator.device)
    torch.distributed.broadcast(told, 0)
    standing.epoch, standing.best_epoch = int(told[0]), int(told[1])


def _out_of_patience(config: TrainConfig, standing: Standing, epoch: int) -> bool:
    return bool(config.patience and epoch and epoch - standing.best_epoch >= config.patience)


def _card(session: Session, record: EpochRecord) -> Card:
    config, dataset = session.config, session.dataset
    metrics = {
        "split": "PublicTest" if (dataset.usage == "PublicTest").any() else "Training",
        "tta": "none",
        "accuracy": round(record.validation_accuracy, 4),
        "nll": round(record.validation_loss, 4),
        "macro_f1": round(record.macro_f1, 4),
    }
    settings = {name: value for name, value in config.to_json().items() if name != "data"}
    settings |= {name: names_of(settings[name]) for name in WEIGHTS}
    facts = {"epoch": record.epoch, "parameters": parameter_count(session.kept), "config": settings}
    if session.started_from:
        facts["started_from"] = session.started_from
    licences = {}
    if dataset.votes is not None:
        licences = LICENCES | ({"FER+ votes": FERPLUS_LICENCE} if config.ferplus_weight else {})
    card = Card(
        config.model,
        session.preprocessing,
        data=_data_name(session),
        metrics=metrics,
        licences=licences,
        training=facts,
        date=date.today().isoformat(),
    )
    return replace(card, notes=f"{DRAWINGS.capitalize()}. {NOT_FOR}" if card.from_drawings else NOT_FOR)


def _data_behind(start: Card) -> str:
    """What a started network has learned from: synthetic faces alone, or what came before them."""
    if start.data == SYNTHETIC and not start.from_drawings:
        return start.started_from
    return start.data or "unknown"


def _data_name(session: Session) -> str:
    """The name of the training data: an upload's own name; "synthetic" only for the synthetic faces."""
    name = read_about(session.run).data or Path(session.dataset.name).name
    return f"{name} (folder)" if name == SYNTHETIC and session.config.data != SYNTHETIC else name
