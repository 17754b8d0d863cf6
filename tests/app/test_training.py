"""The Training page by AppTest: a ready form, a run that starts and is followed, names that lead nowhere."""

from __future__ import annotations

import json
import os
import signal
import time

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from fer.app.layout import plain
from fer.errors import DatasetError, RunError
from fer.records import EpochRecord
from fer.training import launcher, watched_faces
from fer.training.config import TrainConfig
from fer.training.run_directory import RunDirectory
from tests.conftest import ROOT
from tests.training.conftest import until


@pytest.fixture
def folder(tmp_path, monkeypatch):
    path = tmp_path / "runs"
    path.mkdir()
    monkeypatch.setenv("FER_RUNS", str(path))
    yield path
    for file in path.glob("*/config.json"):
        run = RunDirectory(file.parent)
        run.request("stop")
        assert until(lambda run=run: not run.is_locked(), 60)


@pytest.fixture
def app(monkeypatch, offline, folder):
    monkeypatch.chdir(ROOT)
    return AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=90).run()


def record(epoch: int, accuracy: float, best: bool = True) -> EpochRecord:
    return EpochRecord(epoch, 1.0, 0.5, 1.1, accuracy, 0.6, (0.5,) * 7, ((1,) * 7,) * 7, 0.05, 2.0, 900.0, best)


def made(folder, name: str, state: str = "finished", **settings) -> RunDirectory:
    run = RunDirectory.create(folder / name, TrainConfig(**settings))
    run.append(record(1, 0.4))
    run.append(record(2, 0.7))
    watched_faces.start(run, np.zeros((16, 48, 48), np.uint8), np.arange(16) % 7, 0)
    for epoch in (1, 2):
        watched_faces.append(run, epoch, np.eye(7)[np.arange(16) % 7] * 5 * epoch)
    run.write_status(state, epoch=2, epochs=2)
    return run


def words(app) -> str:
    kinds = (app.markdown, app.caption, app.error, app.warning, app.info)
    return "\n".join(element.value for kind in kinds for element in kind)


def test_without_a_run_the_form_is_ready_and_start_learns(app, folder):
    app.switch_page("pages/training.py").run()
    assert not app.exception and "synthetic" in words(app)
    assert until(lambda: "an epoch of 2,100 pictures" in words(app.run()), 120)
    app.number_input(key="setting_limit_Quick look_0").set_value(128)
    app.number_input(key="setting_epochs_Quick look_8").set_value(2).run()
    app.button(key="start").click().run()
    assert not app.exception
    (run,) = [RunDirectory(file.parent) for file in folder.glob("*/config.json")]
    assert app.query_params["run"] == [run.id] or app.query_params["run"] == run.id
    assert run.config.limit == 128 and run.config.epochs == 2 and run.config.batch_size == 64
    assert until(lambda: run.status()["state"] == "finished")
    app.run()
    assert not app.exception and plain(run.id) in words(app)
    assert {metric.label for metric in app.metric} >= {"Best accuracy", "Macro-F1", "Learning rate", "Time taken"}
    app.button(key=f"use_{run.id}").click().run()
    assert "validation pictures of synthetic" in words(app)


def test_the_form_is_there_before_the_data_is_read(app, monkeypatch):
    from fer.app.training import data_report

    def unreadable(*given):
        raise DatasetError("Nothing to read.")

    monkeypatch.setattr(data_report, "look_at", unreadable)
    app.switch_page("pages/training.py").run()
    assert not app.exception and not app.button(key="start").disabled
    assert [error.value for error in app.error] == [plain("Nothing to read.")]


def test_the_second_click_of_two_starts_nothing(app, folder, monkeypatch):
    from fer.app import session
    from fer.app.training import form

    started = []
    monkeypatch.setattr(launcher, "start", lambda config: started.append(config) or made(folder, f"run-{len(started)}"))
    monkeypatch.setattr(form.st, "session_state", held := {})
    monkeypatch.setattr(form.st, "query_params", {})
    number = session.new_form()
    form._start(TrainConfig(), number)
    form._start(TrainConfig(), number)
    assert len(started) == 1 and "told" not in held
    form._start(TrainConfig(), session.new_form())
    assert len(started) == 2


def test_a_resumed_run_that_waits_is_queued_and_cannot_be_resumed_again(app, folder):
    run = made(folder, "waits", "paused")
    with run.lock():
        run.write_status("paused", epoch=2, epochs=9, step=3, steps=8, queued_at=1.0, message="Waiting for its turn.")
        app.switch_page("pages/training.py").run()
        assert not app.exception and "Waiting for the machine" in words(app)
        keys = {button.key for button in app.button}
        assert "Stop_waits" in keys and not keys & {"Resume_waits", "Pause_waits"}


def test_a_damaged_setting_is_told_and_start_waits(app):
    app.switch_page("pages/training.py").run()
    app.number_input(key="setting_epochs_Quick look_8").set_value(0).run()
    assert "epochs must be at least 1" in words(app) and app.button(key="start").disabled


@pytest.mark.parametrize("name", ["../../etc", "no-such-run", "a/b", "%00", "*", "x" * 200])
def test_a_strangers_address_leads_nowhere(app, folder, name):
    made(folder, "mine")
    app.query_params["run"] = name
    app.switch_page("pages/training.py").run()
    assert not app.exception and len(app.error) == 1 and "mine" in words(app)


def test_the_newest_run_opens_and_the_wall_goes_back(app, folder):
    made(folder, "older")
    time.sleep(0.05)
    run = made(folder, "newer")
    app.switch_page("pages/training.py").run()
    assert not app.exception and app.selectbox(key="run_picker_newer").value == "newer"
    assert "After epoch 2: 16 of 16 right" in words(app)
    app.select_slider(key="wall_newer_2").set_value(1).run()
    assert "After epoch 1: 16 of 16 right" in words(app)
    app.selectbox(key="run_picker_newer").select("older").run()
    assert app.selectbox(key="run_picker_older").value == "older" and run.path.is_dir()


def test_a_died_run_says_so_and_resumes(app, folder):
    run = RunDirectory.create(folder / "dead", TrainConfig(limit=128, batch_size=32, epochs=2, threads=1))
    launcher.launch(run)
    assert until(lambda: run.status().get("step"))
    os.kill(run.status()["pid"], signal.SIGKILL)
    assert until(lambda: not run.is_locked())
    app.switch_page("pages/training.py").run()
    assert not app.exception and "ended without a word" in words(app)
    app.button(key="Resume_dead").click().run()
    assert not app.exception and until(lambda: run.status()["state"] == "finished")


def test_a_button_that_cannot_do_its_work_says_why(app, folder, monkeypatch):
    def refuse(run: RunDirectory) -> None:
        raise RunError("The machine is full.")

    made(folder, "mine", "stopped")
    monkeypatch.setattr(launcher, "launch", refuse)
    app.switch_page("pages/training.py").run()
    app.button(key="Resume_mine").click().run()
    assert not app.exception and [error.value for error in app.error] == ["The machine is full\\."]


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


def test_an_imbalanced_folder_offers_its_remedy(app, tmp_path):
    import cv2

    for name, count in (("happy", 60), ("sad", 6)):
        (tmp_path / "data" / "train" / name).mkdir(parents=True)
        for number in range(count):
            picture = np.full((48, 48), number + 100 * (name == "sad"), np.uint8)
            cv2.imwrite(str(tmp_path / "data" / "train" / name / f"{number}.png"), picture)
    app.switch_page("pages/training.py").run()
    app.segmented_control(key="data_source").set_value("path").run()
    app.text_input(key="data_path").set_value(str(tmp_path / "data")).run()
    assert not app.exception and "11 times as many happy as sad" in words(app)
    app.button(key="remedy_sampling").click().run()
    assert app.selectbox(key="setting_balance_Quick look_sampling").value == "sampling"
    assert "Balanced sampling is set above" in words(app)
    (tmp_path / "data" / "train" / "sad" / "torn.png").write_bytes(b"x")
    for _ in range(25):  # its files are looked at again after ten seconds
        if "torn" in words(app.run()):
            break
        time.sleep(0.5)
    assert "torn" in words(app)
    app.segmented_control(key="data_source").set_value("synthetic").run()
    assert app.selectbox(key="setting_balance_Quick look_none").value == "none"  # the remedy was for that data
    app.segmented_control(key="data_source").set_value("path").run()
    app.text_input(key="data_path").set_value("/no/such/place").run()
    assert "There is nothing at" in words(app)
