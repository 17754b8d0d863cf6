"""A result before any choice, and the test split when it is asked for."""

from __future__ import annotations

from tests.app.evaluate.helpers import evaluate
from tests.app.helpers import tables, words
from tests.conftest import write_csv


def test_the_card_is_there_before_any_choice(app):
    assert not app.exception and "Published results" in words(app)
    assert {metric.label for metric in app.metric} == {"Accuracy", "Macro-F1", "ECE", "Without training duplicates"}
    assert len(app.get("plotly_chart")) == 2


def test_the_test_split_is_scored_when_it_is_asked_for(app, tmp_path):
    splits = ("PublicTest", "PrivateTest")
    write_csv(tmp_path / "fer2013.csv", [(label, split) for split in splits for label in range(7)])
    evaluate(app, tmp_path / "fer2013.csv")
    assert {choice.split for _, _, choice in app.session_state["evaluations"]} == {"PublicTest"}
    app.toggle(key="evaluate_by_split").set_value(True).run()
    assert not app.exception and len(app.session_state["evaluations"]) == 2
    assert any("Test (PrivateTest)" in table.get("split", []) for table in tables(app))
