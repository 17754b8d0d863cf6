"""Runs renamed, deleted, brought back and compared, by AppTest."""

from __future__ import annotations

import json

from fer.app.training import state
from fer.training.run_about import About, title_of, write_about
from tests.app.helpers import control, made, words


def test_a_new_name_is_a_title_and_a_deleted_run_comes_back(app, folder, monkeypatch):
    run = made(folder, "mine")
    app.query_params["run"] = "mine"
    app.switch_page("pages/training.py").run()
    app.text_input(key="name_mine").set_value("../out").run()
    app.button(key="rename_mine").click().run()
    assert "Run names may use letters, digits, spaces" in words(app) and title_of(run) == "mine"
    app.text_input(key="name_mine").set_value("My faces, take 2").run()
    app.button(key="rename_mine").click().run()
    assert title_of(run) == "My faces, take 2" and run.path.is_dir() and "**My faces, take 2**" in words(app)
    app.button(key="delete_mine").click().run()
    assert not app.exception and not run.path.exists() and "Deleted: **My faces, take 2**" in words(app)
    assert app.button(key="start")  # no run is left: the form again
    app.button(key="undo_delete").click().run()
    assert not app.exception and run.config and "**My faces, take 2**" in words(app)
    assert app.text_input(key="name_mine").value == "My faces, take 2"
    app.button(key="delete_mine").click().run()
    late_s = state.time.time() + 601
    monkeypatch.setattr(state.time, "time", lambda: late_s)
    app.run()
    assert not app.exception and "Deleted" not in words(app)


def test_runs_with_the_same_title_are_two_lines_and_two_choices(app, folder):
    for name in ("one", "two"):
        write_about(made(folder, name), About("Faces"))
    app.switch_page("pages/training.py").run()
    app.button(key="compare_runs").click().run()
    (chart,) = app.get("plotly_chart")
    assert not app.exception and {line["name"] for line in json.loads(chart.proto.spec)["data"]} == {
        "Faces [one]",
        "Faces [two]",
    }
    picker = app.selectbox(key="run_picker_compare")
    assert set(picker.options) == set(app.dataframe[0].value["run"]) == {"Faces [one]", "Faces [two]"}
    for name in ("one", "two"):
        app.session_state["training_view"] = "compare"
        app.run().selectbox(key="run_picker_compare").select(name).run()
        assert app.text_input(key=f"name_{name}").value == "Faces"


def test_without_a_run_in_the_chart_the_page_asks_for_one(app, folder):
    made(folder, "one")
    app.switch_page("pages/training.py").run()
    app.button(key="compare_runs").click().run()
    control(app, "compared_runs").set_value([]).run()
    assert not app.exception and "Choose runs above" in words(app) and "finished an epoch" not in words(app)
    (folder / "one" / "metrics.jsonl").unlink()
    control(app, "compared_runs").set_value(["one"]).run()
    assert "None of these runs has finished an epoch yet." in words(app)


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
