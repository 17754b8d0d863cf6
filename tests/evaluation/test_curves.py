"""Metrics equal scikit-learn's on random predictions; intervals, risk and reliability by hand."""

from __future__ import annotations

import numpy as np
import pytest
import sklearn.metrics as sk

from fer.evaluation.comparison import compare, mcnemar_p
from fer.evaluation.curves import (
    accuracy_by_answer,
    accuracy_interval,
    averages,
    precision_recall_curves,
    reliability,
    risk_coverage,
    roc_curves,
)
from fer.evaluation.ferplus_agreement import compare_with_people
from fer.evaluation.metrics import score
from fer.expressions import NAMES
from tests.evaluation.test_metrics import certain

RNG = np.random.default_rng(5)
PROBABILITIES = RNG.dirichlet(np.ones(7), 500)
LABELS = np.where(RNG.random(500) < 0.5, PROBABILITIES.argmax(1), RNG.integers(0, 7, 500))


def test_everything_equals_scikit_learn():
    named = PROBABILITIES.argmax(1)
    report, more = score(PROBABILITIES, LABELS), averages(PROBABILITIES, LABELS)
    for kind, ours in (("macro", more.macro), ("weighted", more.weighted)):
        precision, recall, f1, _ = sk.precision_recall_fscore_support(LABELS, named, average=kind)
        assert ours == pytest.approx({"precision": precision, "recall": recall, "f1": f1}, abs=1e-6)
    assert more.kappa == pytest.approx(sk.cohen_kappa_score(LABELS, named), abs=1e-6)
    assert more.top2 == pytest.approx(sk.top_k_accuracy_score(LABELS, PROBABILITIES, k=2))
    assert report.nll == pytest.approx(sk.log_loss(LABELS, PROBABILITIES), abs=1e-6)
    assert report.confusion_matrix == sk.confusion_matrix(LABELS, named).tolist()
    each = sk.precision_recall_fscore_support(LABELS, named)
    assert np.allclose([list(row.values()) for row in report.per_class.values()], np.array(each).T)


def test_curves_equal_scikit_learn():
    roc, precision_recall = roc_curves(PROBABILITIES, LABELS), precision_recall_curves(PROBABILITIES, LABELS)
    assert set(roc) == set(precision_recall) == set(NAMES)
    for index, name in enumerate(NAMES):
        truth = index == LABELS
        assert roc[name].area == pytest.approx(sk.roc_auc_score(truth, PROBABILITIES[:, index]), abs=1e-5)
        precision, recall, _ = sk.precision_recall_curve(truth, PROBABILITIES[:, index])
        assert precision_recall[name].area == pytest.approx(sk.auc(recall, precision), abs=1e-5)


def test_one_class_only_still_has_its_numbers():
    labels = np.zeros(4, int)
    assert averages(certain(0, 0, 0, 0), labels).kappa == 1 and roc_curves(certain(0, 0, 0, 0), labels) == {}


def test_the_interval_of_an_accuracy():
    right = np.arange(400) < 300
    low, high = accuracy_interval(right)
    half = 1.96 * np.sqrt(0.75 * 0.25 / 400)
    assert (low, high) == pytest.approx((0.75 - half, 0.75 + half), abs=0.005)
    assert accuracy_interval(np.ones(9, bool)) == pytest.approx((9 / (9 + 1.96**2), 1))  # Wilson's: not certainty


def test_reliability_by_hand():
    rows = reliability(np.vstack([certain(0, 0, confidence=0.94), certain(1, confidence=0.4)]), np.array([0, 1, 1]))
    assert [(row["count"], row["accuracy"]) for row in rows] == [(1, 1), (2, 0.5)]
    assert rows[1]["confidence"] == pytest.approx(0.94)


def test_risk_and_coverage_by_hand():
    probabilities = np.vstack([certain(0, confidence=p) for p in (0.9, 0.8, 0.7, 0.6)])
    curve = risk_coverage(probabilities, np.array([0, 1, 0, 1]))  # right, wrong, right, wrong
    assert curve.threshold.tolist() == pytest.approx([0.6, 0.7, 0.8, 0.9])
    assert curve.coverage.tolist() == [1, 0.75, 0.5, 0.25]
    assert curve.risk.tolist() == pytest.approx([0.5, 1 / 3, 0.5, 0])
    assert curve.at(0.65) == pytest.approx((0.75, 1 / 3)) and curve.at(0.95) == (0, 0)


def test_the_accuracy_of_each_answer_by_hand():
    probabilities = np.vstack([certain(0, confidence=p) for p in (0.9, 0.8, 0.7, 0.4)] + [certain(3, confidence=0.6)])
    found = accuracy_by_answer(probabilities, np.array([0, 0, 2, 1, 3]), 0.5)  # the fourth is not sure
    angry, happy = found["angry"], found["happy"]
    middle, half = (2 / 3 + 1.96**2 / 6) / (1 + 1.96**2 / 3), np.sqrt(2 / 27 + (1.96 / 6) ** 2) / (1 + 1.96**2 / 3)
    assert (angry.count, angry.right) == (3, pytest.approx(2 / 3))
    assert (angry.low, angry.high) == pytest.approx((middle - 1.96 * half, middle + 1.96 * half))
    assert (happy.count, happy.right, happy.high) == (1, 1, 1) and happy.low == pytest.approx(1 / (1 + 1.96**2))
    assert found["fear"].to_json() == {"count": 0, "right": None, "low": None, "high": None}


def test_mcnemar_by_hand():
    assert mcnemar_p(1, 5) == pytest.approx(2 * (1 + 6) / 64)
    assert mcnemar_p(0, 0) == 1 and mcnemar_p(4, 4) == 1
    assert mcnemar_p(900, 1100) == pytest.approx(8.6e-6, rel=0.02)  # the exact binomial test
    result = compare(certain(0, 1, 2), certain(0, 0, 0), np.array([0, 1, 0]))
    assert result.only_first.tolist() == [1] and result.only_second.tolist() == [2]


def votes(**counts) -> list[int]:
    order = ("neutral", "happy", "surprise", "sad", "angry", "disgust", "fear", "contempt", "unknown", "nf")
    return [counts.get(name, 0) for name in order]


def test_people_beside_the_model():
    people = np.array([votes(happy=10), votes(sad=6, neutral=4), votes(fear=8, surprise=2), votes()], np.uint8)
    named = certain(3, 6, 4, 0, confidence=1.0)  # happy, neutral, sad, angry
    labels = np.array([3, 4, 4, 0])
    labels[2] = 5  # the label says surprise, people say fear
    result = compare_with_people(named, labels, people)
    assert result.pictures == 3
    assert result.distance == pytest.approx((0 + 0.6 + 1) / 3)
    assert result.agreement_with_majority == pytest.approx(1 / 3) and result.majority_accuracy == pytest.approx(2 / 3)
    assert result.real_errors.tolist() == [1] and result.label_noise.tolist() == []
    people[2] = votes(sad=9, fear=1)  # now people see what the model sees
    assert compare_with_people(named, labels, people).label_noise.tolist() == [2]
    assert compare_with_people(named[3:], labels[3:], people[3:]) is None
