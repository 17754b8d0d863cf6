"""Quantiles by hand and against crepes; the promise on simulated faces; what an evaluation says of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fer.conformal import LEVELS, PredictionSets, nonconformity
from fer.data.dataset import Dataset, fingerprints
from fer.evaluation.evaluation import Evaluation
from fer.evaluation.prediction_sets import (
    MIN_FACES,
    Coverage,
    better_method,
    compare_methods,
    coverage_of,
    faces_digest,
    fit_quantiles,
)
from fer.expressions import NAMES
from fer.scores import softmax


def simulated(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Logits that are calibrated by construction: labels are drawn from their softmax."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 2, (n, 7)) + [0, -2, 0, 1, 0, 0, 0]
    labels = (softmax(logits).cumsum(1) > rng.random((n, 1))).argmax(1)
    return logits, labels


def test_quantiles_by_hand():
    """Twenty happy faces with 0.00, 0.05 ... 0.95 for happy, and one sad face."""
    probabilities = np.zeros((21, 7))
    probabilities[:20, 3] = np.arange(20) / 20
    probabilities[20, 4] = 0.5
    labels = np.array([3] * 20 + [4])
    found = fit_quantiles(probabilities, labels, "lac")
    at = {level: found["happy"][LEVELS.index(level)] for level in (0.8, 0.9, 0.95, 0.96)}
    # The 17th, 19th and 20th of 21; at 0.96 it would have to be the 21st, which nobody has seen.
    assert at == pytest.approx({0.8: 0.85, 0.9: 0.95, 0.95: 1.0, 0.96: 1.0}, abs=1e-4)
    # Sad has one face: its quantile is that of all 21 (0.5 among them), of which the 20th of 22 is taken.
    assert found["sad"][LEVELS.index(0.9)] == pytest.approx(0.95, abs=1e-4) and found["sad"] == found["angry"]


def test_a_class_of_twenty_has_its_own_quantiles():
    logits, labels = simulated(2000, 0)
    rare = np.flatnonzero(labels == 1)
    for count, own in ((MIN_FACES - 1, False), (MIN_FACES, True)):
        kept = np.r_[np.flatnonzero(labels != 1), rare[:count]]
        found = fit_quantiles(softmax(logits[kept]), labels[kept], "lac")
        pooled = nonconformity(softmax(logits[kept]), "lac")[np.arange(len(kept)), labels[kept]]
        rank = int(np.ceil((len(kept) + 1) * 0.9))
        marginal = np.sort(pooled)[rank - 1]
        assert (found["disgust"][LEVELS.index(0.9)] != pytest.approx(marginal, abs=1e-4)) is own


@pytest.mark.parametrize("method", ["lac", "aps"])
def test_the_sets_are_those_of_crepes(method):
    from crepes import ConformalClassifier

    (logits, labels), (others, _) = simulated(700, 1), simulated(300, 2)
    kept = np.flatnonzero(labels != 1)  # disgust is left out: its quantile would be marginal here, without bins there
    calibration, labels, test = softmax(logits[kept]), labels[kept], softmax(others)
    ours = PredictionSets(method, {"none": fit_quantiles(calibration, labels, method)})
    scores = nonconformity(calibration, method)[np.arange(len(labels)), labels]
    theirs = ConformalClassifier().fit(scores, bins=labels)
    for level in (0.8, 0.9, 0.97):
        alphas, limits = nonconformity(test, method), [ours.quantiles["none"][name] for name in NAMES]
        by_class = alphas <= np.array(limits)[:, LEVELS.index(level)]
        for index in (0, 2, 3, 4, 5, 6):
            expected = theirs.predict_set(
                alphas[:, [index]], bins=np.full(len(test), index), confidence=level - 1e-9, smoothing=False
            )
            assert np.array_equal(by_class[:, index], expected[:, 0].astype(bool))
        # Ours are those, the best guess, and what is more probable than any of them.
        lowest = [min([row.max(), *row[inside]]) for row, inside in zip(test, by_class, strict=True)]
        assert np.array_equal(ours.members(test, level=level), test >= np.array(lowest)[:, None])


@pytest.mark.parametrize("method", ["lac", "aps"])
def test_other_faces_of_the_same_kind_get_what_is_promised(method):
    (logits, labels), (others, truth) = simulated(6000, 3), simulated(6000, 4)
    sets = PredictionSets(method, {"none": fit_quantiles(softmax(logits), labels, method)})
    for level in (0.8, 0.9, 0.95):
        found = coverage_of(sets.members(softmax(others), level=level), truth, level)
        assert found.coverage > level - 0.015
        assert all(row["coverage"] > level - 0.05 for row in found.per_class.values() if row["support"] > 300)


def test_coverage_by_hand():
    members = np.zeros((4, 7), bool)
    members[0, [3, 6]] = members[1, 3] = members[2, [0, 4]] = members[3, [0, 1, 4]] = True
    found = coverage_of(members, np.array([3, 6, 4, 4]), 0.9)
    assert (found.coverage, found.mean_size) == (0.75, 2.0)
    absent = {"coverage": None, "mean_size": None, "support": 0}
    assert found.per_class == {
        **dict.fromkeys(NAMES, absent),
        "happy": {"coverage": 1.0, "mean_size": 2.0, "support": 1},
        "sad": {"coverage": 1.0, "mean_size": 2.5, "support": 2},
        "neutral": {"coverage": 0.0, "mean_size": 1.0, "support": 1},
    }


def test_the_smaller_sets_win_among_those_that_keep_the_promise():
    def told(coverage: float, size: float) -> Coverage:
        return Coverage(0.9, coverage, size, {})

    assert better_method({"lac": told(0.902, 2.1), "aps": told(0.94, 3.1)}) == "lac"
    assert better_method({"lac": told(0.87, 1.9), "aps": told(0.94, 3.1)}) == "aps"
    assert better_method({"lac": told(0.87, 1.9), "aps": told(0.88, 3.1)}) == "aps"


def test_what_is_held_out_keeps_the_promise_too():
    logits, labels = simulated(4000, 5)
    found = compare_methods(logits * 2, labels, np.arange(4000).astype("S16"))  # twice too sharp: the temperature mends
    assert all(one.coverage > 0.885 for one in found.values())
    assert found["lac"].mean_size < found["aps"].mean_size


def evaluation(part: Dataset, sets: PredictionSets | None, tta: str = "none") -> Evaluation:
    probabilities = np.full((len(part.labels), 7), 0.05)
    probabilities[:, 3] = 0.7
    return Evaluation("m", "PublicTest", 0.5, part, probabilities, tta, None, sets=sets)


def test_an_evaluation_says_so_where_the_sets_were_fitted_on_its_faces():
    pixels = np.random.default_rng(0).integers(0, 255, (4, 48, 48), dtype=np.uint8)
    part = Dataset(pixels, np.array([3, 3, 3, 4]), np.array(["PublicTest"] * 4))
    quantiles = {"none": {name: (0.4,) * len(LEVELS) for name in NAMES}}
    fitted_here = PredictionSets("lac", quantiles, 0.9, "PublicTest", faces_digest(fingerprints(pixels[::-1])))
    told = evaluation(part, fitted_here).to_json()["sets"]
    assert (told["level"], told["coverage"], told["mean_size"], told["in_sample"]) == (0.9, 0.75, 1.0, True)
    assert told["per_class"]["sad"] == {"coverage": 0.0, "mean_size": 1.0, "support": 1}
    other = replace(part, pixels=255 - pixels)
    assert not evaluation(other, fitted_here).to_json()["sets"]["in_sample"]
    assert evaluation(part, fitted_here, "flip").to_json()["sets"] is None
    assert evaluation(part, None).to_json()["sets"] is None
