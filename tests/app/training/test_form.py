"""Training's form by AppTest: ready at once, it starts one run."""

from __future__ import annotations

from fer.app import session
from fer.app.markdown import plain
from fer.app.training import form, state
from fer.training import launcher
from fer.training.config import TrainConfig
from fer.training.run_directory import RunDirectory
from tests.app.helpers import made, words
from tests.waiting import wait_for


def test_without_a_run_the_form_is_ready_and_start_learns(app, folder):
    app.switch_page("pages/training.py").run()
    assert not app.exception and "synthetic" in words(app)
    wait_for(lambda: "an epoch of 2,100 pictures" in words(app.run()), 120)
    app.number_input(key="setting_limit_Quick look_0").set_value(128)
    app.number_input(key="setting_epochs_Quick look_8").set_value(2).run()
    app.button(key="start").click().run()
    assert not app.exception
    (run,) = [RunDirectory(file.parent) for file in folder.glob("*/config.json")]
    assert app.query_params["run"] == [run.id] or app.query_params["run"] == run.id
    assert run.config.limit == 128 and run.config.epochs == 2 and run.config.batch_size == 64
    wait_for(lambda: run.status()["state"] == "finished")
    app.run()
    assert not app.exception and plain(run.id) in words(app)
    assert {metric.label for metric in app.metric} >= {"Best accuracy", "Macro-F1", "Learning rate", "Time taken"}
    app.button(key=f"use_{run.id}").click().run()
    assert "validation pictures of synthetic" in words(app)


def test_the_second_click_of_two_starts_nothing(app, folder, monkeypatch):
    started = []
    monkeypatch.setattr(launcher, "start", lambda config: started.append(config) or made(folder, f"run-{len(started)}"))
    monkeypatch.setattr(session.st, "session_state", {})
    monkeypatch.setattr(form.st, "query_params", {})
    number = state.new_form()
    form._start(TrainConfig(), number)
    form._start(TrainConfig(), number)
    assert len(started) == 1 and not session.message.get()
    form._start(TrainConfig(), state.new_form())
    assert len(started) == 2


def test_a_damaged_setting_is_told_and_start_waits(app):
    app.switch_page("pages/training.py").run()
    app.number_input(key="setting_epochs_Quick look_8").set_value(0).run()
    assert "epochs must be at least 1" in words(app) and app.button(key="start").disabled
