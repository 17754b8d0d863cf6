"""Shared formulas: softmax, confusion matrix and macro-F1."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def softmax(logits: NDArray[np.floating]) -> NDArray[np.float64]:
    """(N, K) -> probabilities along the last axis, float64."""
    shifted = np.exp(logits.astype(np.float64) - logits.max(-1, keepdims=True))
    probabilities: NDArray[np.float64] = shifted / shifted.sum(-1, keepdims=True)
    return probabilities


def confusion_matrix(named: NDArray[np.int64], labels: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """Counts (count, count): true classes in rows, predicted classes in columns."""
    cells: NDArray[np.int64] = np.bincount(labels * count + named, minlength=count * count).reshape(count, count)
    return cells


def macro_f1(confusion: NDArray[np.int64]) -> float:
    """The mean F1 of the classes that occur; 0 if there are no faces.

    A class without faces has no recall and is left out of the mean. Faces wrongly predicted as that class still count
    as misses of their own classes.
    """
    there = confusion.sum(1) > 0
    both = confusion.sum(0) + confusion.sum(1)
    return float((2 * np.diag(confusion)[there] / both[there]).mean()) if there.any() else 0.0
