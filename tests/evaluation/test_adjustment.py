"""Constants on logits: small, only where a recall is too low, and part of the network's own bias."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from fer.evaluation.adjustment import STEP, adjust, fit_adjustment
from fer.evaluation.calibration import calibrate
from fer.models.registry import ARCHITECTURES, build


def by_hand() -> tuple[np.ndarray, np.ndarray]:
    """Four faces of fear that neutral leads by 0.1 to 0.9 of a logit, and four clear faces of each other class."""
    logits = np.zeros((4 + 24, 7))
    labels = np.array([2] * 4 + [index for index in (0, 1, 3, 4, 5, 6) for _ in range(4)])
    logits[:4, 6], logits[:4, 2] = 5, 5 - np.array([0.1, 0.3, 0.5, 0.9])
    logits[np.arange(4, 28), labels[4:]] = 9
    return logits, labels


def test_a_low_recall_is_raised_as_far_as_needed_and_no_further():
    logits, labels = by_hand()
    constants = fit_adjustment(logits, labels, 0.5)
    lead = constants[2] - constants[6]
    assert 0.3 - 1e-9 <= lead <= 0.3 + STEP + 1e-9 and constants.mean() == pytest.approx(0)
    assert np.ptp(np.delete(constants, 2)) == 0
    assert ((logits + constants).argmax(1)[:4] == 2).tolist() == [True, True, False, False]


def test_nothing_is_added_where_every_recall_is_high_enough():
    logits, labels = by_hand()
    assert fit_adjustment(logits[4:], labels[4:], 0.5).tolist() == [0] * 7


def test_a_hopeless_class_stays_within_reach():
    logits, labels = by_hand()
    logits[:4, 2] = -50
    assert np.ptp(fit_adjustment(logits, labels, 0.5)) == pytest.approx(1)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_the_bias_carries_the_constants(name):
    network = build(name).eval()
    batch, constants = torch.randn(2, 1, 44, 44), np.linspace(-0.3, 0.3, 7)
    with torch.inference_mode():
        before = network(batch)
        adjust(network, constants)
        assert torch.allclose(network(batch) - before, torch.tensor(constants).float().expand(2, 7), atol=1e-5)


def test_calibration_holds_the_adjustment_out_too():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 7, 1400)
    logits = rng.normal(size=(1400, 7))
    logits[np.arange(1400), labels] += 2
    logits[:, 2] -= 1.5
    plain, fitted = (calibrate(logits, labels, np.arange(1400), adjusted) for adjusted in (False, True))
    fear = labels == 2
    assert plain["adjustment"].tolist() == [0] * 7
    assert (plain["held_out_probabilities"].argmax(1)[fear] == 2).mean() < 0.4
    assert (fitted["held_out_probabilities"].argmax(1)[fear] == 2).mean() == pytest.approx(0.5, abs=0.08)
