"""A run that learned from synthetic faces: its own results, and what the page says of it beside a shipped model."""

from __future__ import annotations

import json
import re
import shutil

import pytest

from tests.app.evaluate.helpers import evaluate
from tests.app.helpers import control, made, words
from tests.conftest import ROOT


@pytest.fixture
def toy(tmp_path):
    """A run with 49 validation faces, whose best epoch is its second of two."""
    run = made(tmp_path / "runs", "toy")
    shutil.copy(ROOT / "weights" / "mini_xception.safetensors", run.best)
    card = json.loads((ROOT / "weights" / "mini_xception.json").read_text())
    own = {"data": "synthetic", "training": {}, "notes": "", "metrics": {"split": "PublicTest", "accuracy": 0.7}}
    (run.path / "best.json").write_text(json.dumps(card | own))
    return run


def use(app, spec: str):
    return app.sidebar.selectbox(key="model_widget").select(spec).run()


def test_a_runs_own_results_are_those_of_its_training(toy, app):
    use(app.run(), str(toy.path))
    assert not app.exception and "Results from training" in words(app) and "published" not in words(app).lower()
    assert "after epoch 2, its best, on the 49 validation faces of its data (synthetic faces)" in words(app)
    assert "Learned from drawings, not meant for photos" in words(app)


def test_whether_a_model_fits_the_data_is_said_both_ways(toy, app, small_csv):
    """On the synthetic faces the run is at home and compact is not, whose splits are not FER2013's; on photos compact
    is."""
    control(app, "evaluate_source").set_value("synthetic").run()
    assert "**compact** learned from photos. On drawings its answers mean little." in words(app)
    assert "PublicTest" not in words(app) and "Validation" in app.get("popover")[0].proto.popover.label
    use(app, str(toy.path))
    assert not app.exception and "on 420 faces" in words(app), "the data stays chosen"
    assert "**toy** learned from synthetic faces like these. Its results here say nothing about photos." in words(app)
    assert not app.main.warning
    evaluate(app, small_csv)
    assert "**toy** learned from drawings, not meant for photos. Its answers here mean little." in words(app)
    accuracy = app.metric[0]
    assert accuracy.label == "Accuracy" and re.fullmatch(r"95% interval: [\d.]+% to [\d.]+%", accuracy.delta)
    app.button(key="leave_drawings").click().run()
    assert not app.exception and not app.main.warning and not app.main.info
