"""Fit prediction sets by split conformal prediction, and measure whether they reach their level. Needs no PyTorch."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fer.conformal import LEVEL, LEVELS, METHODS, PredictionSets, nonconformity
from fer.evaluation.calibration import FOLDS, fit_temperature, folds_of
from fer.expressions import COUNT, NAMES
from fer.scores import softmax

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

MIN_FACES = 20  # a class with fewer faces shares the quantiles of all faces
PLACES = 5  # decimals of a quantile on the card, rounded up so that coverage never falls


@dataclass(frozen=True)
class Coverage:
    """How often sets contain the true class, and how large they are.

    per_class: coverage, mean_size (None without faces of the class) and support of each class. in_sample: whether the
    sets were fitted on these same faces, which makes the numbers too good.
    """

    level: float
    coverage: float
    mean_size: float
    per_class: dict[str, dict[str, float | None]]
    in_sample: bool = False

    def to_json(self) -> dict[str, object]:
        return {
            "level": self.level,
            "coverage": round(self.coverage, 4),
            "mean_size": round(self.mean_size, 4),
            "per_class": {
                name: {key: None if value is None else round(value, 4) for key, value in row.items()}
                for name, row in self.per_class.items()
            },
            "in_sample": self.in_sample,
        }


def fit_quantiles(
    probabilities: NDArray[np.floating], labels: NDArray[np.int64], method: str
) -> dict[str, tuple[float, ...]]:
    """For each class and each of LEVELS, the largest nonconformity at which the class is in a set.

    probabilities: (N, 7), calibrated. labels: (N,). The ceil((n + 1) level)-th smallest of the class's own n faces if
    it has MIN_FACES or more (class-conditional or Mondrian: Vovk 2012), else of all faces; 1, which always includes the
    class, if there are too few faces for the level.
    """
    own = nonconformity(probabilities, method)[np.arange(len(labels)), labels]
    found = {}
    for index, name in enumerate(NAMES):
        mine = own[labels == index]
        scores = np.sort(mine if len(mine) >= MIN_FACES else own)
        found[name] = tuple(_quantile(scores, level) for level in LEVELS)
    return found


def _quantile(scores: NDArray[np.float64], level: float) -> float:
    rank = int(np.ceil((len(scores) + 1) * level - 1e-9))
    if rank > len(scores):
        return 1.0
    return float(min(np.ceil(scores[rank - 1] * 10**PLACES) / 10**PLACES, 1.0))


def coverage_of(
    members: NDArray[np.bool_], labels: NDArray[np.int64], level: float, in_sample: bool = False
) -> Coverage:
    """members: (N, 7), which classes are in each face's set. labels: (N,)."""
    held, sizes = members[np.arange(len(labels)), labels], members.sum(1)
    per_class: dict[str, dict[str, float | None]] = {}
    for index, name in enumerate(NAMES):
        mine = labels == index
        there = bool(mine.any())
        per_class[name] = {
            "coverage": float(held[mine].mean()) if there else None,
            "mean_size": float(sizes[mine].mean()) if there else None,
            "support": int(mine.sum()),
        }
    return Coverage(level, float(held.mean()), float(sizes.mean()), per_class, in_sample)


def held_out_members(
    logits: NDArray[np.floating], labels: NDArray[np.int64], fingerprints: NDArray[np.bytes_], method: str
) -> NDArray[np.bool_]:
    """Each face's set at LEVEL (N, 7), with the temperature and quantiles fitted on the other four folds."""
    fold = folds_of(fingerprints)
    members = np.zeros((len(labels), COUNT), bool)
    for index in range(FOLDS):
        fit, out = fold != index, fold == index
        temperature = fit_temperature(logits[fit], labels[fit])
        quantiles = fit_quantiles(softmax(logits[fit] / temperature), labels[fit], method)
        members[out] = PredictionSets(method, {"none": quantiles}).members(softmax(logits[out] / temperature))
    return members


def compare_methods(
    logits: NDArray[np.floating], labels: NDArray[np.int64], fingerprints: NDArray[np.bytes_]
) -> dict[str, Coverage]:
    """Each of METHODS, held out. logits: (N, 7) before the temperature, labels and fingerprints: (N,)."""
    return {
        method: coverage_of(held_out_members(logits, labels, fingerprints, method), labels, LEVEL) for method in METHODS
    }


def better_method(found: Mapping[str, Coverage]) -> str:
    """The method with the smallest sets within a point of the level; if none reaches it, the highest coverage."""
    kept = [method for method, one in found.items() if one.coverage >= one.level - 0.01]
    if kept:
        return min(kept, key=lambda method: found[method].mean_size)
    return max(found, key=lambda method: found[method].coverage)


def faces_digest(fingerprints: NDArray[np.bytes_]) -> str:
    """Does not depend on the pictures' order. fingerprints: (N,), from fer.data.dataset.fingerprints."""
    return hashlib.sha256(b"".join(one.ljust(16, b"\0") for one in sorted(fingerprints.tolist()))).hexdigest()
