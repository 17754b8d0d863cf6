"""The steps of training: an epoch's order, one epoch, one evaluation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from accelerate import Accelerator
from torch import nn
from torch.optim.swa_utils import AveragedModel

from fer.data.augmentation import Augmentation
from fer.errors import RunError
from fer.expressions import COUNT
from fer.preprocessing import Preprocessing
from fer.training.config import TrainConfig
from fer.training.loss import Blend, Loss
from fer.training.optimizer import learning_rate
from fer.training.preprocessing import normalize, prepare
from fer.training.starting_weights import keep_frozen
from fer.training.stop_signal import Interrupted
from fer.training.teacher import Teacher


@dataclass(frozen=True)
class Faces:
    """One split on the device. pixels: (N, 48, 48) uint8; labels: (N,) int64; votes: (N, 10) float32 shares or None."""

    pixels: torch.Tensor
    labels: torch.Tensor
    votes: torch.Tensor | None = None

    def __len__(self) -> int:
        return len(self.labels)


def epoch_order(count: int, seed: int, epoch: int) -> np.ndarray:
    """The order of one epoch's pictures; depends only on the arguments."""
    return np.random.default_rng([seed, epoch, 0]).permutation(count)


def order_of(faces: Faces, config: TrainConfig, epoch: int) -> np.ndarray:
    """The rows of one epoch: each face once; with balanced sampling, drawn with repeats, rare classes more often."""
    if config.balance_in(epoch) != "sampling":
        return epoch_order(len(faces), config.seed, epoch)
    labels = faces.labels.cpu().numpy()
    share = np.bincount(labels, minlength=COUNT)[labels].astype(float) ** -config.balance_strength
    rng = np.random.default_rng([config.seed, epoch, 0])
    return rng.choice(len(labels), len(labels), p=share / share.sum())


def drawn_epoch(config: TrainConfig, epoch: int) -> int:
    """The epoch whose order and views this one uses: its own, or an earlier one to reuse the teacher's answers."""
    return (epoch - 1) % config.teacher_epochs + 1 if config.teacher and config.teacher_epochs else epoch


def mirror_some(views: torch.Tensor, share: float, rng: np.random.Generator) -> torch.Tensor:
    """Mirror a share of the views: (N, 1, S, S) -> (N, 1, S, S).

    A teacher gives the same answer for a view and its mirror image, so stored answers apply to both.
    """
    chosen = torch.from_numpy(rng.random(len(views)) < share).to(views.device)
    return torch.where(chosen[:, None, None, None], views.flip(-1), views)


def shrink(views: torch.Tensor, size: int) -> torch.Tensor:
    """Resize views: (N, 1, S, S) -> (N, 1, size, size); unchanged if they have that size."""
    if views.shape[-1] == size:
        return views
    return F.interpolate(views, size=(size, size), mode="bilinear", antialias=True, align_corners=False)


def steps_per_epoch(count: int, batch_size: int) -> int:
    return max(count // batch_size, 1)  # skips the last, smaller batch; the next epoch's order differs


def augmentation_of(config: TrainConfig) -> Augmentation:
    return Augmentation(
        config.flip,
        config.rotation,
        config.scale,
        config.shift,
        config.brightness,
        config.contrast,
        config.erasing,
        config.damage,
    )


def train_one_epoch(
    model: nn.Module,
    average: AveragedModel,
    optimizer: torch.optim.Optimizer,
    faces: Faces,
    epoch: int,
    config: TrainConfig,
    preprocessing: Preprocessing,
    accelerator: Accelerator,
    on_step: Callable[[int, int], bool],
    teacher: Teacher | None = None,
) -> tuple[float, float, float]:
    """Train one epoch. Returns (mean loss, accuracy on the augmented views, last learning rate).

    on_step(step, steps) is called after each step; if it returns False, raises Interrupted. Raises RunError for a loss
    that is not finite.
    """
    rank, ranks = accelerator.process_index, accelerator.num_processes
    drawn = drawn_epoch(config, epoch)
    rng = np.random.default_rng([config.seed, drawn, 1 + rank])
    torch.manual_seed(int(np.random.default_rng([config.seed, epoch, 1_000 + rank]).integers(2**31)))
    mirrors = np.random.default_rng([config.seed, epoch, 2_000 + rank])
    mixing = np.random.default_rng([config.seed, epoch, 3_000 + rank])  # its own, so that views come again without it
    order, steps = order_of(faces, config, drawn), steps_per_epoch(len(faces), config.batch_size)
    order = np.resize(order, max(len(order), config.batch_size))  # fewer faces than a batch: repeat them
    augment, objective = augmentation_of(config), Loss(config, faces.labels, epoch)
    full = preprocessing.input_size  # config's, or that of the checkpoint it starts from
    size = min(config.small_size, full) if config.small_size and epoch <= config.small_epochs else full
    mixes = config.mixup > 0 and epoch <= config.epochs - config.mixup_off_epochs
    model.train()
    keep_frozen(model)
    total_loss = correct = seen = 0.0
    for step in range(steps):
        rate = learning_rate((epoch - 1) * steps + step, steps, config)
        for group in optimizer.param_groups:
            group["lr"] = rate
        drawn_rows = order[step * config.batch_size : (step + 1) * config.batch_size][rank::ranks]
        rows = torch.from_numpy(drawn_rows).to(faces.labels.device)
        views = augment(faces.pixels[rows], full, rng)
        wanted = teacher(views, (drawn, step)) if teacher else None
        if drawn != epoch:  # these views' answers are stored
            views = mirror_some(views, config.flip, mirrors)
        batch = normalize(preprocessing, shrink(views, size))
        labels = faces.labels[rows]
        blend = Blend.draw(config.mixup, len(rows), mixing) if mixes else None
        if blend:
            batch = blend(batch)
        with accelerator.autocast():
            output = model(batch.contiguous(memory_format=torch.channels_last))
            loss = objective(output, labels, None if faces.votes is None else faces.votes[rows], blend, wanted)
        logits = output[0] if isinstance(output, tuple) else output
        optimizer.zero_grad()
        accelerator.backward(loss)
        value = float(loss.detach())
        if not np.isfinite(value):
            raise RunError(
                f"The loss became {value} in epoch {epoch}, step {step + 1}. Lower the learning rate "
                f"(it was {rate:.4g}) or set a gradient clip.",
                cause="diverged",
            )
        if config.gradient_clip:
            accelerator.clip_grad_norm_(model.parameters(), config.gradient_clip)
        optimizer.step()
        if config.ema_decay:
            average.update_parameters(accelerator.unwrap_model(model))
        total_loss += value * len(rows)
        correct += int((logits.argmax(1) == labels).sum())
        seen += len(rows)
        if not on_step(step + 1, steps):
            raise Interrupted
    sums = torch.tensor([total_loss, correct, seen], dtype=torch.float64, device=accelerator.device)
    sums = accelerator.reduce(sums, "sum")
    return float(sums[0] / sums[2]), float(sums[1] / sums[2]), rate


@torch.no_grad()
def evaluate(
    model: nn.Module,
    faces: Faces,
    preprocessing: Preprocessing,
    batch_size: int = 256,
    on_batch: Callable[[], None] = lambda: None,
) -> tuple[float, np.ndarray, np.ndarray]:
    """Evaluate one split. Returns (mean loss in nats, confusion matrix (7, 7) with truth in rows, logits (N, 7))."""
    model.eval()
    parts = []
    for first in range(0, len(faces), batch_size):
        batch = prepare(preprocessing, faces.pixels[first : first + batch_size])
        parts.append(model(batch.contiguous(memory_format=torch.channels_last)).float())
        on_batch()
    logits = torch.cat(parts)
    loss = float(F.cross_entropy(logits, faces.labels))
    cells = faces.labels * COUNT + logits.argmax(1)
    confusion = torch.bincount(cells, minlength=COUNT * COUNT).reshape(COUNT, COUNT)
    return loss, confusion.cpu().numpy(), logits.cpu().numpy()
