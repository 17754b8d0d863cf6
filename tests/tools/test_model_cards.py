"""docs/models.md says what the cards beside the weights say."""

from __future__ import annotations

from dataclasses import replace

from fer.models.weights import find_weights, read_card, shipped_names
from fer.tools import model_cards


def test_the_page_is_up_to_date():
    written = model_cards.PAGE.read_text(encoding="utf-8")
    assert written == model_cards.page(shipped_names()), "run: python -m fer tools model-cards"


def test_a_card_tells_its_own_numbers():
    card = read_card(find_weights("mini_xception"))
    matrix = [[0] * 7 for _ in range(7)]
    for index, row in enumerate(matrix):
        row[index], row[(index + 1) % 7] = 3, 1  # three of four right, the fourth taken for the next class
    told = model_cards.model_card(
        "mini_xception",
        replace(card, metrics={**card.metrics, "accuracy": 0.123, "confusion_matrix": matrix}, threshold=0.777),
    )
    assert "12.3%" in told and "from 77.7% on" in told and "56,951 parameters" in told
    held = card.metrics["held_out_sets"]
    assert f"{100 * held['coverage']:.1f}% with {held['mean_size']:.2f} labels a face" in told and "one view" in told
    assert "**Prediction sets**: not fitted." in model_cards.model_card(
        "mini_xception", replace(card, prediction_sets=None)
    )
    assert "| angry | 4 | 75.0% | disgust, 25.0% |" in told and "| neutral | 4 | 75.0% | angry, 25.0% |" in told
