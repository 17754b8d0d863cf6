"""The run that Training opens with, and the bar to open another, start a new one or compare all."""

from __future__ import annotations

import streamlit as st

from fer.app import errors, session
from fer.app.markdown import plain
from fer.app.training import state
from fer.errors import FerError
from fer.limits import hosted
from fer.training.run_about import titles_of
from fer.training.run_directory import ALIVE, RunDirectory
from fer.training.run_store import find_run, restore_run

NEEDS_A_LOOK = (*ALIVE, "failed", "died")


def chosen_run(runs: list[RunDirectory]) -> RunDirectory | None:
    """The run in the address, else the default one."""
    requested = st.query_params.get("run")
    if requested:
        try:
            return find_run(requested)
        except FerError as error:
            errors.show_error(error.message)
    return opened_run(runs)


def opened_run(runs: list[RunDirectory]) -> RunDirectory | None:
    """The run watched last; else, on the shared demo, the visitor's newest, or on one's own machine, the newest if it
    is alive or failed. None opens the form. runs: newest first."""
    runs = [run for run in runs if state.may_change(run.id)]
    for run in runs:
        if run.id == state.watched.get():
            return run
    if not runs or not hosted() and runs[0].status()["state"] not in NEEDS_A_LOOK:
        return None
    return runs[0]


def choose_view(runs: list[RunDirectory], run: RunDirectory | None) -> state.View:
    """The bar at the top. runs: all of them. run: the current one."""
    view = state.view.get() or ("run" if run else "new")
    view = "new" if view == "run" and run is None else view
    if not runs:
        return "new"
    shown = run if view == "run" else None
    own_first = sorted(runs, key=lambda each: hosted() and not state.is_own_run(each.id))
    names = {
        run_id: title if state.may_change(run_id) else f"{title} (another visitor's)"
        for run_id, title in titles_of(own_first).items()
    }
    with st.container(horizontal=True, vertical_alignment="bottom"):
        key = f"run_picker_{shown.id}" if shown else f"run_picker_{view}"
        st.selectbox(
            "Run",
            list(names),
            list(names).index(shown.id) if shown and shown.id in names else None,
            format_func=lambda run_id: names.get(run_id, run_id),
            placeholder="Open a run",
            key=key,
            on_change=_go_to,
            args=(key,),
            width=340,
        )
        if view != "run" and run is not None:
            _view_button("Back to the run", "run", ":material/arrow_back:", "back_to_run")
        if view != "new":
            _view_button("New run", "new", ":material/add:", "new_run")
        if view != "compare":
            _view_button("Compare runs", "compare", ":material/stacked_line_chart:", "compare_runs")
    return view


def _view_button(label: str, view: state.View, icon: str, key: str) -> None:
    st.button(label, on_click=state.view.set, args=(view,), icon=icon, key=key)


def _go_to(key: str) -> None:
    if chosen := session.widget(key, str):
        st.query_params["run"] = chosen
        state.view.set("run")


def offer_undo() -> None:
    """After a deletion, a button to restore the run, visible wherever the page is scrolled."""
    if not (deleted := state.deleted()):
        return
    with st.bottom, st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f":material/delete: Deleted: **{plain(deleted.title)}**", width="content")
        st.button("Undo", on_click=_undo, args=(deleted,), icon=":material/undo:", key="undo_delete")


@errors.guarded_callback
def _undo(deleted: state.Deleted) -> None:
    state.forget_deleted(deleted)
    run = restore_run(deleted.aside)
    state.add_own_run(run.id)
    st.query_params["run"] = run.id
    state.view.set("run")
