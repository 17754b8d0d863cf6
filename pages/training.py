"""Training: choose data, start a run, watch it learn, use it a minute later."""

from __future__ import annotations

import streamlit as st

from fer.app import data_choice, shell, state, training_data, training_form, training_run, training_shelf
from fer.app.training_sweep import sweep_now_and_then
from fer.errors import FerError
from fer.limits import hosted, limits
from fer.training.runs import RunDirectory
from fer.training.shelf import find_run, list_runs

detector_line = shell.open_page("Training")
st.title("Training")


def chosen_run(runs: list[RunDirectory]) -> RunDirectory | None:
    """The run that the address names, else the newest."""
    named = st.query_params.get("run")
    if named:
        try:
            return find_run(named)
        except FerError as error:
            st.error(shell.plain(error.message), icon=":material/error:")
    return runs[0] if runs else None


def go_to(key: str) -> None:
    st.query_params["run"] = state.widget(key)


def choose_view(runs: list[RunDirectory], run: RunDirectory | None) -> str:
    """The bar at the top: which run, a new one, or all side by side. Returns run, new or compare."""
    view = state.training_view() or "run"
    if not runs:
        return "new"
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if view == "run":
            ids = [each.id for each in runs]
            key = f"run_picker_{run.id}"
            st.selectbox("Run", ids, ids.index(run.id), key=key, on_change=go_to, args=(key,), width=340)
            st.button("New run", on_click=state.show_training, args=("new",), icon=":material/add:", key="new_run")
            st.button("Compare runs", on_click=state.show_training, args=("compare",), key="compare_runs",
                      icon=":material/stacked_line_chart:")
        else:
            st.button("Back to the run", on_click=state.show_training, args=("run",), icon=":material/arrow_back:",
                      key="back_to_run")
    return view


def show_form() -> None:
    st.markdown("Train a network of your own and use it a minute later. With the drawn faces, nothing is needed but "
                "**Start training**.")
    training_form.show_demo_limits()
    preset = training_form.choose_preset()
    data = data_choice.choose_data("data")
    if data is None:
        st.info("Name or upload the data first.", icon=":material/database:")
        return
    if not isinstance(data, str):
        days = limits().kept_upload_days
        after = " The run and its weights go a day after it ended: download what you want to keep." if hosted() else ""
        st.caption("Kept on this server for the run, under the digest of its bytes, for "
                   f"{'a day' if days == 1 else f'{days:.0f} days'}.{after}")
        data = str(data_choice.keep(data))
    config = training_form.fill_in(preset, data)
    training_form.start_button(config)
    estimate = st.empty()
    if config:
        with estimate:
            training_form.estimate_to_come()
    report = training_data.show_report(data, config.faces if config else "auto")
    if config:
        with estimate:
            training_form.show_estimate(config, sum(report.counts.get("Training", {}).values()))


with shell.guarded():
    if message := state.told():
        st.error(shell.plain(message), icon=":material/error:")
    sweep_now_and_then()
    runs = list_runs()
    run = chosen_run(runs)
    view = choose_view(runs, run)
    if view == "new":
        show_form()
    elif view == "compare":
        from fer.app import training_shelf

        training_shelf.show_comparison()
    else:  # the charts' libraries take most of a second to load: what stands above is shown meanwhile
        from fer.app import training_run, training_shelf

        training_run.show_run(run)
        training_shelf.show_upkeep(run)
shell.close_page(detector_line)
