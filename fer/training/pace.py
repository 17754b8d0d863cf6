"""How long a run takes: estimated before it starts, and told from its own steps while it goes.

Knows nothing of PyTorch.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass

from fer.training.config import TrainConfig

RECENT_STEPS, RECENT_EPOCHS = 100, 5
QUICKER, SLOWER = 0.85, 1.25  # a run against the few seconds that were timed: other work comes and goes meanwhile
JUDGED = 1 / 3  # of a step's cost a picture, what judging costs it: forward only


def small_epochs(config: TrainConfig) -> int:
    """How many of the epochs see smaller views."""
    return min(config.small_epochs, config.epochs) if config.small_size else 0


@dataclass(frozen=True)
class Range:
    """Seconds, from the quicker to the slower of what was measured."""

    low: float
    high: float

    def __add__(self, other: Range) -> Range:
        return Range(self.low + other.low, self.high + other.high)

    def times(self, factor: float) -> Range:
        return Range(self.low * factor, self.high * factor)


@dataclass(frozen=True)
class Costs:
    """Seconds, as measured: of starting; of a step and one of smaller views, with batches of `batch`; of judging a
    picture; of a picture's share in the batch-norm statistics; of keeping an epoch, from its state alone to new best
    weights."""

    batch: int
    start: float
    step: Range
    small_step: Range
    judged: float
    norm: float
    keep: Range

    def to_json(self) -> dict[str, object]:
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict) -> Costs:
        ranges = {name: Range(**values[name]) for name in ("step", "small_step", "keep")}
        return cls(**{**values, **ranges})

    def estimate(self, config: TrainConfig, training: int, validation: int) -> tuple[Range, Range]:
        """Of one epoch, and of the whole run, with so many pictures."""
        fitted = config.fitted(training)
        steps = max(training // fitted.batch_size, 1) * fitted.batch_size / self.batch
        judging = validation * self.judged + min(config.norm_pictures, training) * self.norm
        ends = self.keep + Range(judging, judging)
        small, epochs = small_epochs(config), config.epochs
        all_steps = self.small_step.times(steps * small) + self.step.times(steps * (epochs - small))
        timed = all_steps + ends.times(epochs)
        whole = Range(QUICKER * timed.low, SLOWER * timed.high)
        return whole.times(1 / epochs), whole + Range(self.start, self.start)


class Pace:
    """A run's own speed, from its steps and its epochs' ends of late, without the time that it was paused.

    steps: of an epoch; validation: pictures judged after each.
    """

    def __init__(
        self, config: TrainConfig, steps: int, validation: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.config, self.steps, self._clock = config, steps, clock
        self._judged_steps = JUDGED * validation / config.batch_size
        self._step_s = {small: deque[float](maxlen=RECENT_STEPS) for small in (False, True)}
        self._end_s = deque[float](maxlen=RECENT_EPOCHS)
        self._since = clock()

    def go(self) -> None:
        """From now on time counts: an epoch begins, or a pause is over."""
        self._since = self._clock()

    def step_done(self, epoch: int) -> None:
        self._step_s[epoch <= small_epochs(self.config)].append(self._elapsed())

    def epoch_done(self) -> None:
        """It was judged and kept."""
        self._end_s.append(self._elapsed())

    def _elapsed(self) -> float:
        since, self._since = self._since, self._clock()
        return self._since - since

    def left_s(self, epoch: int, step: int) -> float:
        """Seconds from this step of this epoch, counted from 1, to the end."""
        small = small_epochs(self.config)
        done = (epoch - 1) * self.steps + step
        small_left = max(small * self.steps - done, 0)
        full_left = max(self.config.epochs * self.steps - done, 0) - small_left
        ends_left = self.config.epochs - epoch + 1
        return small_left * self._step(True) + full_left * self._step(False) + ends_left * self._end()

    def _step(self, small: bool) -> float:
        if self._step_s[small]:
            return _mean(self._step_s[small])
        if not self._step_s[not small]:
            return 0.0
        area = (self.config.input_size / max(self.config.small_size, 1)) ** 2  # none yet of that size
        return _mean(self._step_s[not small]) * (1 / area if small else area)

    def _end(self) -> float:
        return _mean(self._end_s) if self._end_s else self._judged_steps * self._step(False)


def _mean(values: deque[float]) -> float:
    return sum(values) / len(values)
