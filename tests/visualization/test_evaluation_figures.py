"""Charts of an evaluation: what stands in them, and that it can be read."""

from __future__ import annotations

import numpy as np
import pytest

from fer.evaluation.robustness import StressPoint
from fer.expressions import NAMES
from fer.visualization import evaluation_figures as charts
from fer.visualization.figures import SHARES
from tests.app.test_table import INKS, contrast

MATRIX = np.full((7, 7), 1) + np.diag([0, 5, 11, 20, 30, 60, 600])


@pytest.mark.parametrize("dark", [False, True])
def test_each_cells_number_contrasts_with_its_cell(dark):
    figure = charts.confusion(MATRIX.tolist(), dark=dark)
    low, high = (np.frombuffer(bytes.fromhex(color[1:]), np.uint8).astype(float) for color in SHARES[dark])
    shown = {(note.y, note.x): note for note in figure.layout.annotations}
    assert len(shown) == 49 and shown["neutral", "neutral"].text == "601"
    for (truth, predicted), note in shown.items():
        row = MATRIX[NAMES.index(truth)]
        share = row[NAMES.index(predicted)] / row.sum()
        cell = "#" + bytes((low + (high - low) * share).round().astype(np.uint8)).hex()
        assert contrast(cell, INKS[note.font.color]) >= 4.5, (truth, predicted)
    assert [tuple(end) for end in figure.data[0].colorscale] == list(zip((0.0, 1.0), SHARES[dark]))


def test_a_click_tells_truth_and_prediction():
    points = charts.confusion(MATRIX.tolist()).data[-1]
    at = list(zip(points.y, points.x)).index(("happy", "sad"))
    assert tuple(points.customdata[at]) == (NAMES.index("happy"), NAMES.index("sad"))


def test_small_charts_of_stress_share_one_axis_and_tell_two_models_apart_without_color():
    def points(change: float) -> list[StressPoint]:
        return [StressPoint("noise", 1, 0.5, change, change - 0.1, change + 0.1)]

    series = {"one": points(-0.2), "two": [*points(-0.5), StressPoint("scale", 1, 0.5, -0.01, -0.02, 0.0)]}
    noise, scale = (charts.stress_curves(series, condition) for condition in ("noise", "scale"))
    assert noise.layout.yaxis.range == scale.layout.yaxis.range and noise.layout.yaxis.range[0] <= -60
    assert [line.line.dash for line in noise.data if line.name] == ["solid", "dot"]


def test_the_cells_of_a_matrix_fill_the_chart():
    """The points on the cells, which take the clicks, make no margin around them."""
    figure = charts.confusion(np.eye(7, dtype=int))
    assert figure.layout.xaxis.range == (-0.5, 6.5) and figure.layout.yaxis.range == (6.5, -0.5)
