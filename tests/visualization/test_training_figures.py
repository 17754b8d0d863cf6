"""The loss axis clips nothing."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from fer.visualization import training_figures
from tests.app.helpers import record


def losses(*pairs: tuple[float, float]):
    return [
        replace(record(epoch, 0.5), train_loss=train, validation_loss=validation)
        for epoch, (train, validation) in enumerate(pairs, 1)
    ]


def axis_of(records):
    return training_figures.curves(records, "loss").layout.yaxis


def test_a_narrow_range_begins_at_zero():
    axis = axis_of(losses((1.9, 2.0), (1.0, 1.2)))
    assert axis.type is None and axis.range == pytest.approx((0, 2.1))


def test_a_wide_range_is_logarithmic_and_holds_all():
    """As of a run whose validation loss was 51 at first, which an axis up to 4 once cut off."""
    records = losses((5.2, 51.0), (1.1, 1.4), (0.02, 0.4), (math.nan, math.inf))
    axis = axis_of(records)
    low, high = axis.range
    assert axis.type == "log" and low < math.log10(0.02) and high > math.log10(51.0)
    assert set(axis.ticktext) >= {"0.02", "0.1", "1", "10", "50"} and axis.title.text == "log scale"
    assert training_figures.comparison({"a": records}, "validation_loss").layout.yaxis.type == "log"
    assert training_figures.comparison({"a": records}, "validation_accuracy").layout.yaxis.type is None


def test_losses_that_are_no_numbers_have_an_axis_all_the_same():
    assert axis_of(losses((math.nan, math.inf))).range is None
    assert axis_of([]).range is None
