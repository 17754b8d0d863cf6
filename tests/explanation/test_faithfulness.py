"""Deletion, insertion, sanity: by hand, and on 500 PublicTest faces where the data is at hand."""

from __future__ import annotations

import csv
import json

import cv2
import numpy as np
import pytest

from fer.explanation import faithfulness, sanity_check
from fer.explanation.attribution import Explainer, units
from fer.explanation.faithfulness import FRACTIONS, cell_order, curves, mean_curves, random_walks
from fer.explanation.faithfulness_table import (
    QUICK_S,
    best_layer,
    default_layer,
    opening_map,
    read_table,
    road_advantage,
    table_path,
    verdict,
)
from fer.explanation.methods import METHODS, evidence
from fer.expressions import COUNT
from fer.inference.recognizer import load
from fer.tools.faithfulness import bootstrap, measure, most_faithful_layer
from tests.conftest import SHARED


def top_left_counts(batch: np.ndarray) -> np.ndarray:
    """Class 0's "probability" is the mean of the top left 4 x 4 pixels; class 1's the rest of 1."""
    p = batch[:, 0, :4, :4].mean((1, 2))
    return np.stack([p, 1 - p], 1)


@pytest.fixture
def corner():
    """An 8 x 8 picture whose top left cell alone is 1; its mean gray is 1/4."""
    batch = np.zeros((1, 1, 8, 8), np.float32)
    batch[..., :4, :4] = 1
    return batch


def test_curves_by_hand(corner):
    marked = np.zeros((8, 8))
    marked[:4, :4] = 1
    assert cell_order(marked).tolist() == [0, 1, 2, 3]
    found = curves(top_left_counts, corner, marked, 0)
    # Four cells: the first is gone from the share at which a half cell rounds to one.
    expected = [1.0 if round(4 * fraction) < 1 else 0.25 for fraction in FRACTIONS]
    assert np.allclose(found.deletion, expected)
    assert np.allclose(found.insertion, [0.25 if round(4 * fraction) < 1 else 1.0 for fraction in FRACTIONS])
    area = sum((b - a) * (p + q) / 2 for a, b, p, q in zip(FRACTIONS, FRACTIONS[1:], expected, expected[1:]))
    assert found.deletion_area == pytest.approx(area)
    other = curves(top_left_counts, corner, marked, 1)
    assert other.deletion[-1] - other.deletion[0] == pytest.approx(0.75)


def test_a_map_that_marks_the_wrong_cell_costs_nothing(corner):
    wrong = np.ones((8, 8))
    wrong[:4, :4] = 0
    found = curves(top_left_counts, corner, wrong, 0)
    assert found.deletion[FRACTIONS.index(0.2)] == 1.0
    baseline = mean_curves(random_walks(top_left_counts, corner, orders=64))[0]
    right = np.zeros((8, 8))
    right[:4, :4] = 1
    assert curves(top_left_counts, corner, right, 0).deletion_area < baseline.deletion_area < found.deletion_area


def test_rank_correlation_by_hand():
    one = np.array([[1.0, 2.0], [3.0, 4.0]])
    assert sanity_check.rank_correlation(one, one**3, "occlusion") == pytest.approx(1)
    assert sanity_check.rank_correlation(one, -one, "occlusion") == pytest.approx(-1)
    assert sanity_check.rank_correlation(one, -one, "gradient") == pytest.approx(1)  # sizes
    assert sanity_check.rank_correlation(one, np.zeros((2, 2)), "occlusion") == 0
    # Ties share a rank: 1, 2.5, 2.5, 4 against 1, 2, 3, 4.
    assert sanity_check.rank_correlation(np.array([[0, 5], [5, 9.0]]), one, "occlusion") == pytest.approx(0.9486833)


def test_randomized_networks_change_what_they_say_they_change(explainer):
    before = {name: value.clone() for name, value in explainer.model.state_dict().items()}
    top, all_layers = (sanity_check.randomized(explainer, part).model.state_dict() for part in ("top", "all"))
    assert all((explainer.model.state_dict()[name] == value).all() for name, value in before.items())
    changed = {name for name in before if not (top[name] == before[name]).all()}
    assert changed == {"classifier.weight", "classifier.bias"}
    weights = [name for name in before if before[name].ndim == 4]
    assert weights and all(not (all_layers[name] == before[name]).all() for name in weights)
    again = sanity_check.randomized(explainer, "all").model.state_dict()
    assert all((again[name] == all_layers[name]).all() for name in again)


def test_guided_backpropagation_hardly_notices_the_last_layer(face, mini):
    """Adebayo et al. 2018, here: why the page labels it. The mean over the maps of all seven classes."""
    explainer = Explainer(mini)
    other = sanity_check.randomized(explainer, "top")
    kept = {}
    for method in ("guided_backprop", "grad_cam"):
        pairs = [
            (explainer.attribute(method, face.batch, units([k]))[0], other.attribute(method, face.batch, units([k]))[0])
            for k in range(COUNT)
        ]
        kept[method] = np.mean([sanity_check.rank_correlation(one, two, method) for one, two in pairs])
    assert kept["guided_backprop"] > sanity_check.FAILS_FROM > kept["grad_cam"], kept


# ------------------------------------------------------------------ the committed table


def test_the_committed_table_names_every_method_and_a_layer_that_exists(recognizer, mini):
    table = read_table(recognizer)
    assert table is not None, "run python -m fer tools faithfulness"
    for method in METHODS:
        layers = (*mini.attribution_layers(), "fused") if METHODS[method].layered else (None,)
        assert all(verdict(table, method, layer) for layer in layers)
    assert default_layer(recognizer) == most_faithful_layer(table["rows"]) == table["default_layer"]
    assert all(row["faithful"] == (row["road_gain_low"] > 0) for row in table["rows"])
    assert table["split"] == "PublicTest"


def test_the_best_layer_is_best_by_its_whole_curves():
    rows = [
        {"method": method, "layer": layer, "cost": cost, "road_insertion_area": inserted, "road_deletion_area": deleted}
        for method, layer, cost, inserted, deleted in (
            ("grad_cam", "block1", 0.21, 0.5, 0.3),
            ("grad_cam", "fused", 0.20, 0.6, 0.2),
            ("guided_grad_cam", "block2", 0.9, 0.9, 0.1),
        )
    ]
    assert most_faithful_layer(rows) == "fused"


def test_a_failed_sanity_check_says_which_number_failed():
    assert sanity_check.failure(0.49, 0.1) == ""
    assert "last layer" in sanity_check.failure(0.8, 0.1) and "face itself" not in sanity_check.failure(0.8, 0.1)
    assert "face itself" in sanity_check.failure(0.8, 0.7) and "face itself" in sanity_check.failure(0.1, 0.5)


def test_best_is_said_of_measured_weights_alone(recognizer, tmp_path):
    """A table of an earlier checkpoint, or none: no layer is called best, and all are fused."""
    from dataclasses import replace

    from fer.inference.recognizer import Recognizer

    assert best_layer(recognizer) == read_table(recognizer)["default_layer"]
    for sha256, layer, best in (("later", "block2", None), (recognizer.card.sha256, "block2", "block2")):
        card = replace(recognizer.card, sha256=sha256)
        own = Recognizer("own", recognizer.engine, card, tmp_path / "own.safetensors")
        assert best_layer(own) is None and default_layer(own) == "fused"  # there is no table yet
        table = json.loads(table_path(recognizer.weights).read_text())
        table_path(own.weights).write_text(json.dumps(table | {"default_layer": layer}))
        assert best_layer(own) == best and default_layer(own) == (best or "fused")
        table_path(own.weights).unlink()


@pytest.mark.parametrize(
    "content", ['{"rows": []}', '{"rows": [{"method": "occlusion", "layer": null}]}', "[" * 100_000, "[1]", "\xff"]
)
def test_a_damaged_table_is_no_table(recognizer, tmp_path, content):
    from fer.inference.recognizer import Recognizer

    own = Recognizer("own", recognizer.engine, recognizer.card, tmp_path / "own.safetensors")
    if content.startswith("{"):
        content = json.dumps(json.loads(content) | {"sha256": recognizer.card.sha256})
    table_path(own.weights).write_text(content, encoding="latin-1")
    assert read_table(own) is None and opening_map(own) == ("grad_cam", "fused")


def test_explain_opens_on_a_quick_map_that_passes_and_that_none_beats_on_a_layer_where_grad_cam_is_faithful():
    recognizer = load("compact", threads=1)
    rows, (method, layer) = read_table(recognizer)["by"], opening_map(recognizer)
    opened = rows.get((method, layer)) or rows[method, None]
    assert opened["sane"] and opened["seconds"] < QUICK_S and rows["grad_cam", layer]["faithful"]
    for row in rows.values():
        shown = row["layer"] is None or rows["grad_cam", row["layer"]]["faithful"]
        if shown and row["sane"] and row["seconds"] < QUICK_S:
            assert road_advantage(row) <= road_advantage(opened)


@pytest.fixture(scope="module")
def public_test():
    """500 PublicTest faces, cut from the shared sheet of 48 x 48 faces, 80 a row."""
    folder = SHARED / "data" / "fer2013"
    if not (folder / "faces.png").is_file():
        pytest.skip("FER2013 is not at hand (FER_SHARED)")
    with open(folder / "labels.csv", newline="") as file:
        usage = np.array([row["Usage"] for row in csv.DictReader(file)])
    sheet = cv2.imread(str(folder / "faces.png"), cv2.IMREAD_GRAYSCALE)
    faces = sheet.reshape(-1, 48, 80, 48).transpose(0, 2, 1, 3).reshape(-1, 48, 48)[: len(usage)]
    rows = np.flatnonzero(usage == "PublicTest")
    return faces[np.sort(np.random.default_rng(1).choice(rows, 500, replace=False))]


@pytest.mark.long
def test_what_maps_mark_costs_more_than_random_on_500_faces(recognizer, public_test):
    layer = default_layer(recognizer)
    rows = measure(recognizer, public_test, ("grad_cam", "guided_backprop", "guided_grad_cam"), (layer,), sane=False)
    for row in rows:
        assert row["cost"] > row["random_cost"] and row["gain_low"] > 0, row
        assert row["deletion_area"] < row["random_deletion_area"]
        assert row["insertion_area"] > row["random_insertion_area"]


def test_bootstrap_interval_holds_the_mean():
    gains = np.random.default_rng(0).normal(0.3, 1, 400)
    low, high = bootstrap(gains)
    assert low < gains.mean() < high and high - low == pytest.approx(4 * gains.std() / 20, rel=0.15)


def test_evidence_is_never_negative():
    values = np.array([[-2.0, 1.0]])
    assert evidence(values, "guided_backprop").tolist() == [[2, 1]]
    assert evidence(values, "occlusion").tolist() == [[0, 1]]
    assert faithfulness.gray(np.ones((1, 1, 2, 2), np.float32), np.zeros((3, 2, 2), bool)).shape == (3, 1, 2, 2)
