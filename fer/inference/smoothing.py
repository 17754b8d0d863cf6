"""Probabilities averaged over seconds, and labels that change only when another one leads for good."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fer.expressions import NAMES

if TYPE_CHECKING:
    from numpy.typing import NDArray

SMOOTHING_S = 0.4  # time constant: what was seen that long ago weighs 1/e
MARGIN = 0.1  # by which another expression must lead to take over at once
HOLD_S = 0.5  # or for how long it must lead by less


def weight_of(passed_s: float, constant_s: float) -> float:
    """The share of the new value after passed_s seconds, 0..1; 1 without smoothing."""
    return 1.0 if constant_s <= 0 else float(1 - np.exp(-max(passed_s, 0.0) / constant_s))


@dataclass
class ProbabilitySmoother:
    """One person's smoothed probabilities and label.

    constant_s: the time constant in seconds, so that slow and fast cameras are smoothed alike.
    """

    constant_s: float = SMOOTHING_S
    probabilities: NDArray[np.float64] | None = None
    label: int = -1
    _time_s: float = 0.0
    _rival: int = -1
    _rival_since_s: float = 0.0

    def update(self, probabilities: tuple[float, ...], time_s: float) -> tuple[tuple[float, ...], str]:
        """New probabilities (7,) at a time in seconds -> (smoothed probabilities, the label that holds)."""
        new = np.asarray(probabilities, float)
        if self.probabilities is None:
            self.probabilities, self.label = new, int(new.argmax())
        else:
            share = weight_of(time_s - self._time_s, self.constant_s)
            self.probabilities = self.probabilities + share * (new - self.probabilities)
            self._decide(self.probabilities, time_s)
        self._time_s = time_s
        return tuple(map(float, self.probabilities)), NAMES[self.label]

    def _decide(self, probabilities: NDArray[np.float64], time_s: float) -> None:
        leader = int(probabilities.argmax())
        if leader == self.label:
            self._rival = -1
            return
        if leader != self._rival:
            self._rival, self._rival_since_s = leader, time_s
        lead = probabilities[leader] - probabilities[self.label]
        if self.constant_s <= 0 or lead >= MARGIN or time_s - self._rival_since_s >= HOLD_S:
            self.label, self._rival = leader, -1
