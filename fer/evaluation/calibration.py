"""Calibrate probabilities: fit a temperature, and the confidence threshold for giving an answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

import numpy as np

from fer.evaluation.adjustment import fit_adjustment
from fer.scores import softmax

if TYPE_CHECKING:
    from numpy.typing import NDArray

TARGET_PRECISION = 0.8  # share of the given answers that should be right
FOLDS = 5


class Calibration(TypedDict):
    """The result of `calibrate`: the first three are fitted on all pictures, the rest are held out."""

    adjustment: NDArray[np.float64]
    temperature: float
    threshold: float
    held_out_probabilities: NDArray[np.float64]
    share_answered: float
    accuracy_of_answers: float


def fit_temperature(logits: NDArray[np.floating], labels: NDArray[np.int64]) -> float:
    """The temperature with the lowest negative log-likelihood (Guo et al. 2017). logits: (N, 7). labels: (N,).

    Uses golden-section search, since the likelihood has one optimum over the logarithm of the temperature.
    """

    def loss(log_temperature: float) -> float:
        probabilities = softmax(logits / np.exp(log_temperature))
        return float(-np.log(np.maximum(probabilities[np.arange(len(labels)), labels], 1e-12)).mean())

    low, high, ratio = np.log(0.2), np.log(5.0), (np.sqrt(5) - 1) / 2
    for _ in range(40):
        left, right = high - ratio * (high - low), low + ratio * (high - low)
        if loss(left) < loss(right):
            high = right
        else:
            low = left
    return float(np.exp((low + high) / 2))


def fit_threshold(
    confidence: NDArray[np.floating], right: NDArray[np.bool_], target: float = TARGET_PRECISION
) -> float:
    """The lowest confidence threshold at which at least `target` of the given answers are right.

    confidence, right: (N,). Returns 0.99 if no threshold reaches the target.
    """
    order = np.argsort(-confidence, kind="stable")
    falling = np.minimum(confidence[order], 0.99)
    share_right = np.cumsum(right[order]) / np.arange(1, len(order) + 1)
    last_of_its_value = np.append(falling[1:] < falling[:-1], True)  # a threshold admits all answers of one confidence
    reached = np.flatnonzero((share_right >= target) & last_of_its_value)
    return float(falling[reached[-1]]) if len(reached) else 0.99


def folds_of(fingerprints: NDArray[np.bytes_ | np.integer], folds: int = FOLDS, seed: int = 0) -> NDArray[np.int64]:
    """A fold 0..folds-1 per picture (N,); identical pictures share one."""
    _, groups = np.unique(fingerprints, return_inverse=True)
    each: NDArray[np.int64] = np.random.default_rng(seed).integers(0, folds, groups.max() + 1)
    return each[groups]


def calibrate(
    logits: NDArray[np.floating],
    labels: NDArray[np.int64],
    fingerprints: NDArray[np.bytes_ | np.integer],
    adjusted: bool = False,
) -> Calibration:
    """Fit on four folds and score on the fifth, five times; then fit on all for shipping.

    adjusted: also fit a constant for each class's logit. Returns adjustment (7,), temperature and threshold (fitted on
    all), and, held out, probabilities (N, 7), the accuracy of the given answers and the share answered.
    """
    fold = folds_of(fingerprints)
    held = np.empty_like(logits, dtype=np.float64)
    answered = np.zeros(len(labels), bool)
    for index in range(FOLDS):
        fit, out = fold != index, fold == index
        constants, temperature, threshold = _fit(logits[fit], labels[fit], adjusted)
        held[out] = softmax((logits[out] + constants) / temperature)
        answered[out] = held[out].max(1) >= threshold
    right = held.argmax(1) == labels
    constants, temperature, threshold = _fit(logits, labels, adjusted)
    return {
        "adjustment": constants,
        "temperature": temperature,
        "threshold": threshold,
        "held_out_probabilities": held,
        "share_answered": float(answered.mean()),
        "accuracy_of_answers": float(right[answered].mean()) if answered.any() else 0.0,
    }


def _fit(
    logits: NDArray[np.floating], labels: NDArray[np.int64], adjusted: bool
) -> tuple[NDArray[np.float64], float, float]:
    constants = fit_adjustment(logits, labels) if adjusted else np.zeros(logits.shape[1])
    logits = logits + constants
    temperature = fit_temperature(logits, labels)
    probabilities = softmax(logits / temperature)
    return constants, temperature, fit_threshold(probabilities.max(1), probabilities.argmax(1) == labels)
