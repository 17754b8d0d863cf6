"""A run that is followed, by AppTest."""

from __future__ import annotations

import os
import signal

from fer.errors import RunError
from fer.training import launcher
from fer.training.config import TrainConfig
from fer.training.run_directory import RunDirectory
from tests.app.helpers import made, words
from tests.waiting import wait_for


def test_a_resumed_run_that_waits_is_queued_and_cannot_be_resumed_again(app, folder):
    run = made(folder, "waits", "paused")
    with run.lock():
        run.write_status("paused", epoch=2, epochs=9, step=3, steps=8, queued_at=1.0, message="Waiting for its turn.")
        app.switch_page("pages/training.py").run()
        assert not app.exception and "Waiting for the machine" in words(app)
        keys = {button.key for button in app.button}
        assert "Stop_waits" in keys and not keys & {"Resume_waits", "Pause_waits"}


def test_the_newest_run_opens_and_the_wall_goes_back(app, folder):
    os.utime(made(folder, "older").path / "config.json", (1e9, 1e9))
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
    wait_for(lambda: run.status().get("step"))
    os.kill(run.status()["pid"], signal.SIGKILL)
    wait_for(lambda: not run.is_locked())
    app.switch_page("pages/training.py").run()
    assert not app.exception and "ended without a word" in words(app)
    app.button(key="Resume_dead").click().run()
    assert not app.exception and wait_for(lambda: run.status()["state"] == "finished")


def test_a_button_that_cannot_do_its_work_says_why(app, folder, monkeypatch):
    def refuse(run: RunDirectory) -> None:
        raise RunError("The machine is full.")

    made(folder, "mine", "stopped")
    monkeypatch.setattr(launcher, "launch", refuse)
    app.switch_page("pages/training.py").run()
    app.button(key="Resume_mine").click().run()
    assert not app.exception and [error.value for error in app.error] == ["The machine is full\\."]
