"""Training: choose data, start a run, watch it learn, use it a minute later."""

from __future__ import annotations

import os
from pathlib import Path

import streamlit as st

from fer.app import data_choice, errors, layout
from fer.app.markdown import plain
from fer.app.training import data_report, form, run_choice, state
from fer.app.training.state import TrainingData
from fer.data import uploads
from fer.data.read import SYNTHETIC
from fer.limits import hosted, limits
from fer.training.run_store import list_runs
from fer.wording import count_of

detector_line = layout.open_page("Training")
st.title("Training")


def choose_data() -> TrainingData | None:
    """The data, or None while nothing usable is chosen."""
    kept = state.form.get()
    if kept.data not in ("", SYNTHETIC) and os.path.exists(kept.data):  # that of an earlier run of this form
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"Data: **{plain(kept.upload or Path(kept.data).name)}**, as before", width="content")
            st.button("Choose other data", on_click=state.forget_data, key="other_data", icon=":material/database:")
        return TrainingData(kept.data, kept.upload)
    if kept.data not in ("", SYNTHETIC):
        st.caption("The data of that run is no longer on this server. Choose other data.")
    data = data_choice.choose_data(state.DATA, on_remove=state.forget_report)
    if data is None:
        st.info("Choose a file or enter a path to go on.", icon=":material/database:")
        return None
    if isinstance(data, str):
        return TrainingData(data)
    days = count_of(round(limits().kept_upload_days), "day")
    after = " So are the run and its weights after it ends: download what you want to keep." if hosted() else ""
    st.caption(f"Stored on this server when you start, and kept for {days}.{after}")
    path = uploads.stored_path(data_choice.digest_of(state.DATA, data), data.name)
    return TrainingData(str(path), data.name, data)


def show_form() -> None:
    st.markdown(
        "Train a network of your own and use it a minute later. To try it on synthetic faces, just press "
        "**Start training**."
    )
    form.show_demo_limits()
    preset = form.choose_preset()
    if not (data := choose_data()):
        return
    with data_choice.asking_for_classes(data.path) as place:
        classes = data_choice.chosen_classes(data.path)
        start = st.container()  # at the top, and filled once the settings below it are read
        number = state.new_form()
        config, network = form.fill_in(preset, data, classes, start, number)
        with start:
            form.start_button(config, number, data)
            notes, estimate = st.container(), st.empty()
        if config:
            with estimate:
                form.estimate_to_come()
        report = data_report.show_report(data, config.faces if config else "auto", classes)
        data_choice.ask_for_classes(place, data.path, report.unknown, report.assumed)
    if config:
        with notes:
            form.show_notes(config, report)
        form.show_timing(config, report, network, estimate)


with errors.guarded():
    errors.show_message()
    run_choice.offer_undo()
    runs = list_runs()
    run = run_choice.chosen_run(runs)
    view = run_choice.choose_view(runs, run)
    if view == "new":
        show_form()
    elif view == "compare":
        from fer.app.training import runs_view

        runs_view.show_comparison()
    elif run is not None:  # the charts' libraries take most of a second to load: what stands above is shown meanwhile
        from fer.app.training import run_view, runs_view

        state.watched.set(run.id)
        run_view.show_run(run)
        runs_view.show_upkeep(run)
layout.close_page(detector_line)
