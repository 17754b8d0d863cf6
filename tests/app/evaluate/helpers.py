"""What several tests of Evaluate do."""

from __future__ import annotations

from tests.app.helpers import control


def evaluate(app, path):
    control(app, "evaluate_source").set_value("path").run()
    app.text_input(key="evaluate_path").set_value(str(path)).run()
    return app


def evaluate_part(app, part):
    control(app, "evaluate_section").set_value(part).run()
    return app


PARTS = ("Overview", "Confusion", "Calibration", "Curves", "Errors", "People", "Groups", "Another model")
