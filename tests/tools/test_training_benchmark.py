"""The stage runs and its numbers hang together; how fast this machine is, is not a test's business."""

from __future__ import annotations

import pytest

from fer.tools.training_benchmark import stages
from fer.training.config import TrainConfig


def test_the_stage_names_four_numbers_that_fit_together():
    results = stages(steps=2, config=TrainConfig(batch_size=16))
    ours, plain, faster, share = results.values()
    assert ours > 0 and plain > 0 and faster == pytest.approx(plain / ours) and 0 < share < 1
