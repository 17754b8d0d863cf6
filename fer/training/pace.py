"""How long a run takes: estimated before it starts, then measured from its own steps.

Knows nothing of PyTorch.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass

from fer.training.config import TrainConfig

RECENT_STEPS, RECENT_EPOCHS = 100, 5
QUICKER, SLOWER = 0.85, 1.25  # of a whole run, against the few seconds timed: the machine's load varies
JUDGED = 1 / 3  # cost of validating a picture against training on it: forward pass only


def small_epochs(config: TrainConfig) -> int:
    """The number of epochs with smaller inputs."""
    return min(config.small_epochs, config.epochs) if config.small_size else 0


@dataclass(frozen=True)
class Range:
    """A range of seconds, from the fastest to the slowest measurement."""

    low: float
    high: float

    def __add__(self, other: Range) -> Range:
        return Range(self.low + other.low, self.high + other.high)

    def times(self, factor: float) -> Range:
        return Range(self.low * factor, self.high * factor)


@dataclass(frozen=True)
class Costs:
    """Measured seconds: to start; per step, and per step with smaller inputs, at batches of `batch` over all processes;
    to validate one picture; per picture for the batch-norm statistics; to save an epoch, from its state alone to new
    best weights."""

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
        """Seconds per epoch, and for the whole run, with this many pictures."""
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
    """A run's speed, from its recent steps and ends of epochs, not counting pauses.

    steps: per epoch. validation: pictures evaluated after each epoch.
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
        """Start counting time, as an epoch begins or a pause ends."""
        self._since = self._clock()

    def step_done(self, epoch: int) -> None:
        self._step_s[epoch <= small_epochs(self.config)].append(self._elapsed())

    def epoch_done(self) -> None:
        """The epoch was validated and saved."""
        self._end_s.append(self._elapsed())

    def _elapsed(self) -> float:
        since, self._since = self._since, self._clock()
        return self._since - since

    def left_s(self, epoch: int, step: int) -> float:
        """Seconds from this step of this epoch, counted from 1, to the end of the run."""
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
        area = (self.config.input_size / max(self.config.small_size, 1)) ** 2  # no step of that size yet
        return _mean(self._step_s[not small]) * (1 / area if small else area)

    def _end(self) -> float:
        return _mean(self._end_s) if self._end_s else self._judged_steps * self._step(False)


def _mean(values: deque[float]) -> float:
    return sum(values) / len(values)
