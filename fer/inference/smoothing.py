"""Smooth probabilities over time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

SMOOTHING_S = 0.4  # time constant: a reading this old weighs 1/e


def weight_of(passed_s: float, constant_s: float) -> float:
    """The new value's weight after passed_s seconds, 0..1; 1 without smoothing."""
    return 1.0 if constant_s <= 0 else float(1 - np.exp(-max(passed_s, 0.0) / constant_s))


@dataclass
class ProbabilitySmoother:
    """One person's smoothed probabilities.

    constant_s: the time constant in seconds, which makes smoothing independent of the frame rate.
    """

    constant_s: float = SMOOTHING_S
    probabilities: NDArray[np.float64] | None = None
    _time_s: float = 0.0

    def update(self, probabilities: tuple[float, ...], time_s: float) -> tuple[float, ...]:
        """New probabilities (7,) at time_s seconds -> smoothed probabilities (7,)."""
        new = np.asarray(probabilities, float)
        if self.probabilities is None:
            self.probabilities = new
        else:
            share = weight_of(time_s - self._time_s, self.constant_s)
            self.probabilities = self.probabilities + share * (new - self.probabilities)
        self._time_s = time_s
        return tuple(map(float, self.probabilities))
