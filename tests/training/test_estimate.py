"""A few of the run's own steps, timed in a process of their own."""

from __future__ import annotations

import json
import subprocess
import sys
import time

from fer.models.structure import Part
from fer.training.config import TrainConfig
from fer.training.launcher import worker_environment
from fer.training.pace import Costs
from tests.conftest import ROOT


def lines(config: TrainConfig) -> list[dict]:
    command = [sys.executable, "-m", "fer.training.estimate", json.dumps(config.to_json()), str(time.time())]
    done = subprocess.run(command, cwd=ROOT, env=worker_environment(), check=True, capture_output=True, text=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_the_network_is_told_first_then_what_everything_costs():
    """With all that makes a step dearer: votes, smaller views first, a teacher, statistics measured anew."""
    config = TrainConfig(
        batch_size=8,
        small_size=22,
        small_epochs=3,
        ferplus_weight=1.0,
        teacher="mini_xception",
        teacher_epochs=2,
        norm_pictures=64,
        mixup=0.2,
        freeze="conv2",
        gradient_clip=1.0,
    )
    network, costs = lines(config)
    assert network["network"]["summary"]["parameters"] == 56_951 and network["network"]["side"] == 44
    assert [Part.from_json(part).name for part in network["network"]["parts"]][:3] == ["conv1", "conv2", "block1"]
    found = Costs.from_json(costs["costs"])
    assert found.batch == 8 and 0 < found.small_step.low <= found.small_step.high
    assert 0 < found.step.low <= found.step.high and found.judged > 0 and found.norm > 0
    assert found.start > 0.2 and 0 < found.keep.low < found.keep.high


def test_what_cannot_be_trained_is_a_sentence():
    (told,) = lines(TrainConfig(init="compact"))
    assert "are for vgg_small; this run trains mini_xception" in told["problem"]


def test_one_of_two_processes_is_timed_for_the_batch_of_both():
    costs = lines(TrainConfig(batch_size=16, processes=2))[1]["costs"]
    assert costs["batch"] == 16
