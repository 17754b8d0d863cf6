"""Training: choose data, start a run, watch it learn, use it a minute later."""

from __future__ import annotations

import streamlit as st

from fer.app import data_choice, errors, layout, session
from fer.app.server.retention import remove_expired_if_due
from fer.app.training import data_report, form, run_view, runs_view, state
from fer.data import uploads
from fer.errors import FerError
from fer.limits import hosted, limits
from fer.training.run_directory import RunDirectory
from fer.training.run_store import find_run, list_runs

detector_line = layout.open_page("Training")
st.title("Training")


def chosen_run(runs: list[RunDirectory]) -> RunDirectory | None:
    """The run in the address, else the newest."""
    requested = st.query_params.get("run")
    if requested:
        try:
            return find_run(requested)
        except FerError as error:
            errors.show_error(error.message)
    return runs[0] if runs else None


def go_to(key: str) -> None:
    if chosen := session.widget(key, str):
        st.query_params["run"] = chosen


def choose_view(runs: list[RunDirectory], run: RunDirectory | None) -> state.View:
    """The bar at the top: which run, a new one, or all side by side."""
    view = state.view.get()
    if run is None:
        return "new"
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if view == "run":
            ids = [each.id for each in runs]
            key = f"run_picker_{run.id}"
            st.selectbox("Run", ids, ids.index(run.id), key=key, on_change=go_to, args=(key,), width=340)
            st.button("New run", on_click=state.view.set, args=("new",), icon=":material/add:", key="new_run")
            st.button(
                "Compare runs",
                on_click=state.view.set,
                args=("compare",),
                key="compare_runs",
                icon=":material/stacked_line_chart:",
            )
        else:
            st.button(
                "Back to the run",
                on_click=state.view.set,
                args=("run",),
                icon=":material/arrow_back:",
                key="back_to_run",
            )
    return view


def show_form() -> None:
    st.markdown(
        "Train a network of your own and use it a minute later. With the drawn faces, nothing is needed but "
        "**Start training**."
    )
    form.show_demo_limits()
    preset = form.choose_preset()
    data = data_choice.choose_data("data")
    if data is None:
        st.info("Name or upload the data first.", icon=":material/database:")
        return
    if not isinstance(data, str):
        days = limits().kept_upload_days
        after = " The run and its weights go a day after it ended: download what you want to keep." if hosted() else ""
        st.caption(
            "Kept on this server for the run, under the digest of its bytes, for "
            f"{'a day' if days == 1 else f'{days:.0f} days'}.{after}"
        )
        data = str(uploads.keep(data, data.name, limits()))
    with data_choice.asking_for_classes(data) as place:
        classes = data_choice.chosen_classes(data)
        config = form.fill_in(preset, data, classes)
        form.start_button(config)
        estimate = st.empty()
        if config:
            with estimate:
                form.estimate_to_come()
        report = data_report.show_report(data, config.faces if config else "auto", classes)
        data_choice.ask_for_classes(place, data, report.unknown)
    if config:
        with estimate:
            form.show_estimate(config, sum(report.counts.get("Training", {}).values()))


with errors.guarded():
    errors.show_message()
    remove_expired_if_due()
    runs = list_runs()
    run = chosen_run(runs)
    view = choose_view(runs, run)
    if view == "new":
        show_form()
    elif view == "compare":
        from fer.app.training import runs_view

        runs_view.show_comparison()
    elif run is not None:  # the charts' libraries take most of a second to load: what stands above is shown meanwhile
        from fer.app.training import run_view, runs_view

        run_view.show_run(run)
        runs_view.show_upkeep(run)
layout.close_page(detector_line)
