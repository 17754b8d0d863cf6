"""A run that is followed, by AppTest."""

from __future__ import annotations

import json
import os
import shutil
import signal

from fer.app.markdown import plain
from fer.app.model_choice import TrainedRun
from fer.errors import RunError
from fer.training import launcher
from fer.training.config import TrainConfig
from fer.training.run_about import About, write_about
from fer.training.run_directory import RunDirectory
from tests.app.helpers import made, words
from tests.conftest import ROOT
from tests.waiting import wait_for


def test_a_resumed_run_that_waits_is_queued_and_cannot_be_resumed_again(app, folder):
    run = made(folder, "waits", "paused")
    with run.lock():
        run.write_status("paused", epoch=2, epochs=9, step=3, steps=8, queued_at=1.0, message="Waiting for its turn.")
        app.switch_page("pages/training.py").run()
        assert not app.exception and "Waiting for the machine" in words(app)
        keys = {button.key for button in app.button}
        assert "Stop_waits" in keys and not keys & {"Resume_waits", "Pause_waits"}


def test_a_run_opens_from_the_address_and_the_watched_faces_go_back(app, folder):
    os.utime(made(folder, "older").path / "config.json", (1e9, 1e9))
    run = made(folder, "newer")
    app.query_params["run"] = "newer"
    app.switch_page("pages/training.py").run()
    assert not app.exception and app.selectbox(key="run_picker_newer").value == "newer"
    assert "After epoch 2: 16 of 16 right. These are 16 of the 49 validation faces" in words(app)
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
    assert not app.exception and "ended without an error" in words(app)
    app.button(key="Resume_dead").click().run()
    assert not app.exception and wait_for(lambda: run.status()["state"] == "finished")


def test_a_button_that_cannot_do_its_work_says_why(app, folder, monkeypatch):
    def refuse(run: RunDirectory) -> None:
        raise RunError("The machine is full.")

    made(folder, "mine", "stopped")
    app.query_params["run"] = "mine"
    monkeypatch.setattr(launcher, "launch", refuse)
    app.switch_page("pages/training.py").run()
    app.button(key="Resume_mine").click().run()
    assert not app.exception and [error.value for error in app.error] == ["The machine is full\\."]


def test_a_failed_run_offers_what_to_change_and_the_form_has_its_values(app, folder, monkeypatch):
    """A diverged run goes on to the same end, so that Resume is not offered; after a full disk it is."""
    run = made(folder, "wild", "failed", learning_rate=5.0, epochs=8, mixup=0.3)
    run.write_status("failed", message="The loss became nan.", cause="diverged")
    app.switch_page("pages/training.py").run()
    assert not app.exception and plain("Try a learning rate of 0.5") in words(app)
    assert "Resume_wild" not in {button.key for button in app.button}
    app.button(key="Change settings_wild").click().run()
    assert not app.exception and app.button(key="start")
    values = {box.label: box.value for box in [*app.main.number_input, *app.main.selectbox]}
    assert values["Learning rate"] == 5.0 and values["Epochs"] == 8 and values["Mixup"] == 0.3
    assert values["Preset"] == "Standard" and "3 changed" in words(app)
    started = []
    monkeypatch.setattr(launcher, "start", lambda config: started.append(config) or made(folder, "next"))
    app.button(key="start").click().run()
    assert started == [run.config]
    run.write_status("failed", message="The disk is full.", cause="disk")
    app.query_params["run"] = "wild"
    app.run()
    assert {"Resume_wild", "Change settings_wild"} <= {button.key for button in app.button}


def test_the_queue_tells_place_and_time(app, folder):
    """Behind 90 s of a run that trains and 400 s that another was estimated to take."""
    training, first, mine = (made(folder, name, "queued") for name in ("training", "first", "mine"))
    write_about(first, About("First", "", 400.0))
    app.query_params["run"] = "mine"
    with training.lock(), first.lock(), mine.lock():
        training.write_status("running", epoch=1, epochs=2, step=1, steps=2, left_s=90.0)
        first.write_status("queued", queued_at=1.0)
        mine.write_status("queued", queued_at=2.0)
        app.switch_page("pages/training.py").run()
        assert not app.exception and "Place in the queue: 2. It should start in about 8 min" in words(app)
        write_about(first, About())
        app.run()
        assert "Place in the queue: 2. You can use every page meanwhile" in words(app)
        app.query_params["run"] = "training"
        app.run()
        assert "step 1 of 2. About 2 min left" in str(app.get("progress")[0].proto)


def test_a_run_is_used_in_predict_while_it_trains(app, folder):
    run = made(folder, "young", "running")
    app.query_params["run"] = "young"
    with run.lock():
        run.write_status("running", epoch=3, epochs=9, step=1, steps=8)
        app.switch_page("pages/training.py").run()
        assert not app.exception and "use_young" not in {button.key for button in app.button}
        shutil.copy(ROOT / "weights" / "mini_xception.safetensors", run.best)
        shutil.copy(ROOT / "weights" / "mini_xception.json", run.best.with_suffix(".json"))
        app.run()
        keys = [button.key for button in app.main.button]
        assert keys.index("Stop_young") + 1 == keys.index("use_young") < keys.index("evaluate_young")
        assert "uses epoch 2, the best so far" in words(app)
        app.button(key="use_young").click().run()
    assert not app.exception and [title.value for title in app.title] == ["Predict"]
    assert app.sidebar.selectbox(key="model_widget").value == str(run.path)


def test_a_run_on_synthetic_faces_says_so(app, folder):
    shutil.copy(ROOT / "weights" / "mini_xception.safetensors", made(folder, "toy").best)
    card = json.loads((ROOT / "weights" / "mini_xception.json").read_text()) | {"data": "synthetic", "training": {}}
    (folder / "toy" / "best.json").write_text(json.dumps(card))
    app.query_params["run"] = "toy"
    app.switch_page("pages/training.py").run()
    assert not app.exception and "Learned from drawings, not meant for photos" in words(app)
    for key, page, heading in (
        ("use_toy", "pages/predict.py", "Predict"),
        ("evaluate_toy", "pages/evaluate.py", "Evaluate"),
        ("camera_toy", "pages/predict.py", "Predict"),
    ):
        app.query_params["run"] = "toy"
        app.switch_page("pages/training.py").run()
        app.button(key=key).click().run()
        assert not app.exception and [title.value for title in app.title] == [heading], page
        assert app.sidebar.selectbox(key="model_widget").value == TrainedRun(folder / "toy").spec
        if page == "pages/evaluate.py":  # what it says there depends on the data, of which none is chosen
            assert not app.main.warning and "Learned from drawings, not meant for photos" in words(app)
        else:
            (warning,) = app.main.warning
            assert "**toy** learned from drawings, not meant for photos" in warning.value
        assert any("Learned from drawings" in caption.value for caption in app.sidebar.caption)
        assert not any("right on" in caption.value for caption in app.sidebar.caption)
    assert app.session_state["predict_tabs"] == "Camera"
    app.button(key="leave_drawings").click().run()
    assert not app.main.warning and app.sidebar.selectbox(key="model_widget").value == "compact"
