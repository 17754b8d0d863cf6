"""A model's card in Markdown says what the card beside its weights says."""

from __future__ import annotations

import json
from dataclasses import replace

from fer.models.weights import find_weights, read_card
from fer.tools import model_cards
from fer.tools.faithfulness import markdown


def test_a_card_tells_its_own_numbers():
    card = read_card(find_weights("mini_xception"))
    matrix = [[0] * 7 for _ in range(7)]
    for index, row in enumerate(matrix):
        row[index], row[(index + 1) % 7] = 3, 1  # three of four right, the fourth taken for the next class
    told = model_cards.model_card(
        "mini_xception",
        replace(card, metrics={**card.metrics, "accuracy": 0.123, "confusion_matrix": matrix}, threshold=0.777),
    )
    assert "12.3%" in told and "from a confidence of 77.7%" in told and "56,951 parameters" in told
    held = card.metrics["held_out_sets"]
    assert f"{100 * held['coverage']:.1f}% with {held['mean_size']:.2f} labels a face" in told and "one view" in told
    assert "**Prediction sets**: not fitted." in model_cards.model_card(
        "mini_xception", replace(card, prediction_sets=None)
    )
    assert "| angry | 4 | 75.0% | disgust, 25.0% |" in told and "| neutral | 4 | 75.0% | angry, 25.0% |" in told


def test_a_card_boasts_of_no_map_that_fails_its_tests(tmp_path, monkeypatch):
    rows = [
        {"method": method, "layer": None, "faithful": True, "sane": sane, "road_cost": cost, "road_random_cost": 0.04}
        for method, cost, sane in (("score_cam", 0.35, False), ("occlusion", 0.31, True), ("gradient", 0.2, True))
    ]
    file = tmp_path / "own.faithfulness.json"
    file.write_text(json.dumps({"sha256": "x", "faces": 60, "rows": rows}))
    monkeypatch.setattr(model_cards, "table_path", lambda weights: file)
    told = model_cards._explanations("mini_xception", read_card(find_weights("mini_xception")))
    assert "on 60 faces, removing the 10% that Occlusion marks most costs 31 points" in told


def test_precision_recall_and_f1_come_from_the_confusion_matrix():
    matrix = [[0] * 7 for _ in range(7)]
    matrix[0][0], matrix[0][1], matrix[1][1] = 3, 1, 4  # one angry face of four is taken for disgust
    angry, disgust, fear, *_ = model_cards._class_scores(matrix)
    assert angry == (1.0, 0.75, 6 / 7) and disgust == (0.8, 1.0, 8 / 9) and fear == (0, 0, 0)


def test_a_faithfulness_table_shows_what_was_measured():
    row = {"method": "occlusion", "layer": None, "faithful": True, "sane": True, "kept_top": -0.001, "kept_all": 0.2}
    row |= {"cost": 0.34, "random_cost": 0.05, "gain_low": -0.0001, "gain_high": 0.3}
    table = {"model": "small", "sha256": "0123456789abcdef", "faces": 3, "date": "2026-01-01", "rows": [row]}
    told = markdown(table)
    assert "| Occlusion |  | yes | 34.0 (5.0) | 0.0 to 30.0 | passes | 0.00 / 0.20 |" in told and "ROAD" not in told
    row |= {"road_cost": 0.1, "road_random_cost": 0.02, "road_gain_low": 0.01, "road_gain_high": 0.2}
    assert "| Occlusion |  | yes | 10.0 (2.0) | 1.0 to 20.0 | 34.0 (5.0) |" in markdown(table)
