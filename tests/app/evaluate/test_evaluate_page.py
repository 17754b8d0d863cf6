"""The page Evaluate by AppTest: every part of the report."""

from __future__ import annotations

from tests.app.evaluate.helpers import PARTS, evaluate, evaluate_part
from tests.app.helpers import control, words
from tests.conftest import write_csv


def test_every_part_of_the_report(app, small_csv):
    evaluate(app, small_csv)
    assert not app.exception and not app.error and "28 faces" in words(app)
    for part in PARTS:
        control(app, "evaluate_section").set_value(part).run()
        assert not app.exception and not app.error, (part, words(app))
    assert "no FER+ votes" in words(evaluate_part(app, "People"))


def test_one_class_only_and_missing_classes_are_told(app, tmp_path):
    write_csv(tmp_path / "fer2013.csv", [(3, "PublicTest")] * 5)
    evaluate(app, tmp_path / "fer2013.csv")
    assert not app.exception and "no faces of angry" in words(app) and "All these faces have one label" in words(app)
    for part in PARTS:
        assert not evaluate_part(app, part).exception and not app.error, part
