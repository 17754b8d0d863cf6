"""The shared demo (`FER_HOSTED=1`): smaller limits, no server paths, own runs only, failures with a number."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
import time
import zipfile
from contextlib import ExitStack, suppress
from dataclasses import asdict, replace
from itertools import product
from pathlib import Path

import cv2
import numpy as np
import pytest
from streamlit.runtime.uploaded_file_manager import UploadedFile, UploadedFileRec
from streamlit.testing.v1 import AppTest

from fer.app.model_choice import ShippedModel
from fer.app.predict import photo_reading, webcam
from fer.app.server import retention
from fer.app.server.retention import remove_expired
from fer.app.training import form, runs_view
from fer.app.training import state as training_state
from fer.app.training.data_report import look_at
from fer.app.training.state import TrainingData
from fer.data import uploads
from fer.errors import RunError
from fer.limits import HOSTED, OPEN, hosted, limits
from fer.training import launcher, watched_faces
from fer.training.config import TrainConfig
from fer.training.run_about import title_of
from fer.training.run_directory import RunDirectory
from fer.training.worker import train
from tests.app.helpers import made, words
from tests.conftest import ROOT
from tests.load.visitor import Visitor
from tests.serving import await_health, free_port
from tests.waiting import wait_for


@pytest.fixture
def demo(monkeypatch, tmp_path):
    monkeypatch.setenv("FER_HOSTED", "1")
    monkeypatch.setenv("FER_RUNS", str(tmp_path / "runs"))


def uploaded(path: Path) -> UploadedFile:
    return UploadedFile(UploadedFileRec("id", path.name, "", path.read_bytes()), None)


def kept(path: Path) -> Path:
    upload = uploaded(path)
    return uploads.keep(upload, upload.name, limits())


def zip_of_faces(path: Path) -> Path:
    """Twelve noisy 48-pixel pictures of two classes, in a training and a validation split."""
    rng = np.random.default_rng(0)
    with zipfile.ZipFile(path, "w") as archive:
        for split, name, number in product(("train", "validation"), ("happy", "sad"), range(3)):
            picture = cv2.imencode(".png", rng.integers(0, 256, (48, 48), np.uint8))[1]
            archive.writestr(f"{split}/{name}/{number}.png", picture.tobytes())
    return path


@pytest.fixture
def app(demo, monkeypatch, offline):
    monkeypatch.chdir(ROOT)
    return AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=180).run()


def test_no_limit_is_looser_on_the_demo(monkeypatch):
    assert not hosted() and limits() == OPEN
    monkeypatch.setenv("FER_HOSTED", "1")
    assert limits() == HOSTED
    for name, value in asdict(OPEN).items():
        if isinstance(value, (int, float)):
            assert asdict(HOSTED)[name] <= value, name


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"model": "repvgg"}, "only mini_xception"),
        ({"epochs": 500}, "epochs is 500; the limit here is 12"),
        ({"processes": 4}, "processes is 4; the limit here is 1"),
        ({"batch_size": 3000}, "batch size is 3000; the limit here is 128"),
        ({"threads": 1024}, "threads is 1024; the limit here is"),
        ({"teacher": ",".join(["compact"] * 500)}, "at most 1 teacher"),
        ({"teacher": "../../x"}, "shipped weights"),
        ({"init": "/etc/passwd"}, "shipped weights"),
        ({"data": "/etc"}, "does not read data by path"),
    ],
)
def test_training_stays_short_and_within_its_folders(demo, settings, said):
    with pytest.raises(RunError, match=said):
        launcher.start(TrainConfig(**{"epochs": 2, **settings}))


def test_training_takes_few_pictures_and_few_may_wait(demo, monkeypatch, tmp_path):
    assert launcher.bounded(TrainConfig(epochs=2)).limit == HOSTED.train_pictures
    assert launcher.bounded(TrainConfig(epochs=2, limit=50)).limit == 50
    for number in range(HOSTED.train_waiting):
        RunDirectory.create(tmp_path / "runs" / f"run{number}", TrainConfig(epochs=2)).write_status("queued")
    with pytest.raises(RunError, match="3 runs are already training, waiting or paused"):
        launcher.start(TrainConfig(epochs=2))
    monkeypatch.delenv("FER_HOSTED")
    assert launcher.bounded(TrainConfig(epochs=500, processes=2)) == TrainConfig(epochs=500, processes=2)


def test_paused_runs_count_and_resuming_is_bounded_too(demo, monkeypatch, tmp_path):
    """A paused worker holds its memory: pausing makes no room for more, nor does resuming what was stopped."""
    monkeypatch.setattr(launcher, "launch", lambda run: pytest.fail("a worker was started"))
    with ExitStack() as held:
        for name in ("one", "two", "three"):
            run = RunDirectory.create(tmp_path / "runs" / name, TrainConfig(epochs=2))
            held.enter_context(run.lock())
            run.write_status("paused")
        stopped = RunDirectory.create(tmp_path / "runs" / "stopped", launcher.bounded(TrainConfig(epochs=2)))
        stopped.write_status("stopped")
        for action in (lambda: launcher.start(TrainConfig(epochs=2)), lambda: launcher.resume(stopped)):
            with pytest.raises(RunError, match="3 runs are already training, waiting or paused"):
                action()
        run.request("pause")
        launcher.resume(run)  # a paused one needs no new room
        assert not run.requested("pause")
    for name, config in (("long", TrainConfig(epochs=60)), ("large", TrainConfig(epochs=2, limit=5000))):
        run = RunDirectory.create(tmp_path / "runs" / name, config)
        run.write_status("stopped")
        with pytest.raises(RunError, match="epochs is 60; the limit here is 12" if name == "long" else "more pictures"):
            launcher.resume(run)


def test_two_that_start_at_once_do_not_both_take_the_last_place(demo, monkeypatch, tmp_path):
    counted, count = threading.Barrier(6), launcher._need_room

    def count_and_wait() -> None:
        count()
        with suppress(threading.BrokenBarrierError):  # nobody comes while one has the lock
            counted.wait(0.2)

    monkeypatch.setattr(launcher, "_need_room", count_and_wait)
    monkeypatch.setattr(launcher, "launch", lambda run: None)
    refused = []

    def visitor(number: int) -> None:
        try:
            launcher.start(TrainConfig(epochs=2), f"run{number}")
        except RunError:
            refused.append(number)

    threads = [threading.Thread(target=visitor, args=(number,)) for number in range(6)]
    [thread.start() for thread in threads]
    [thread.join(10) for thread in threads]
    assert len(refused) == 6 - HOSTED.train_waiting


def test_a_long_pause_is_ended_by_the_worker_itself(demo, monkeypatch, tmp_path):
    from accelerate import Accelerator

    from fer.training import control

    assert HOSTED.paused_minutes == 10
    monkeypatch.setattr(control, "limits", lambda: replace(HOSTED, paused_minutes=1 / 60))
    run = RunDirectory.create(tmp_path / "runs" / "mine", TrainConfig(epochs=2))
    run.request("pause")
    began = time.monotonic()
    assert not control.Control(run, Accelerator(cpu=True)).go_on(epoch=1, epochs=2)
    assert 1 <= time.monotonic() - began < 5 and run.status()["state"] in ("paused", "died")


def test_uploaded_training_data_within_its_folder_is_taken(demo):
    folder = uploads.uploads_folder() / ("0123456789ab" * 2)
    folder.mkdir(parents=True, exist_ok=True)
    assert launcher.bounded(TrainConfig(epochs=2, data=str(folder))).data == str(folder)
    for elsewhere in (folder.parent, folder.parent / "mine"):  # all visitors' at once, no upload's digest
        with pytest.raises(RunError, match="does not read data by path"):
            launcher.start(TrainConfig(epochs=2, data=str(elsewhere)))


def test_old_uploads_are_forgotten(tmp_path, monkeypatch):
    monkeypatch.setenv("FER_CACHE", str(tmp_path))
    for name, days in (("old", 2.0), ("new", 0.1)):
        (tmp_path / "uploads" / name).mkdir(parents=True)
        (tmp_path / "uploads" / name / "upload.csv").write_text("x")
        then = time.time() - 86_400 * days
        os.utime(tmp_path / "uploads" / name, (then, then))
    assert uploads.forget_old_uploads(1.0) == 1
    assert [folder.name for folder in (tmp_path / "uploads").iterdir()] == ["new"]


def test_an_upload_ages_from_its_upload_on_the_demo(demo, monkeypatch, tmp_path, small_csv):
    """Drawing the form again keeps nothing longer; on a machine of one's own it does."""
    monkeypatch.setenv("FER_CACHE", str(tmp_path / "cache"))
    folder = kept(small_csv).parent
    os.utime(folder, (1e9, 1e9))
    kept(small_csv)
    assert folder.stat().st_mtime == 1e9
    monkeypatch.delenv("FER_HOSTED")
    kept(small_csv)
    assert folder.stat().st_mtime > 1e9


@pytest.mark.parametrize("zipped", [False, True])
def test_nothing_of_an_upload_is_left_after_its_day(demo, monkeypatch, tmp_path, small_csv, zipped):
    cache, runs = tmp_path / "cache", tmp_path / "runs"
    monkeypatch.setenv("FER_CACHE", str(cache))
    upload = uploaded(zip_of_faces(tmp_path / "faces.zip") if zipped else small_csv)
    data = uploads.keep(upload, upload.name, limits())
    assert look_at(TrainingData(str(data)), "auto", "")[0].total
    config = launcher.bounded(TrainConfig(data=str(data), epochs=1, batch_size=4, threads=1))
    run = RunDirectory.create(runs / "mine", config)
    assert train(run, quiet=True) == "finished"
    assert [path.name for path in cache.iterdir()] == ["uploads"]  # no parsed copy
    assert not list(run.path.glob("watch*")) and watched_faces.read(run) is None  # no faces for everybody
    remove_expired(time.time() + 86_400 * 0.9)
    assert data.exists() and run.best.is_file()
    remove_expired(time.time() + 86_400 * 1.1)
    assert not [path for path in [*cache.rglob("*"), *runs.rglob("*")] if path.is_file() and path.name != ".turn"]


def test_the_data_of_a_run_that_trains_stays_until_it_ends(demo, monkeypatch, tmp_path, small_csv):
    monkeypatch.setenv("FER_CACHE", str(tmp_path / "cache"))
    data, late = kept(small_csv), time.time() + 86_400 * 1.1
    run = RunDirectory.create(tmp_path / "runs" / "mine", TrainConfig(data=str(data), epochs=1))
    with run.lock():
        run.write_status("running")
        remove_expired(late)
        assert data.is_file() and run.path.is_dir()
    run.write_status("stopped")
    remove_expired(late)
    assert not data.exists() and not run.path.exists()


def test_runs_are_never_swept_on_a_machine_of_ones_own(monkeypatch, tmp_path):
    monkeypatch.setenv("FER_RUNS", str(tmp_path / "runs"))
    run = RunDirectory.create(tmp_path / "runs" / "mine", TrainConfig(epochs=1))
    run.write_status("finished")
    remove_expired(time.time() + 86_400 * 1000)
    assert run.path.is_dir()


def test_opening_training_removes_what_expired_and_says_why_there_is_no_wall(app, monkeypatch, tmp_path, small_csv):
    monkeypatch.setenv("FER_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(retention, "_last_s", float("-inf"))
    old = uploads.uploads_folder() / "old"
    old.mkdir(parents=True)
    os.utime(old, (1e9, 1e9))
    run = made(tmp_path / "runs", "theirs", data=str(kept(small_csv)))
    app.query_params["run"] = "theirs"
    app.switch_page("pages/training.py").run()
    assert not app.exception and not old.exists() and run.path.is_dir()
    assert "No watched faces" in words(app) and "After epoch" not in words(app)


def test_the_form_offers_only_what_the_demo_takes(app, tmp_path):
    made(tmp_path / "runs", "theirs").best.write_bytes(b"weights")
    app.session_state["training_view"] = "new"
    app.switch_page("pages/training.py").run()
    assert not app.exception and "up to 12 epochs of 3,000 pictures" in words(app)
    assert app.selectbox(key="preset").options == ["Quick look", "Fine-tune the shipped weights on my data"]
    for preset in form.offered_presets():
        assert launcher.bounded(TrainConfig(**preset.settings)).epochs <= HOSTED.train_epochs
    models = app.selectbox(key="setting_model_Quick look_mini_xception").options
    assert models == ["mini-xception", "mini-xception-64"]
    for key in ("setting_init_Quick look_", "setting_teacher_Quick look_"):
        assert not any("theirs" in option for option in app.selectbox(key=key).options)
    assert app.number_input(key="setting_epochs_Quick look_8").max == HOSTED.train_epochs
    app.selectbox(key="preset").select("Fine-tune the shipped weights on my data").run()
    assert not app.exception and not app.error and not app.button(key="start").disabled


def test_a_renamed_run_stays_ones_own(app, tmp_path):
    made(tmp_path / "runs", "mine")
    app.session_state["own_runs"] = {"mine"}
    app.switch_page("pages/training.py").run()
    app.text_input(key="name_mine").set_value("yours").run()
    app.button(key="rename_mine").click().run()
    assert not app.exception and "**yours**" in words(app) and "another visitor's run" not in words(app)
    app.button(key="delete_mine").click().run()
    assert app.session_state["own_runs"] == set()  # the name of its folder is anybody's
    app.button(key="undo_delete").click().run()
    assert app.session_state["own_runs"] == {"mine"} and "**yours**" in words(app)


def test_training_opens_on_ones_own_run_or_the_form_never_on_a_strangers(app, tmp_path):
    made(tmp_path / "runs", "theirs", "failed")
    app.switch_page("pages/training.py").run()
    assert not app.exception and app.button(key="start")
    assert app.selectbox(key="run_picker_new").options == ["theirs (another visitor's)"]
    os.utime(made(tmp_path / "runs", "mine").path / "config.json", (1e9, 1e9))
    app.session_state["own_runs"] = {"mine"}
    app.session_state["training_view"] = None
    app.run()
    assert app.selectbox(key="run_picker_mine").options == ["mine", "theirs (another visitor's)"]


def test_an_uploads_name_is_not_told_where_everybody_sees_the_run(app, tmp_path, small_csv, monkeypatch):
    monkeypatch.setattr(form, "show_timing", lambda *given: None)
    started = made(tmp_path / "runs", "mine", data=str(kept(small_csv)))
    monkeypatch.setattr(launcher, "start", lambda config, store: started)
    app.switch_page("pages/training.py").run()
    app.segmented_control(key="data_source").set_value("upload").run()
    app.file_uploader(key="data_upload").set_value([("Anna.csv", small_csv.read_bytes(), "text/csv")]).run()
    app.button(key="start").click().run()
    assert not app.exception and title_of(started).startswith("Uploaded data, ")
    assert "Anna" not in (started.path / "about.json").read_text()


def test_a_button_that_fails_is_a_number_and_no_traceback(app, tmp_path, monkeypatch, caplog):
    error = OSError(28, "No space left on device", "secret name")

    def full(*given) -> None:
        raise error

    made(tmp_path / "runs", "mine")
    app.session_state["own_runs"] = {"mine"}
    app.switch_page("pages/training.py").run()
    monkeypatch.setattr(runs_view, "rename_run", full)
    app.text_input(key="name_mine").set_value("yours").run()
    with caplog.at_level(logging.ERROR):
        app.button(key="rename_mine").click().run()
    (told,) = app.error
    number = told.value.split("number ")[1][:6]
    assert not app.exception and number in caplog.text and "secret name" not in caplog.text + told.value


def test_the_pages_say_what_happens_with_pictures(app):
    app.session_state["chosen_model"] = ShippedModel("mini_xception")  # its slow maps take a second
    for page in ("streamlit_app.py", "pages/predict.py", "pages/explain.py", "pages/training.py", "pages/evaluate.py"):
        app.switch_page(page).run()
        assert not app.exception and "never stores or logs them" in words(app), page


def test_no_page_takes_a_path_of_the_server(app):
    for page, key in (("pages/training.py", "data_source"), ("pages/evaluate.py", "evaluate_source")):
        app.switch_page(page).run()
        (group,) = [group for group in app.get("button_group") if group.key == key]
        assert not any("path" in str(option.content).lower() for option in group.proto.options)
        assert not app.get("text_input") or all(box.key != key.replace("source", "path") for box in app.text_input)


def test_runs_of_others_can_be_watched_and_not_changed(demo, app, tmp_path):
    run = RunDirectory.create(tmp_path / "runs" / "theirs", TrainConfig(epochs=2))
    run.write_status("stopped")
    app.query_params["run"] = "theirs"
    app.switch_page("pages/training.py").run()
    assert not app.exception and "another visitor's run" in words(app)
    assert not {"Resume_theirs", "Change settings_theirs", "delete_theirs", "rename_theirs"} & {
        button.key for button in app.button
    }
    app.session_state["own_runs"] = {"theirs"}
    app.run()
    assert [button for button in app.button if button.key == "delete_theirs"]


def test_settings_show_no_place_of_an_upload(demo, app, tmp_path, small_csv):
    data = str(kept(small_csv))
    run = RunDirectory.create(tmp_path / "runs" / "mine", TrainConfig(data=data))
    run.write_status("stopped")
    app.session_state["own_runs"] = {"mine"}
    app.switch_page("pages/training.py").run()
    shown = app.get("json")[0].value
    assert "an upload" in shown and data not in shown


def test_a_failure_is_a_number_for_the_visitor_and_no_secret_in_the_log(app, monkeypatch, caplog):
    def fail(photo):
        raise ZeroDivisionError(photo.name)

    monkeypatch.setattr(photo_reading, "read_photo", fail)
    with caplog.at_level(logging.ERROR):
        app.switch_page("pages/predict.py").run()
        app.button(key="sample_astronaut").click().run()
    (told,) = app.error
    number = told.value.split("number ")[1][:6]
    assert not app.exception and "astronaut.jpg" not in told.value and "Traceback" not in told.value
    assert number in caplog.text and "ZeroDivisionError" in caplog.text and "astronaut.jpg" not in caplog.text


def test_no_log_of_the_demo_holds_what_an_exception_says(demo, monkeypatch, caplog):
    from fer.app.predict import video_job
    from fer.inference.live import LiveAnalyzer

    monkeypatch.setattr(video_job, "read_video", lambda data, *given: {}[data])
    job = video_job.VideoJob(("key",), "holiday.mp4", ShippedModel("compact"))
    job.start(b"holiday", None, None, 10.0)
    wait_for(lambda: job.finished, 20)
    LiveAnalyzer(None, None, None).failed(KeyError("holiday"))
    assert len(caplog.records) == 2 and "holiday" not in caplog.text and caplog.text.count("KeyError") == 2
    assert job.error.split("number ")[1][:6] in caplog.text


def test_as_many_cameras_as_the_server_takes(demo, monkeypatch):
    from types import SimpleNamespace

    busy = SimpleNamespace(state=lambda: SimpleNamespace(frames=1, silent_s=0.1), restarted=lambda: None)
    streams = [webcam.Stream(busy) for _ in range(HOSTED.streams)]
    monkeypatch.setattr(webcam, "_streams", set())
    for stream in streams[:-1]:
        stream.start()
    assert not webcam.busy()
    streams[-1].start()
    assert webcam.busy()
    streams[0].stop()
    assert not webcam.busy()


def test_state_names_no_run_of_others(demo):
    assert not training_state.may_change("any")


def test_a_secret_switches_the_shared_demo_on(tmp_path):
    """Streamlit Community Cloud has no environment to set: its secrets become one before a page is drawn."""
    (tmp_path / ".streamlit").mkdir()
    (tmp_path / ".streamlit" / "secrets.toml").write_text('FER_HOSTED = "1"\n')
    (tmp_path / "app.py").write_text("from fer.limits import hosted\nimport streamlit as st\nst.text(str(hosted()))\n")
    port = free_port()
    environment = {key: value for key, value in os.environ.items() if key != "FER_HOSTED"} | {"PYTHONPATH": str(ROOT)}
    server = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "streamlit",
            "run",
            "app.py",
            "--server.headless",
            "true",
            "--server.address",
            "127.0.0.1",
            "--server.port",
            str(port),
        ],
        cwd=tmp_path,
        env=environment,
        stdout=subprocess.DEVNULL,
    )
    try:
        await_health(f"http://127.0.0.1:{port}")
        visitor = Visitor(f"http://127.0.0.1:{port}")
        visitor.open_page("")
        assert visitor.await_element(lambda element: element.WhichOneof("type") == "text").text.body == "True"
        visitor.close()
    finally:
        server.terminate()
        server.wait(20)
