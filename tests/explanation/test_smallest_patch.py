"""Against an exhaustive search, on networks small enough for one."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from fer.explanation.faithfulness import gray, square_of
from fer.explanation.smallest_patch import smallest_patch
from fer.scores import softmax

SIDE = 12  # nine squares of 4 x 4


def additive(weights: np.ndarray, bias: float):
    """Class 0 counts what each square is lighter than gray, by weights (9,); class 1 has the bias."""
    squares = square_of(SIDE)

    def probabilities(batch: np.ndarray) -> np.ndarray:
        means = np.stack([batch[:, 0][:, squares == one].mean(1) for one in range(9)], 1)
        return softmax(np.stack([means @ weights, np.full(len(batch), bias)], 1))

    return probabilities


def last(probabilities, batch):
    *_, (mask, changed) = smallest_patch(probabilities, batch)
    return mask, changed


def fewest(probabilities, batch) -> int:
    """How many squares the smallest patch of all has."""
    squares = square_of(SIDE)
    answer = probabilities(batch)[0].argmax()
    for count in range(1, 10):
        for patch in combinations(range(9), count):
            if probabilities(gray(batch, np.isin(squares, patch)[None]))[0].argmax() != answer:
                return count
    return 0


@pytest.mark.parametrize("seed", range(12))
def test_where_squares_act_independently_none_is_smaller(seed):
    rng = np.random.default_rng(seed)
    batch = rng.normal(size=(1, 1, SIDE, SIDE)).astype(np.float32)
    weights = rng.normal(size=9) * 3
    means = np.array([batch[0, 0][square_of(SIDE) == one].mean() for one in range(9)])
    probabilities = additive(weights, float(means @ weights) - 0.3)
    mask, changed = last(probabilities, batch)
    best = fewest(probabilities, batch)
    if changed:
        assert mask.sum() == 16 * best
        assert probabilities(gray(batch, mask[None]))[0].argmax() == 1
    else:
        assert best == 0 or best > 4


def test_where_squares_act_together_it_is_at_most_one_larger():
    def probabilities(batch: np.ndarray) -> np.ndarray:
        """Class 0 as long as one of the two lower corners is bright; a little surer where both are."""
        bright = np.logaddexp(4 * batch[:, 0, 8:, :4].mean((1, 2)), 4 * batch[:, 0, 8:, 8:].mean((1, 2))) / 4
        return softmax(np.stack([bright, np.full(len(batch), 0.5)], 1))

    batch = np.zeros((1, 1, SIDE, SIDE), np.float32)
    batch[0, 0, 8:, :4] = batch[0, 0, 8:, 8:] = 1
    mask, changed = last(probabilities, batch)
    best = fewest(probabilities, batch)
    assert changed and best == 2 and best <= mask.sum() / 16 <= best + 1


def test_an_answer_that_nothing_changes_ends_unchanged():
    def certain(batch: np.ndarray) -> np.ndarray:
        return np.tile([0.9, 0.1], (len(batch), 1))

    mask, changed = last(certain, np.random.default_rng(0).normal(size=(1, 1, SIDE, SIDE)).astype(np.float32))
    assert not changed and mask.mean() == pytest.approx(5 / 9)


def test_a_real_face_s_answer_changes_under_its_patch(face):
    steps = list(smallest_patch(face.probabilities, face.batch.numpy()))
    mask, changed = steps[-1]
    before = face.probabilities(face.batch.numpy())[0].argmax()
    after = face.probabilities(gray(face.batch.numpy(), mask[None]))[0].argmax()
    assert changed == (before != after) and [one.sum() for one, _ in steps[:-1]] == sorted(
        one.sum() for one, _ in steps[:-1]
    )


def test_more_squares_than_candidates_are_covered_up_to_half_of_the_face():
    """The answer changes once 52 of 121 equal squares are covered."""
    batch = np.ones((1, 1, 44, 44), np.float32)

    def probabilities(rows: np.ndarray) -> np.ndarray:
        covered = np.array([(row[0] != 1).mean() for row in rows])
        return softmax(np.stack([51.5 / 121 - covered, np.zeros(len(rows))], 1))

    batch[0, 0, 0, 0] = 1.001  # so that gray is another value
    mask, changed = last(probabilities, batch)
    assert changed and mask.sum() == 52 * 16
