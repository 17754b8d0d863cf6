"""The rule on a card, by hand; and a card that a stranger wrote."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fer.conformal import LEVELS, METHODS, PredictionSets, nonconformity, set_names
from fer.errors import WeightsError
from fer.expressions import NAMES
from fer.models.card import Card
from fer.records import FaceBox, Quality

FACE = (0.05, 0.0, 0.1, 0.5, 0.0, 0.05, 0.3)
BOX = FaceBox(0, 0, 40, 40, detector="none")


def flat(quantile: float, **other: float) -> dict[str, tuple[float, ...]]:
    return {name: (other.get(name, quantile),) * len(LEVELS) for name in NAMES}


def rule(method: str = "lac", quantile: float = 0.75, **other: float) -> PredictionSets:
    return PredictionSets(method, {"none": flat(quantile, **other)})


def test_nonconformity_by_hand():
    assert nonconformity(np.array([FACE]), "lac")[0] == pytest.approx([0.95, 1, 0.9, 0.5, 1, 0.95, 0.7])
    # happy .5, neutral .8, fear .9, then angry .95 before surprise 1: of equals the first in order
    assert nonconformity(np.array([FACE]), "aps")[0] == pytest.approx([0.95, 1, 0.9, 0.5, 1, 1, 0.8])


@pytest.mark.parametrize(
    ("sets", "expected"),
    [
        (rule(quantile=0.75), ("happy", "neutral")),
        (rule(quantile=0.75, fear=0.9), ("happy", "neutral", "fear")),  # each class has its own
        (rule(quantile=0.1, fear=0.9), ("happy", "neutral", "fear")),  # neutral is more probable than fear
        (
            rule(quantile=0.1, fear=0.95, surprise=0.96),
            ("happy", "neutral", "fear", "angry", "surprise"),
        ),  # of equals both
        (rule(quantile=0.1), ("happy",)),  # the best guess, whatever the rule says
        (rule("aps", 0.8), ("happy", "neutral")),
        (rule(quantile=1.0), ("happy", "neutral", "fear", "angry", "surprise", "disgust", "sad")),
    ],
)
def test_a_set_by_hand(sets, expected):
    card = Card("mini_xception", prediction_sets=sets)
    assert card.judge(BOX, FACE, Quality()).prediction_set == expected
    row = np.array([FACE])
    assert set_names(sets.members(row)[0], row[0]) == expected


def test_a_higher_level_has_a_larger_set():
    rising = {name: tuple(np.linspace(0.5, 0.95, len(LEVELS))) for name in NAMES}
    sets = PredictionSets("lac", {"none": rising})
    sizes = [sets.members(np.array([FACE]), level=level).sum() for level in LEVELS]
    assert sizes == sorted(sizes) and (sizes[0], sizes[-1]) == (1, 5)


@pytest.mark.parametrize("method", METHODS)
def test_a_set_never_skips_a_more_probable_class_and_only_grows_by_that(method):
    rng = np.random.default_rng(0)
    faces = rng.dirichlet(np.full(7, 0.5), 500)
    limits = rng.uniform(0.2, 1, 7)
    sets = PredictionSets(method, {"none": {name: (limit,) * len(LEVELS) for name, limit in zip(NAMES, limits)}})
    members = sets.members(faces)
    outside_highest = np.where(members, -1, faces).max(1)
    assert (np.where(members, faces, 2).min(1) > outside_highest).all()
    by_class_alone = nonconformity(faces, method) <= limits
    assert (members >= by_class_alone).all() and 0 < (members > by_class_alone).any(1).mean() < 1


def test_other_views_have_no_set_unless_they_were_fitted():
    with pytest.raises(ValueError, match="flip"):
        rule().members(np.array([FACE]), "flip")
    with pytest.raises(ValueError, match=r"0\.5"):
        rule().members(np.array([FACE]), level=0.5)
    only_flip = Card("mini_xception", prediction_sets=PredictionSets("lac", {"flip": flat(0.7)}))
    assert only_flip.judge(BOX, FACE, Quality()).prediction_set == ()


def test_a_card_from_before_has_no_sets():
    values = Card("mini_xception").to_json()
    del values["prediction_sets"]
    card = Card.from_json(values)
    assert card.prediction_sets is None and card.judge(BOX, FACE, Quality()).prediction_set == ()


def test_a_card_keeps_its_sets():
    card = Card("mini_xception", prediction_sets=rule(fear=0.9))
    assert Card.from_json(card.to_json()) == card


def test_sure_is_quality_and_threshold():
    card = Card("mini_xception", threshold=0.5)
    assert card.judge(BOX, FACE, Quality()).sure and not card.judge(BOX, FACE, Quality(False, ("blurred",))).sure
    assert not replace(card, threshold=0.51).judge(BOX, FACE, Quality()).sure


@pytest.mark.parametrize(
    "change",
    [
        {"method": "magic"},
        {"method": []},
        {"level": 0.5},
        {"levels": [0.9]},
        {"quantiles": []},
        {"quantiles": {"upside down": {}}},
        {"quantiles": {"none": {"angry": [0.5] * 20}}},
        {"quantiles": {"none": {name: [0.5] * 19 for name in NAMES}}},
        {"quantiles": {"none": {name: [float("nan")] * 20 for name in NAMES}}},
        {"quantiles": {"none": {name: [True] * 20 for name in NAMES}}},
        {"quantiles": {"none": {name: [1.5] * 20 for name in NAMES}}},
        {"split": 3},
    ],
)
def test_a_strangers_card_is_checked(change):
    values = Card("mini_xception", prediction_sets=rule()).to_json()
    with pytest.raises(WeightsError, match="prediction sets"):
        Card.from_json({**values, "prediction_sets": {**values["prediction_sets"], **change}})
    with pytest.raises(WeightsError, match="prediction sets"):
        Card.from_json({**values, "prediction_sets": "none"})
