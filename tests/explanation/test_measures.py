"""Numbers about a map, by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from fer.explanation.measures import (
    RADIUS,
    agreement,
    complexity_rise,
    gini,
    judge,
    judge_removal,
    max_sensitivity,
    points_at,
)
from fer.records import Curves, MapMeasurements


def test_gini_is_0_where_all_count_alike_and_near_1_for_one():
    assert gini(np.ones((4, 4))) == pytest.approx(0)
    assert gini(np.zeros((4, 4))) == 0
    lone = np.zeros((4, 4))
    lone[1, 2] = 3
    assert gini(lone) == pytest.approx(15 / 16)
    assert gini(np.array([[1.0, 3.0]])) == pytest.approx(0.25)  # the mean difference over twice the mean: 2 / 4 / 2


def test_max_sensitivity_of_a_linear_map_is_bounded_by_the_move():
    batch = torch.from_numpy(np.random.default_rng(0).normal(size=(1, 1, 6, 6)).astype(np.float32))
    found = max_sensitivity(lambda faces: faces[:, 0].numpy(), batch)
    assert 0 < found <= RADIUS * batch.numpy().std() * 6 / np.linalg.norm(batch)
    assert max_sensitivity(lambda faces: np.ones((len(faces), 6, 6)), batch) == 0
    assert max_sensitivity(lambda faces: np.zeros((len(faces), 6, 6)), batch) == 0


def test_the_largest_change_counts():
    batch = torch.zeros((1, 1, 2, 2))

    def attribute(faces):
        maps = np.ones((len(faces), 2, 2))
        maps[3, 0, 0] = 3  # norm 2 of the change over norm 2 of the map
        return maps

    assert max_sensitivity(attribute, batch) == pytest.approx(1)


def test_a_random_network_s_map_that_is_more_complex_passes():
    plain, busy = np.zeros((10, 10)), np.arange(100.0).reshape(10, 10)
    plain[:5] = 1  # two bins, half each: ln 2; a hundred bins, a hundredth each: ln 100
    assert complexity_rise(plain, busy) == pytest.approx((np.log(100) - np.log(2)) / np.log(2))
    assert complexity_rise(busy, plain) < 0
    assert complexity_rise(np.ones((2, 2)), busy) == 0


def test_agreement_is_1_for_the_same_order_and_minus_1_for_the_opposite():
    one = np.arange(4.0).reshape(2, 2)
    assert np.allclose(agreement({"a": one, "b": one**2, "c": 3 - one}), [[1, 1, -1], [1, 1, -1], [-1, -1, 1]])


def test_the_strongest_pixel_points():
    regions = np.array([[0, 1], [2, 2]])
    evidence = np.array([[0.0, 5.0], [1.0, 2.0]])
    assert points_at(evidence, regions, (1,)) and not points_at(evidence, regions, (0, 2))


def _road(deletion: float, insertion: float) -> Curves:
    """Two points a curve, so that the areas are the means of their ends."""
    return Curves((0.0, 1.0), (2 * deletion, 0.0), (0.0, 2 * insertion))


def test_a_map_passes_where_it_beats_every_way_of_chance_and_what_was_learned_shapes_it():
    random = [_road(0.3, 0.3), _road(0.32, 0.3), _road(0.28, 0.3)]  # advantages 0, -0.02, 0.02: deviation 0.016
    good = MapMeasurements(road=_road(0.2, 0.4), kept_top=0.2, kept_all=0.1, sensitivity=0.2)
    assert judge_removal(good.road, random) == "pass" and judge(good, random)[0] == "pass"
    close = MapMeasurements(road=_road(0.29, 0.3), kept_top=0.2, kept_all=0.1)
    assert judge_removal(close.road, random) == "unclear" and judge(close, random)[0] == "unclear"
    wrong = MapMeasurements(road=_road(0.4, 0.2), kept_top=0.2, kept_all=0.1)
    assert judge(wrong, random)[0] == "fail"
    assert judge(replace(good, kept_top=0.7), random)[0] == "unclear"
    assert judge(replace(good, sensitivity=1.2), random)[0] == "fail"
    assert judge(MapMeasurements(), random) == ("unclear", "")
    assert judge(good, random)[1].startswith("Yes") and judge(wrong, random)[1].startswith("No")
    assert "specific to this expression" in judge(replace(good, kept_top=0.7), random)[1]
    assert "learned nothing" in judge(replace(good, kept_top=0.7, kept_all=0.6), random)[1]
    assert judge(close, random)[1].startswith("Hardly")
