"""How long a run takes, by hand: estimated from what was timed, and told from its own steps."""

from __future__ import annotations

import json

import pytest

from fer.training.config import TrainConfig
from fer.training.pace import Costs, Pace, Range

STEP, SMALL = Range(1.0, 2.0), Range(0.25, 0.5)
COSTS = Costs(64, 10.0, STEP, SMALL, 0.01, 0.001, Range(0.5, 1.0))


def test_an_estimate_counts_steps_judging_statistics_and_keeping():
    """640 pictures are 10 steps; two of the four epochs see smaller views."""
    config = TrainConfig(batch_size=64, epochs=4, small_size=22, small_epochs=2, norm_pictures=500)
    epoch, whole = COSTS.estimate(config, 640, 100)
    low = 20 * 0.25 + 20 * 1.0 + 4 * (100 * 0.01 + 500 * 0.001 + 0.5)
    high = 20 * 0.5 + 20 * 2.0 + 4 * (100 * 0.01 + 500 * 0.001 + 1.0)
    assert epoch.low == pytest.approx(0.85 * low / 4) and epoch.high == pytest.approx(1.25 * high / 4)
    assert whole.low == pytest.approx(10 + 0.85 * low) and whole.high == pytest.approx(10 + 1.25 * high)
    assert Costs.from_json(json.loads(json.dumps(COSTS.to_json()))) == COSTS


def test_a_larger_batch_than_the_data_is_one_smaller_step():
    epoch, _ = COSTS.estimate(TrainConfig(batch_size=128, epochs=1), 32, 0)
    assert epoch.low == pytest.approx(0.85 * (1.0 * 32 / 64 + 0.5))


def test_the_time_left_is_that_of_its_own_steps_without_pauses():
    """Ten steps an epoch, 2 s each, then 5 s to judge and keep it; a pause of a thousand seconds is nothing."""
    now = [0.0]
    pace = Pace(TrainConfig(epochs=3, batch_size=64), 10, 0, lambda: now[0])
    assert pace.left_s(1, 0) == 0  # nothing is known yet
    for step in range(1, 11):
        now[0] += 2
        pace.step_done(1)
        if step == 5:
            now[0] += 1000
            pace.go()
            assert pace.left_s(1, 5) == pytest.approx(25 * 2)
    now[0] += 5
    pace.epoch_done()
    assert pace.left_s(2, 0) == pytest.approx(20 * 2 + 2 * 5)
    assert pace.left_s(3, 10) == pytest.approx(5)


def test_larger_views_are_foreseen_from_smaller_ones_until_they_are_measured():
    """44 pixels are four times as many as 22."""
    now = [0.0]
    pace = Pace(TrainConfig(epochs=2, small_size=22, small_epochs=1, batch_size=64), 4, 0, lambda: now[0])
    now[0] += 1
    pace.step_done(1)
    assert pace.left_s(1, 1) == pytest.approx(3 * 1 + 4 * 4)
    now[0] += 3
    pace.step_done(2)
    assert pace.left_s(2, 1) == pytest.approx(3 * 3)
