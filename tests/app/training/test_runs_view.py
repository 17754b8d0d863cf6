"""Runs renamed, deleted and compared, by AppTest."""

from __future__ import annotations

import json

from tests.app.helpers import made, words


def test_delete_needs_a_yes_and_rename_a_good_name(app, folder):
    run = made(folder, "mine")
    app.switch_page("pages/training.py").run()
    assert app.button(key="delete_mine").disabled
    app.text_input(key="name_mine").set_value("../out").run()
    app.button(key="rename_mine").click().run()
    assert "no name for a run" in words(app) and run.path.is_dir()
    app.text_input(key="name_mine").set_value("yours").run()
    app.button(key="rename_mine").click().run()
    assert (folder / "yours").is_dir() and not run.path.exists()
    app.checkbox(key="sure_yours").check().run()
    app.button(key="delete_yours").click().run()
    assert not app.exception and not (folder / "yours").exists()
    assert app.button(key="start")  # no run is left: the form again


def test_runs_are_compared_by_what_differs(app, folder):
    made(folder, "slow", learning_rate=0.01)
    made(folder, "fast", learning_rate=0.2)
    (made(folder, "broken").path / "config.json").write_text("{nonsense")
    app.switch_page("pages/training.py").run()
    app.button(key="compare_runs").click().run()
    assert not app.exception
    table = app.dataframe[0].value
    assert set(table["run"]) == {"slow", "fast", "broken"} and "learning_rate" in table and "momentum" not in table
    assert json.dumps(table[table["run"] == "fast"]["learning_rate"].tolist()) == '["0.2"]'
