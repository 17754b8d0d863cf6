"""A model's metrics on one split, computed with torchmetrics."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from fer.errors import DatasetError
from fer.expressions import COUNT, NAMES
from fer.inference.recognizer import Recognizer
from fer.models.torchvision_repair import ensure_torchvision
from fer.scores import macro_f1
from fer.wording import count_of

ensure_torchvision()  # torchmetrics imports torchvision if installed
import torchmetrics.functional.classification as tm  # noqa: E402

if TYPE_CHECKING:
    from numpy.typing import NDArray

BATCH = 512  # faces per call of progress
ECE_BINS = 15


@dataclass(frozen=True)
class Report:
    """The metrics of one model on one split. Shares in 0..1, nll in nats; confusion_matrix: truth in rows.

    absent: classes without faces in the split. Their precision, recall and F1 are None, and macro_f1 is the mean over
    the others.
    """

    model: str
    split: str
    tta: str
    n: int
    accuracy: float
    accuracy_without_train_duplicates: float | None
    macro_f1: float
    per_class: dict[str, dict[str, float | None]]
    confusion_matrix: list[list[int]]
    nll: float
    ece: float
    brier: float
    absent: tuple[str, ...] = ()

    def absent_words(self) -> str:
        """A sentence about absent classes and the macro averages; empty if none is absent."""
        if not self.absent:
            return ""
        count = COUNT - len(self.absent)
        return (
            f"There are no faces of {', '.join(self.absent)} here, so macro averages cover the "
            f"{count_of(count, 'class', 'classes')} present."
        )

    def to_json(self) -> dict[str, object]:
        return {name: _rounded(value) for name, value in self.__dict__.items()}


def predict_all(
    recognizer: Recognizer,
    faces: NDArray[np.uint8],
    tta: str = "none",
    progress: Callable[[int, int], None] | None = None,
) -> NDArray[np.float64]:
    """Aligned gray faces (N, S, S) uint8 -> calibrated probabilities (N, 7), NaN where the weights overflow."""
    rows = []
    for first in range(0, len(faces), BATCH):
        rows.append(recognizer.unchecked_probabilities(faces[first : first + BATCH], tta))
        if progress is not None:
            progress(min(first + BATCH, len(faces)), len(faces))
    return np.concatenate(rows)


def score(
    probabilities: NDArray[np.floating],
    labels: NDArray[np.int64],
    model: str = "",
    split: str = "",
    tta: str = "none",
    repeated: NDArray[np.bool_] | None = None,
) -> Report:
    """Metrics of probabilities (N, 7) against labels (N,); repeated (N,) marks pictures that are also in Training."""
    if not len(labels):
        raise DatasetError("The split is empty. Choose one with pictures to evaluate.")
    given, truth = torch.from_numpy(np.asarray(probabilities)).double(), torch.from_numpy(np.asarray(labels)).long()
    named = given.argmax(1)
    right = (named == truth).numpy()
    precision, recall, f1 = (
        metric(named, truth, num_classes=COUNT, average="none", zero_division=0.0)
        for metric in (tm.multiclass_precision, tm.multiclass_recall, tm.multiclass_f1_score)
    )
    support = torch.bincount(truth, minlength=COUNT)
    confusion: list[list[int]] = tm.multiclass_confusion_matrix(named, truth, COUNT).tolist()
    one_hot = torch.nn.functional.one_hot(truth, COUNT)
    fresh = None if repeated is None or repeated.all() else float(right[~repeated].mean())
    return Report(
        model,
        split,
        tta,
        len(truth),
        float(right.mean()),
        fresh,
        macro_f1(np.array(confusion)),
        {
            name: {
                **{
                    key: float(values[i]) if support[i] else None
                    for key, values in (("precision", precision), ("recall", recall), ("f1", f1))
                },
                "support": int(support[i]),
            }
            for i, name in enumerate(NAMES)
        },
        confusion,
        float(-given[torch.arange(len(truth)), truth].clamp_min(1e-12).log().mean()),
        float(tm.multiclass_calibration_error(given, truth, COUNT, n_bins=ECE_BINS, norm="l1")),
        float(((given - one_hot) ** 2).sum(1).mean()),
        tuple(name for i, name in enumerate(NAMES) if not support[i]),
    )


def _rounded(value: object) -> object:
    if isinstance(value, float):
        return round(value, 6)
    if isinstance(value, dict):
        return {name: _rounded(inner) for name, inner in value.items()}
    return value
