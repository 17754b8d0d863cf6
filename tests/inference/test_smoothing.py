"""Smoothing by numbers worked out by hand."""

from __future__ import annotations

from math import exp, log

import pytest

from fer.inference.smoothing import ProbabilitySmoother, weight_of

ANGRY, HAPPY = (1.0, 0, 0, 0, 0, 0, 0), (0, 0, 0, 1.0, 0, 0, 0)


def test_half_is_forgotten_in_the_constants_half_life():
    steady = ProbabilitySmoother(constant_s=1.0)
    assert steady.update(ANGRY, 0.0) == ANGRY
    smoothed = steady.update(HAPPY, log(2))
    assert smoothed[0] == pytest.approx(0.5) and smoothed[3] == pytest.approx(0.5)


def test_seconds_count_and_not_frames():
    slow, fast = ProbabilitySmoother(constant_s=0.4), ProbabilitySmoother(constant_s=0.4)
    slow.update(ANGRY, 0.0), fast.update(ANGRY, 0.0)
    for step in range(1, 11):
        many = fast.update(HAPPY, step / 10)
    once = slow.update(HAPPY, 1.0)
    assert many == pytest.approx(once) and once[0] == pytest.approx(exp(-1 / 0.4))


def test_no_smoothing_is_the_frames_own():
    steady = ProbabilitySmoother(constant_s=0.0)
    steady.update(ANGRY, 0.0)
    assert steady.update((0.49, 0, 0, 0.51, 0, 0, 0), 0.001) == pytest.approx((0.49, 0, 0, 0.51, 0, 0, 0))
    assert weight_of(0.0, 1.0) == 0 and weight_of(5.0, 0.0) == 1
