"""Follow one run with a fragment that polls its directory; only changed parts are redrawn."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Literal

import streamlit as st

from fer.app import errors, session, widgets
from fer.app.markdown import plain
from fer.app.model_choice import TrainedRun, from_drawings
from fer.app.predict import state as predict_state
from fer.app.training import form, state
from fer.app.training.watched_faces import show_wall
from fer.errors import FerError
from fer.expressions import NAMES
from fer.limits import hosted, limits
from fer.locations import runs_folder
from fer.models.card import DRAWINGS
from fer.records import EpochRecord
from fer.training import launcher, run_queue
from fer.training.failures import Advice, advice_on
from fer.training.run_about import title_of
from fer.training.run_directory import ALIVE, RunDirectory, shown_state
from fer.training.run_store import find_run
from fer.visualization import training_figures
from fer.wording import duration, percent

USES = (
    ("Use it in Predict", "use", "pages/predict.py", ":material/add_reaction:"),
    ("Explain", "explain", "pages/explain.py", ":material/travel_explore:"),
    ("Evaluate", "evaluate", "pages/evaluate.py", ":material/query_stats:"),
    ("Camera", "camera", "pages/predict.py", ":material/photo_camera:"),
)
POLL_S, CHARTS_POLL_S = 1.5, 4.0
Color = Literal["gray", "blue", "orange", "green", "red"]
STATES: dict[str, tuple[str, Color]] = {
    "queued": (":material/hourglass_top:", "gray"),
    "running": (":material/directions_run:", "blue"),
    "paused": (":material/pause_circle:", "orange"),
    "stopped": (":material/stop_circle:", "gray"),
    "finished": (":material/check_circle:", "green"),
    "failed": (":material/error:", "red"),
    "died": (":material/heart_broken:", "red"),
}


def show_run(run: RunDirectory) -> None:
    """Follow a run. While it lives, one fragment polls its step and one its epochs; the rest stays."""
    alive = run.status()["state"] in ALIVE
    st.fragment(_live, run_every=POLL_S if alive else None)(run.id, alive)
    st.fragment(_epochs, run_every=CHARTS_POLL_S if alive else None)(run.id)


def _live(run_id: str, was_alive: bool) -> None:
    with errors.guarded():
        if session.message.get() or session.page_rerun.take():  # a button of this part changed the whole page
            st.rerun()
        run = find_run(run_id)
        status, records = run.status(), run.records()
        if (status["state"] in ALIVE) != was_alive:
            st.rerun()  # rerun the whole page, since the available actions have changed
        _headline(run, status)
        _controls(run, status, records)
        if records:
            _numbers(status, records)
        else:
            st.info("Results appear here after the first epoch.", icon=":material/show_chart:")


def _epochs(run_id: str) -> None:
    with errors.guarded():
        run = find_run(run_id)
        if records := run.records():
            _charts(run, records)
            show_wall(run, records[-1].validation_faces)


def _headline(run: RunDirectory, status: dict) -> None:
    name = shown_state(status)
    icon, color = STATES.get(name, STATES["queued"])
    with st.container(horizontal=True, vertical_alignment="center"):
        st.badge(name, icon=icon, color=color)
        st.markdown(f"**{plain(title_of(run))}**")
    if from_drawings(TrainedRun(run.path)):
        st.caption(f":material/draw: {DRAWINGS.capitalize()}: its accuracy is that on synthetic faces.")
    if name == "queued":
        st.caption(_queue_words(run))
    if name in ("running", "paused") or "steps" in status:
        step, steps, epoch = status.get("step", 0), status.get("steps", 0), status.get("epoch", 0)
        epochs = max(status.get("epochs", 1), 1)
        done = (max(epoch - 1, 0) + (step / steps if steps else 0)) / epochs
        left = f". About {duration(status['left_s'])} left" if "left_s" in status else ""
        text = (
            f"Epoch {epoch} of {epochs}, step {step} of {steps}{left}"
            if steps
            else plain(status.get("message", "Starting."))
        )
        st.progress(min(max(done, 0.0), 1.0), text)
    elif status.get("message") and name not in ("queued", "finished"):
        advice = f" {_advice(run, status).words}" if name == "failed" else ""
        st.warning(plain(status["message"] + advice), icon=":material/error:" if advice else ":material/info:")
    elif name == "finished" and status.get("message"):
        st.caption(plain(status["message"]))
    if name == "died":
        st.warning(
            "The run ended without an error: it was killed, or the machine restarted. What was saved is safe; "
            f"Resume continues from the last complete epoch. {plain(_advice(run, status).words)}",
            icon=":material/heart_broken:",
        )
    if "silent_s" in status:
        st.warning(
            f"No sign of life for {duration(status['silent_s'])}. The run may be stuck: end it, then resume.",
            icon=":material/monitor_heart:",
        )


def _queue_words(run: RunDirectory) -> str:
    waiting = [other.id for other in run_queue.queue(runs_folder())]
    if run.id not in waiting:
        return "Starting."
    wait_s = run_queue.expected_wait_s(run)
    when = "" if wait_s is None else f" It should start in about {duration(wait_s)}."
    return (
        "Waiting for the machine: one run trains at a time. "
        f"Place in the queue: {waiting.index(run.id) + 1}.{when} You can use every page meanwhile."
    )


def _advice(run: RunDirectory, status: dict) -> Advice:
    try:
        return advice_on("died" if status["state"] == "died" else status.get("cause", ""), run.config)
    except FerError:  # its config.json is damaged, as its message says
        return Advice("Start a new run.", False)


def _controls(run: RunDirectory, status: dict, records: Sequence[EpochRecord]) -> None:
    name = shown_state(status)
    if not state.may_change(run.id):
        st.caption("This is another visitor's run. You can watch it and use its model.")
        with st.container(horizontal=True, vertical_alignment="center"):
            _use(run, name in ALIVE, records)
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        if name == "running":
            _button("Pause", launcher.pause, run, ":material/pause:", disabled=run.requested("pause"))
        if name == "failed":
            _button("Change settings", _change_settings, run, ":material/tune:", main=True)
        if name == "paused" or name in launcher.RESUMABLE and (name != "failed" or _advice(run, status).resume):
            _button("Resume", launcher.resume, run, ":material/play_arrow:", main=name != "failed")
        if name in ("stopped", "died"):
            _button("Change settings", _change_settings, run, ":material/tune:")
        if name in ALIVE:
            _button("Stop", launcher.stop, run, ":material/stop:", disabled=run.requested("stop"))
        if "silent_s" in status:
            _button("End its process", launcher.kill, run, ":material/power_settings_new:")
        _use(run, name in ALIVE, records)
    if run.requested("pause") and name == "running":
        st.caption("Pausing after the current step.")
    if name == "paused" and hosted():
        st.caption(
            f"On this shared demo a run stops after a pause of {limits().paused_minutes:.0f} minutes; Resume then "
            "continues from its last complete epoch."
        )


def _use(run: RunDirectory, alive: bool, records: Sequence[EpochRecord]) -> None:
    """From the first finished epoch on: open the pages with the best weights so far."""
    if not run.best.is_file():
        return
    for label, name, page, icon in USES:
        if st.button(label, key=f"{name}_{run.id}", icon=icon):
            session.choose_model(TrainedRun(run.path))
            if name == "camera":
                predict_state.open_view("camera")
            st.switch_page(page)
    if best := training_figures.best_record(records):
        st.caption(f"uses epoch {best.epoch}, the best{' so far' if alive else ''}", width="content")


def _change_settings(run: RunDirectory) -> None:
    """Open the form with this run's settings."""
    form.refill(run)
    state.view.set("new")
    session.page_rerun.set(True)


def _button(label: str, action, run: RunDirectory, icon: str, main: bool = False, disabled: bool = False) -> None:
    st.button(
        widgets.main_label(label) if main else label,
        key=f"{label}_{run.id}",
        on_click=errors.guarded_callback(action),
        args=(run,),
        icon=icon,
        disabled=disabled,
    )


def _numbers(status: dict, records: Sequence[EpochRecord]) -> None:
    last, best = records[-1], training_figures.best_record(records) or records[-1]
    numbers = {
        "Best accuracy": (percent(best.validation_accuracy, 1), f"Validation, in epoch {best.epoch}."),
        "Last accuracy": (percent(last.validation_accuracy, 1), f"Validation, in epoch {last.epoch}."),
        "Macro-F1": (
            f"{last.macro_f1:.3f}",
            "F1 averaged over the classes: rare ones count as much.",
        ),
        "Pictures a second": (f"{last.pictures_per_second:,.0f}", "Trained on, in the last epoch."),
        "Learning rate": (f"{last.learning_rate:.3g}", "At the end of the last epoch."),
    }
    if status["state"] not in ALIVE:
        numbers["Time taken"] = (duration(sum(record.seconds for record in records)), "For training all epochs.")
    with st.container(horizontal=True, gap="medium"):
        for label, (value, words) in numbers.items():
            st.metric(label, value, help=words, width="content")


def _charts(run: RunDirectory, records: Sequence[EpochRecord]) -> None:
    last = records[-1]
    left, right = st.columns(2, gap="medium")
    with left:
        _chart(
            "Accuracy",
            training_figures.curves(records, "accuracy"),
            f"accuracy_{run.id}",
            f"validation {percent(last.validation_accuracy, 1)}, training {percent(last.train_accuracy, 1)}",
        )
        _chart(
            "Recall by class and epoch",
            training_figures.recall_strip(records),
            f"recall_{run.id}",
            ", ".join(f"{name} {percent(value)}" for name, value in zip(NAMES, last.recall, strict=True)),
        )
        _chart("Macro-F1", training_figures.single(records, "macro_f1"), f"f1_{run.id}", f"{last.macro_f1:.3f}")
    with right:
        _chart(
            "Loss (nats)",
            training_figures.curves(records, "loss"),
            f"loss_{run.id}",
            f"validation {last.validation_loss:.3f}, training {last.train_loss:.3f}",
        )
        _chart(
            f"Confusion in epoch {last.epoch}: % of each true class",
            training_figures.confusion(last, dark=session.dark()),
            f"confusion_{run.id}",
            "rows are the labels, columns the predictions",
        )
        _chart(
            "Learning rate",
            training_figures.single(records, "learning_rate", 150),
            f"rate_{run.id}",
            f"{last.learning_rate:.3g}",
        )


def _chart(title: str, figure, key: str, words: str) -> None:
    st.markdown(f"**{title}**")
    widgets.chart(figure, key, f"{title}: {words}")


def metrics_csv(records: Sequence[EpochRecord]) -> bytes:
    """One row per epoch, with recall in one column per class; the confusion matrix is only in metrics.jsonl."""
    file = io.StringIO()
    writer = csv.writer(file)
    columns = (
        "epoch",
        "train_loss",
        "train_accuracy",
        "validation_loss",
        "validation_accuracy",
        "macro_f1",
        "learning_rate",
        "seconds",
        "pictures_per_second",
        "best",
    )
    writer.writerow([*columns, *(f"recall_{name}" for name in NAMES)])
    for record in records:
        writer.writerow([*(getattr(record, name) for name in columns), *record.recall])
    return file.getvalue().encode()
