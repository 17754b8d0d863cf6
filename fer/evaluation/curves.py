"""The details of an evaluation report: intervals, averages, curves, reliability, risk."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from fer.evaluation.groups import wilson
from fer.evaluation.metrics import ECE_BINS
from fer.expressions import COUNT, NAMES
from fer.models.torchvision_repair import ensure_torchvision

ensure_torchvision()  # torchmetrics imports torchvision if installed
import torchmetrics.functional.classification as tm  # noqa: E402

if TYPE_CHECKING:
    from numpy.typing import NDArray

# A class's probabilities (N,), and whether it is the true class (N,) -> x and y of a curve.
Run = Callable[[torch.Tensor, torch.Tensor], tuple[torch.Tensor, torch.Tensor]]
RESAMPLES = 1000
CURVE_POINTS = 200


@dataclass(frozen=True)
class Averages:
    """All in 0..1 except kappa, which can be negative. top2: the true class is among the two most probable."""

    macro: dict[str, float]  # precision, recall, f1
    weighted: dict[str, float]
    kappa: float
    top2: float


@dataclass(frozen=True)
class Curve:
    """One class against the rest: x and y in 0..1, and the area under the curve."""

    x: NDArray[np.floating]
    y: NDArray[np.floating]
    area: float


def accuracy_interval(right: NDArray[np.bool_], seed: int = 0) -> tuple[float, float]:
    """The 95% bootstrap interval of an accuracy; right: (N,) bool. Resamples pictures."""
    if np.all(right) or not np.any(right):
        return wilson(right)  # identical values have no spread
    rng = np.random.default_rng(seed)
    # The number of right answers in a resample is binomial, so there is no need to draw each picture.
    means = rng.binomial(len(right), float(np.mean(right)), RESAMPLES * 10) / len(right)
    low, high = np.percentile(means, [2.5, 97.5])
    return float(low), float(high)


def averages(probabilities: NDArray[np.floating], labels: NDArray[np.int64]) -> Averages:
    """probabilities: (N, 7), labels: (N,). Macro averages cover the classes that occur."""
    given, truth = torch.from_numpy(np.asarray(probabilities)), torch.from_numpy(np.asarray(labels)).long()
    named = given.argmax(1)
    metrics = {"precision": tm.multiclass_precision, "recall": tm.multiclass_recall, "f1": tm.multiclass_f1_score}
    support = torch.bincount(truth, minlength=COUNT).double()
    macro, weighted = {}, {}
    for name, metric in metrics.items():
        each = metric(named, truth, num_classes=COUNT, average="none", zero_division=0.0).double()
        macro[name] = float(each[support > 0].mean())
        weighted[name] = float((each * support).sum() / support.sum())
    one_class = len(torch.unique(torch.cat([truth, named]))) < 2
    kappa = 1.0 if one_class else float(tm.multiclass_cohen_kappa(named, truth, COUNT))
    top2 = float((given.topk(2, 1).indices == truth[:, None]).any(1).double().mean())
    return Averages(macro, weighted, kappa, top2)


def roc_curves(probabilities: NDArray[np.floating], labels: NDArray[np.int64]) -> dict[str, Curve]:
    """ROC curves (false positive rate, recall) of the classes that occur, unless there is only one."""
    return _curves(probabilities, labels, lambda given, truth: tm.binary_roc(given, truth)[:2])


def precision_recall_curves(probabilities: NDArray[np.floating], labels: NDArray[np.int64]) -> dict[str, Curve]:
    """Precision-recall curves of the classes that occur, unless there is only one."""

    def run(given: torch.Tensor, truth: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        precision, recall, _ = tm.binary_precision_recall_curve(given, truth)
        return recall.flip(0), precision.flip(0)

    return _curves(probabilities, labels, run)


def _curves(probabilities: NDArray[np.floating], labels: NDArray[np.int64], run: Run) -> dict[str, Curve]:
    found = {}
    for index, name in enumerate(NAMES):
        truth = torch.from_numpy(np.asarray(labels) == index).long()
        if not 0 < int(truth.sum()) < len(truth):
            continue
        x, y = (values.double().numpy() for values in run(torch.from_numpy(probabilities[:, index]), truth))
        kept = np.unique(np.linspace(0, len(x) - 1, CURVE_POINTS).round().astype(int))
        found[name] = Curve(x[kept], y[kept], float(np.trapezoid(y, x)))
    return found


def reliability(
    probabilities: NDArray[np.floating], labels: NDArray[np.int64], bins: int = ECE_BINS
) -> list[dict[str, float]]:
    """Confidence and accuracy in equal-width bins of confidence; empty bins are left out."""
    confidence, right = probabilities.max(1), probabilities.argmax(1) == labels
    place = np.minimum((confidence * bins).astype(int), bins - 1)
    return [
        {
            "from": index / bins,
            "to": (index + 1) / bins,
            "count": int((place == index).sum()),
            "confidence": float(confidence[place == index].mean()),
            "accuracy": float(right[place == index].mean()),
        }
        for index in range(bins)
        if (place == index).any()
    ]


@dataclass(frozen=True)
class RiskCoverage:
    """For each threshold, ascending: the share answered (confidence at or above it), and the share of those wrong."""

    threshold: NDArray[np.floating]
    coverage: NDArray[np.floating]
    risk: NDArray[np.floating]

    def at(self, threshold: float) -> tuple[float, float]:
        """(coverage, risk) at a threshold; the risk is 0 if nothing is answered."""
        index = int(np.searchsorted(self.threshold, threshold))
        return (0.0, 0.0) if index == len(self.threshold) else (float(self.coverage[index]), float(self.risk[index]))


def risk_coverage(probabilities: NDArray[np.floating], labels: NDArray[np.int64]) -> RiskCoverage:
    """The error rate if only the most confident answers are given (El-Yaniv and Wiener 2010)."""
    confidence = probabilities.max(1)
    order = np.argsort(confidence, kind="stable")
    wrong = (probabilities.argmax(1) != labels)[order]
    answered = np.arange(len(wrong), 0, -1)  # at or above each threshold
    risk = wrong[::-1].cumsum()[::-1] / answered
    return RiskCoverage(confidence[order], answered / len(wrong), risk)


@dataclass(frozen=True)
class AnswerAccuracy:
    """How often one answer was given, and how often it was right.

    count: faces. right: the share of them with that label, 0..1; low, high: its 95% interval (Wilson). These three are
    None for an answer that was never given.
    """

    count: int
    right: float | None
    low: float | None
    high: float | None

    def to_json(self) -> dict[str, float | int | None]:
        shares = {"right": self.right, "low": self.low, "high": self.high}
        return {"count": self.count, **{key: share and round(share, 4) for key, share in shares.items()}}


def accuracy_by_answer(
    probabilities: NDArray[np.floating], labels: NDArray[np.int64], threshold: float
) -> dict[str, AnswerAccuracy]:
    """The accuracy of each answer, counting only confidences at or above the threshold.

    probabilities: (N, 7). labels: (N,). threshold: 0..1.
    """
    named, answered = probabilities.argmax(1), probabilities.max(1) >= threshold
    found = {}
    for index, name in enumerate(NAMES):
        right = (labels == index)[answered & (named == index)]
        share, bounds = (float(right.mean()), wilson(right)) if len(right) else (None, (None, None))
        found[name] = AnswerAccuracy(len(right), share, *bounds)
    return found
