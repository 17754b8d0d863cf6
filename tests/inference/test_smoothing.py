"""Smoothing by numbers worked out by hand."""

from __future__ import annotations

from math import exp, log

import pytest

from fer.inference.smoothing import HOLD_S, MARGIN, ProbabilitySmoother, weight_of

ANGRY, HAPPY = (1.0, 0, 0, 0, 0, 0, 0), (0, 0, 0, 1.0, 0, 0, 0)


def lean(happy: float) -> tuple[float, ...]:
    return (1 - happy, 0, 0, happy, 0, 0, 0)


def test_half_is_forgotten_in_the_constants_half_life():
    steady = ProbabilitySmoother(constant_s=1.0)
    assert steady.update(ANGRY, 0.0)[0] == ANGRY
    smoothed, _ = steady.update(HAPPY, log(2))
    assert smoothed[0] == pytest.approx(0.5) and smoothed[3] == pytest.approx(0.5)


def test_seconds_count_and_not_frames():
    slow, fast = ProbabilitySmoother(constant_s=0.4), ProbabilitySmoother(constant_s=0.4)
    slow.update(ANGRY, 0.0), fast.update(ANGRY, 0.0)
    for step in range(1, 11):
        many, _ = fast.update(HAPPY, step / 10)
    once, _ = slow.update(HAPPY, 1.0)
    assert many == pytest.approx(once) and once[0] == pytest.approx(exp(-1 / 0.4))


def test_no_smoothing_is_the_frames_own():
    steady = ProbabilitySmoother(constant_s=0.0)
    steady.update(ANGRY, 0.0)
    assert steady.update(lean(0.51), 0.001) == (pytest.approx(lean(0.51)), "happy")
    assert weight_of(0.0, 1.0) == 0 and weight_of(5.0, 0.0) == 1


def test_a_clear_lead_takes_over_at_once_and_a_narrow_one_has_to_last():
    clear = ProbabilitySmoother(constant_s=0.01)
    clear.update(ANGRY, 0.0)
    assert clear.update(lean(0.5 + MARGIN / 2 + 0.01), 1.0)[1] == "happy"
    narrow = ProbabilitySmoother(constant_s=0.01)
    narrow.update(ANGRY, 0.0)
    assert narrow.update(lean(0.52), 1.0)[1] == "angry"
    assert narrow.update(lean(0.52), 1.0 + HOLD_S - 0.01)[1] == "angry"
    assert narrow.update(lean(0.52), 1.0 + HOLD_S)[1] == "happy"


def test_a_flicker_never_adds_up():
    steady = ProbabilitySmoother(constant_s=0.01)
    steady.update(ANGRY, 0.0)
    for step in range(1, 40):
        assert steady.update(lean(0.52 if step % 2 else 0.48), step * 0.2)[1] == "angry"
