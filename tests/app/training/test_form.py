"""Training's form by AppTest: ready at once, it starts one run."""

from __future__ import annotations

import io
from types import SimpleNamespace

import pytest

from fer.app import session
from fer.app.markdown import plain
from fer.app.training import form, state
from fer.app.training.state import TrainingData
from fer.data import uploads
from fer.errors import RunError
from fer.training import launcher
from fer.training.config import TrainConfig
from fer.training.pace import Costs, Range
from fer.training.run_about import read_about, title_of
from fer.training.run_directory import RunDirectory
from tests.app.helpers import made, words
from tests.waiting import wait_for


@pytest.fixture
def untimed(monkeypatch):
    """A form that starts no process to time steps: half a second each, in batches of 64."""
    step = Range(0.4, 0.5)
    costs = Costs(64, 3.0, step, step, 0.001, 0.0, Range(0.1, 0.2))
    timing = SimpleNamespace(network=None, costs=costs, problem="", finished=True)
    monkeypatch.setattr(form, "timing_of", lambda config: timing)
    return timing


def test_without_a_run_the_form_is_ready_and_start_learns(app, folder):
    app.switch_page("pages/training.py").run()
    assert not app.exception and "synthetic" in words(app)
    wait_for(lambda: "an epoch of 2,100 pictures" in words(app.run()), 120)
    (table,) = [frame.value for frame in app.dataframe if "Output shape" in frame.value]
    assert table["Parameters"].sum() == 56_951 and "8 × 42 × 42" in set(table["Output shape"])
    assert "56,951 parameters, 0.22 MB. One face takes 4.11 MB forward and back; 4.33 MB in all." in words(app)
    app.number_input(key="setting_limit_Quick look_0").set_value(128)
    app.number_input(key="setting_epochs_Quick look_8").set_value(2).run()
    app.button(key="start").click().run()
    assert not app.exception
    (run,) = [RunDirectory(file.parent) for file in folder.glob("*/config.json")]
    assert app.query_params["run"] == [run.id] or app.query_params["run"] == run.id
    assert run.config.limit == 128 and run.config.epochs == 2 and run.config.batch_size == 64
    wait_for(lambda: run.status()["state"] == "finished")
    app.run()
    assert not app.exception and "**Synthetic faces\\," not in words(app) and plain(title_of(run)) in words(app)
    assert title_of(run).startswith("Synthetic faces, ") and title_of(run).endswith(("AM", "PM"))
    assert {metric.label for metric in app.metric} >= {"Best accuracy", "Macro-F1", "Learning rate", "Time taken"}
    assert read_about(run).expected_s > 0
    app.button(key=f"use_{run.id}").click().run()
    assert not app.exception and [title.value for title in app.title] == ["Predict"]


def test_the_second_click_of_two_starts_nothing(app, folder, monkeypatch):
    started = []
    monkeypatch.setattr(launcher, "start", lambda config: started.append(config) or made(folder, f"run-{len(started)}"))
    monkeypatch.setattr(session.st, "session_state", {})
    monkeypatch.setattr(form.st, "query_params", {})
    monkeypatch.setattr(form.st, "context", SimpleNamespace(timezone="Asia/Tokyo"))
    number = state.new_form()
    form._start(TrainConfig(), number, TrainingData("synthetic"))
    form._start(TrainConfig(), number, TrainingData("synthetic"))
    assert len(started) == 1 and not session.message.get()
    form._start(TrainConfig(), state.new_form(), TrainingData("synthetic"))
    assert len(started) == 2


@pytest.mark.parametrize("zone", ["Etc/Unknown", "../../etc/passwd", "America", "x" * 300, "", None])
def test_a_browser_in_an_unknown_time_zone_starts_a_run_with_a_title(folder, monkeypatch, zone):
    monkeypatch.setattr(launcher, "start", lambda config: made(folder, "started"))
    monkeypatch.setattr(session.st, "session_state", {})
    monkeypatch.setattr(form.st, "query_params", {})
    monkeypatch.setattr(form.st, "context", SimpleNamespace(timezone=zone))
    form._start(TrainConfig(), state.new_form(), TrainingData("synthetic"))
    assert not session.message.get() and form.st.query_params == {"run": "started"}
    assert read_about(RunDirectory(folder / "started")).title.startswith("Synthetic faces, ")


def test_a_run_that_cannot_be_named_is_shown_all_the_same(folder, monkeypatch):
    def full(run, about):
        raise RunError("The run's name cannot be saved: No space left on device.")

    monkeypatch.setattr(launcher, "start", lambda config: made(folder, "started"))
    monkeypatch.setattr(session.st, "session_state", {})
    monkeypatch.setattr(form.st, "query_params", {})
    monkeypatch.setattr(form.st, "context", SimpleNamespace(timezone="Asia/Tokyo"))
    monkeypatch.setattr(form.run_about, "write_about", full)
    form._start(TrainConfig(), state.new_form(), TrainingData("synthetic"))
    assert "cannot be saved" in session.message.get() and form.st.query_params == {"run": "started"}
    assert state.view.get() == "run"


def test_a_damaged_setting_is_told_and_start_waits(app):
    app.switch_page("pages/training.py").run()
    app.number_input(key="setting_epochs_Quick look_8").set_value(0).run()
    assert "epochs must be at least 1" in words(app) and app.button(key="start").disabled


def test_the_form_starts_from_below_its_settings_too_and_only_once(app, folder, untimed, monkeypatch):
    app.switch_page("pages/training.py").run()
    assert "Network type" in labels(app) and "Model" not in labels(app)
    started = []
    monkeypatch.setattr(launcher, "start", lambda config: started.append(config) or made(folder, "below"))
    app.number_input(key="setting_mixup_Quick look_0.0").set_value(0.2).run()
    app.button(key="start_below").click().run()
    assert not app.exception and [config.mixup for config in started] == [0.2]


NUMBERS = [name for name, value in TrainConfig().to_json().items() if isinstance(value, int | float)]


@pytest.mark.parametrize("name", NUMBERS)
def test_no_setting_may_be_negative(name):
    with pytest.raises(RunError):
        TrainConfig.from_json({name: type(TrainConfig().to_json()[name])(-1)})


def test_a_negative_number_does_not_break_the_form(app, untimed):
    app.switch_page("pages/training.py").run()
    assert all(box.min == 0 for box in app.main.number_input)
    for key, low in (("setting_mixup_Quick look_0.0", -0.01), ("setting_seed_Quick look_0", -1)):
        app.number_input(key=key).set_value(low).run()  # AppTest, unlike a browser, ignores the lowest value
    for _ in range(2):
        app.run()
        assert not app.exception and not app.error and not app.button(key="start").disabled
        assert labels(app)["Mixup"] == labels(app)["Seed"] == 0


@pytest.mark.parametrize(
    ("value", "step"), [(0.2, 0.1), (3.0, 1.0), (5e-5, 1e-5), (0.0, 0.01), (5e-324, 0.01), (float("inf"), 0.01)]
)
def test_a_number_goes_up_in_steps_of_its_size(value, step):
    assert form._step(value) == pytest.approx(step)


def labels(app) -> dict[str, object]:
    return {box.label: box.value for box in [*app.main.number_input, *app.main.selectbox]}


def test_changed_settings_are_marked_counted_kept_and_reset(app, folder, untimed, monkeypatch):
    app.switch_page("pages/training.py").run()
    assert "changed" not in words(app)
    app.number_input(key="setting_epochs_Quick look_8").set_value(5)
    app.number_input(key="setting_mixup_Quick look_0.0").set_value(0.2).run()
    assert "2 changed**]: Epochs, Mixup" in words(app) and "Changed], preset: 8" in words(app)
    assert "**Regularization** :primary[1 changed]" in words(app) and "**Optimizer**\n" in words(app)
    app.switch_page("pages/predict.py").run()
    app.switch_page("pages/training.py").run()  # no widget of the form was on the page
    assert labels(app)["Epochs"] == 5 and labels(app)["Mixup"] == 0.2
    app.selectbox(key="preset").select("Standard").run()
    assert labels(app)["Epochs"] == 60 and "changed" not in words(app)
    app.selectbox(key="preset").select("Quick look").run()
    assert labels(app)["Epochs"] == 5
    monkeypatch.setattr(launcher, "start", lambda config: made(folder, "failing", "failed", epochs=config.epochs))
    app.button(key="start").click().run()
    app.button(key="new_run").click().run()
    assert not app.exception and labels(app)["Epochs"] == 5 and labels(app)["Mixup"] == 0.2
    app.button(key="reset_settings").click().run()
    assert labels(app)["Epochs"] == 8 and labels(app)["Mixup"] == 0 and "changed" not in words(app)


def test_a_batch_larger_than_the_data_is_told_before_start(app, folder, untimed):
    """An epoch is then one step of 100: 0.4 to 0.5 s a batch of 64, with the margins 0.85 and 1.25."""
    app.switch_page("pages/training.py").run()
    app.number_input(key="setting_limit_Quick look_0").set_value(100).run()
    assert "fewer than a batch" not in words(app)
    app.number_input(key="setting_batch_size_Quick look_64").set_value(128).run()
    assert "The data has 100 training pictures, fewer than a batch of 128: each step uses 100." in words(app)
    epoch, whole = untimed.costs.estimate(TrainConfig(batch_size=128, epochs=8, limit=100), 100, 420)
    assert epoch.low == pytest.approx(0.85 * (0.4 * 100 / 64 + 0.1 + 0.42))
    assert whole.high == pytest.approx(3 + 8 * 1.25 * (0.5 * 100 / 64 + 0.2 + 0.42))
    assert "About 1 to 2 s an epoch of 100 pictures, 11 to 17 s in all" in words(app)
    assert not app.button(key="start").disabled


def test_what_would_fail_is_told_before_start(app, folder, untimed):
    untimed.costs, untimed.problem = None, "The checkpoint x is a vgg, the run trains a mini_xception."
    app.switch_page("pages/training.py").run()
    assert [error.value for error in app.error] == [plain(untimed.problem)]


def test_an_upload_is_called_by_its_own_name(app, folder, untimed, small_csv, monkeypatch):
    """In the form, as the run's title, and in the form that is opened again; never by its digest."""
    app.switch_page("pages/training.py").run()
    app.segmented_control(key="data_source").set_value("upload").run()
    app.file_uploader(key="data_upload").set_value([("My faces (1).csv", small_csv.read_bytes(), "text/csv")]).run()
    assert not app.exception and "**My faces \\(1\\)\\.csv**: 280 pictures in 3 splits" in words(app)
    monkeypatch.setattr(
        launcher, "start", lambda config, store: store() and made(folder, "kept", "failed", data=config.data)
    )
    app.button(key="start").click().run()
    run = RunDirectory(folder / "kept")
    digest = uploads.digest_of(io.BytesIO(small_csv.read_bytes()))
    assert title_of(run).startswith("My faces (1).csv, ") and read_about(run).data == "My faces (1).csv"
    assert digest in run.config.data and digest not in words(app)
    app.button(key="Change settings_kept").click().run()
    assert "Data: **My faces" in words(app) and digest not in words(app) and not app.button(key="start").disabled
    app.button(key="other_data").click().run()
    assert app.segmented_control(key="data_source").value == "upload"  # the choice stays


def test_the_settings_of_a_run_come_with_its_data(app, folder, untimed, small_csv, tmp_path):
    """Whatever was chosen before: synthetic faces are chosen again, and data that is gone is told."""
    made(folder, "synthetic", "failed")
    made(folder, "gone", "failed", data=str(tmp_path / "gone.csv"))
    app.switch_page("pages/training.py").run()
    app.button(key="new_run").click().run()
    app.segmented_control(key="data_source").set_value("upload").run()
    app.file_uploader(key="data_upload").set_value([("mine.csv", small_csv.read_bytes(), "text/csv")]).run()
    assert "**mine\\.csv**: 280 pictures" in words(app)
    for run, told in (("gone", "no longer on this server"), ("synthetic", "**Synthetic faces**: ")):
        app.query_params["run"] = run
        app.session_state["training_view"] = "run"
        app.run().button(key=f"Change settings_{run}").click().run()
        assert not app.exception and told in words(app)
    assert app.segmented_control(key="data_source").value == "synthetic" and "mine" not in words(app)
