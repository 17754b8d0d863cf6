"""The numbers are the field's, computed by hand on cases small enough to see."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fer.data.dataset import Dataset, fingerprints
from fer.errors import DatasetError
from fer.evaluation.calibration import calibrate, fit_temperature, fit_threshold, folds_of
from fer.evaluation.curves import averages
from fer.evaluation.evaluation import Evaluation, shared_rows, study
from fer.evaluation.metrics import score
from fer.models.card import Card


def certain(*named: int, confidence: float = 0.94) -> np.ndarray:
    rows = np.full((len(named), 7), (1 - confidence) / 6)
    rows[np.arange(len(named)), named] = confidence
    return rows


def test_a_tiny_case_by_hand():
    report = score(certain(0, 0, 3, 3), np.array([0, 3, 3, 3]))
    assert report.n == 4 and report.accuracy == 0.75
    happy, angry = report.per_class["happy"], report.per_class["angry"]
    assert happy == pytest.approx({"precision": 1, "recall": 2 / 3, "f1": 0.8, "support": 3})
    assert angry == pytest.approx({"precision": 0.5, "recall": 1, "f1": 2 / 3, "support": 1})
    assert report.macro_f1 == pytest.approx((0.8 + 2 / 3) / 2)  # classes that occur nowhere do not count
    assert report.absent == ("disgust", "fear", "sad", "surprise", "neutral")
    assert report.per_class["sad"] == {"precision": None, "recall": None, "f1": None, "support": 0}
    assert report.confusion_matrix[3] == [1, 0, 0, 2, 0, 0, 0]  # row: truth
    assert report.nll == pytest.approx(-(3 * np.log(0.94) + np.log(0.01)) / 4)
    assert report.ece == pytest.approx(0.94 - 0.75, abs=1e-6)
    right = 0.06**2 + 6 * 0.01**2
    wrong = 0.94**2 + 0.99**2 + 5 * 0.01**2
    assert report.brier == pytest.approx((3 * right + wrong) / 4)


def test_a_class_that_is_absent_but_named_is_left_out_of_the_mean_and_said():
    named, truth = [0, 1, 2, 3, 4, 5, 6, 6], np.array([0, 1, 2, 3, 4, 5, 0, 1])  # neutral is named twice, never true
    report = score(certain(*named), truth)
    each = [2 / 3, 2 / 3, 1, 1, 1, 1]  # the two that are named neutral are missed by angry and disgust
    assert report.macro_f1 == pytest.approx(sum(each) / 6) and report.absent == ("neutral",)
    assert averages(certain(*named), truth).macro["f1"] == pytest.approx(report.macro_f1)
    assert "no faces of neutral" in report.absent_words() and "6 classes present" in report.absent_words()
    told = report.to_json()
    assert told["absent"] == ("neutral",) and told["per_class"]["neutral"]["f1"] is None
    assert score(certain(*range(7)), np.arange(7)).absent_words() == ""


def test_a_perfect_model_and_an_empty_split():
    report = score(certain(*range(7), confidence=1.0), np.arange(7))
    assert report.accuracy == report.macro_f1 == 1 and report.nll == report.ece == report.brier == 0
    with pytest.raises(DatasetError, match="empty"):
        score(np.empty((0, 7)), np.empty(0, int))


def test_ece_of_a_calibrated_and_an_overconfident_model():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 7, 40_000)
    right = rng.random(len(labels)) < 0.7
    named = np.where(right, labels, (labels + rng.integers(1, 7, len(labels))) % 7)
    assert score(certain(*named, confidence=0.7), labels).ece == pytest.approx(0, abs=0.01)
    assert score(certain(*named, confidence=0.9), labels).ece == pytest.approx(0.2, abs=0.01)


def test_faces_without_a_number_are_left_out_and_told():
    class Overflowing(Teller):
        def unchecked_probabilities(self, faces, tta="none"):
            rows = super().unchecked_probabilities(faces, tta)
            rows[faces[:, 0, 0] == 5] = np.nan
            return rows

    pixels = np.zeros((3, 48, 48), np.uint8)
    pixels[:, 0, 0] = [1, 5, 2]
    data = Dataset(pixels, np.array([1, 5, 2]), np.full(3, "PublicTest"))
    found = study(Overflowing(), data, "validation")
    assert found.report.n == 2 and found.report.accuracy == 1 and "1 face left out" in found.part.remarks[0]


class Teller:
    """Names the class written in a picture's first pixel."""

    name = "teller"
    card = Card("none")

    def unchecked_probabilities(self, faces, tta="none"):
        return certain(*faces[:, 0, 0])


def test_pictures_of_training_are_left_out_where_asked():
    pixels = np.zeros((5, 48, 48), np.uint8)
    pixels[:, 0, 0] = [1, 2, 1, 4, 5]
    pixels[4, 1, 1] = 9
    usage = np.array(["Training", "Training", "PublicTest", "PublicTest", "PublicTest"])
    data = Dataset(pixels, np.array([1, 2, 1, 3, 5]), usage)
    report = study(Teller(), data, "validation").report
    assert (report.split, report.n) == ("PublicTest", 3)
    assert report.accuracy == pytest.approx(2 / 3)  # the first also stands in Training
    assert report.accuracy_without_train_duplicates == pytest.approx(1 / 2)
    assert study(Teller(), data, "train").report.accuracy_without_train_duplicates is None
    with pytest.raises(DatasetError, match="has no PrivateTest"):
        study(Teller(), data, "test")
    with pytest.raises(DatasetError, match="no split"):
        study(Teller(), data, "other")


def test_the_temperature_of_logits_made_too_sharp():
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 1.5, (20_000, 7))
    odds = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    labels = (odds.cumsum(1) > rng.random((len(odds), 1))).argmax(1)
    assert fit_temperature(logits * 2.5, labels) == pytest.approx(2.5, rel=0.05)


def test_two_evaluations_share_the_faces_that_both_answered():
    def with_kept(kept):
        part = Dataset(np.zeros((len(kept), 48, 48), np.uint8), np.zeros(len(kept), np.int64), np.full(len(kept), "x"))
        return Evaluation("m", "x", 0.5, part, certain(*[0] * len(kept)), "none", None, kept=np.array(kept))

    mine, theirs = shared_rows(with_kept([0, 2, 3, 5]), with_kept([1, 2, 4, 5]))
    assert mine.tolist() == [1, 3] and theirs.tolist() == [1, 3]
    mine, theirs = shared_rows(replace(with_kept([0, 1, 2]), kept=None), with_kept([0, 2]))
    assert mine.tolist() == [0, 2] and theirs.tolist() == [0, 1]


def test_the_threshold_by_hand():
    confidence = np.array([0.9, 0.8, 0.7, 0.6, 0.5])
    right = np.array([1, 1, 0, 1, 0], bool)  # from the top: 100, 100, 67, 75, 60%
    assert fit_threshold(confidence, right, 0.75) == 0.6
    assert fit_threshold(confidence, right, 0.8) == 0.8
    assert fit_threshold(confidence, np.zeros(5, bool)) == 0.99
    tied = np.array([0.9, 0.7, 0.7, 0.7, 0.6])  # a threshold of 0.7 gives four answers, two of them right
    assert fit_threshold(tied, np.array([1, 1, 0, 0, 0], bool), 0.8) == 0.9
    assert fit_threshold(np.ones(10), np.arange(10) < 4, 0.8) == 0.99


def test_identical_pictures_share_a_fold():
    pixels = np.random.default_rng(0).integers(0, 3, (300, 2, 2), dtype=np.uint8)
    prints = fingerprints(pixels)
    folds = folds_of(prints)
    assert set(folds) == set(range(5))
    for value in np.unique(prints):
        assert len(set(folds[prints == value])) == 1


def test_calibration_helps_on_held_out_pictures():
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 7, 3000)
    logits = rng.normal(0, 1, (3000, 7))
    logits[np.arange(3000), labels] += 1.5
    result = calibrate(logits * 4, labels, np.arange(3000))
    sharp = np.exp(logits * 4) / np.exp(logits * 4).sum(1, keepdims=True)
    assert score(result["held_out_probabilities"], labels).ece < 0.03 < score(sharp, labels).ece
    assert result["accuracy_of_answers"] == pytest.approx(0.8, abs=0.03) and 0.1 < result["share_answered"] < 0.95
