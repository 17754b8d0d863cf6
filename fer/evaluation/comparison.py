"""Two models on the same pictures: is the difference more than chance?"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

EXACT_UP_TO = 1000  # disagreements, above which the normal approximation is used


@dataclass(frozen=True)
class Comparison:
    """only_first, only_second: rows that only one model gets right. p: McNemar's test, two-sided."""

    accuracy_first: float
    accuracy_second: float
    only_first: NDArray[np.int64]
    only_second: NDArray[np.int64]
    p: float


def compare(first: NDArray[np.floating], second: NDArray[np.floating], labels: NDArray[np.int64]) -> Comparison:
    """first, second: probabilities (N, 7) for the same pictures (McNemar 1947; exact for few disagreements)."""
    right_first, right_second = first.argmax(1) == labels, second.argmax(1) == labels
    only_first = np.flatnonzero(right_first & ~right_second)
    only_second = np.flatnonzero(right_second & ~right_first)
    return Comparison(
        float(right_first.mean()),
        float(right_second.mean()),
        only_first,
        only_second,
        mcnemar_p(len(only_first), len(only_second)),
    )


def mcnemar_p(one: int, other: int) -> float:
    """The probability of a split at least this uneven if both models were equally good."""
    total, smaller = one + other, min(one, other)
    if total == 0 or one == other:
        return 1.0
    if total <= EXACT_UP_TO:
        p: float = 2 * sum(math.comb(total, k) for k in range(smaller + 1)) / 2**total
        return min(1.0, p)
    statistic = (abs(one - other) - 1) ** 2 / total
    return math.erfc(math.sqrt(statistic / 2))
