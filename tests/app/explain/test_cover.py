"""What the browser says of a covered face, and what is said of it."""

from __future__ import annotations

import numpy as np
import pytest

from fer.app.explain import cover
from fer.app.explain.what_if import squares_of
from fer.expressions import NAMES


def test_rectangles_are_cut_to_the_face():
    said = cover.parsed({"rectangles": [[-3, 40, 10, 10], [5, 5, 0, 2]], "sequence": 4}, 44)
    assert said == cover.Covered(((0, 40, 10, 4), (5, 5, 1, 2)), 4)
    mask = said.mask(44)
    assert mask[40:, :10].all() and mask[5:7, 5].all() and mask.sum() == 42


@pytest.mark.parametrize(
    "message",
    [
        None,
        "x",
        {},
        {"rectangles": 3, "sequence": 1},
        {"rectangles": [[1, 2]], "sequence": 1},
        {"rectangles": [["a", 0, 1, 1]], "sequence": 1},
        {"rectangles": [[0, 0, float("inf"), 1]], "sequence": 1},
        {"rectangles": [[0, 0, 1, 1]] * 1000, "sequence": 1},
    ],
)
def test_another_message_says_nothing(message):
    assert cover.parsed(message, 44) is None


def test_a_mask_of_squares_is_the_same_as_rectangles():
    mask = np.zeros((10, 10), bool)
    mask[4:8, :4] = mask[8:, 8:] = True
    assert np.array_equal(cover.Covered(tuple(squares_of(mask))).mask(10), mask)


def test_words_say_what_moved_and_whether_the_answer_changed():
    before = (0.0, 0.0, 0.1, 0.8, 0.0, 0.0, 0.1)
    after = np.array([0.0, 0.0, 0.6, 0.3, 0.0, 0.0, 0.1])
    assert cover.in_words(before, after) == "Happy falls by 50 points to 30%. The answer is now fear."
    assert cover.in_words(before, np.array(before)) == "Happy stays at 80%."
    bars = cover.bars_of(before, after)
    assert (
        [bar["name"] for bar in bars] == list(NAMES)
        and bars[2]["words"] == "60% (+50)"
        and bars[0]["words"] == "0% (0)"
    )
