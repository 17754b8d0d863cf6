"""All runs: keep one in order (rename, download, delete), compare up to five, table them."""

from __future__ import annotations

import streamlit as st

from fer.app import errors, session
from fer.app.markdown import plain
from fer.app.model_choice import TrainedRun
from fer.app.training import state
from fer.app.training.run_view import metrics_csv
from fer.data.uploads import is_upload
from fer.errors import FerError
from fer.limits import hosted
from fer.training.config import WEIGHTS, TrainConfig, names_of
from fer.training.run_directory import RunDirectory, shown_state
from fer.training.run_store import delete_run, list_runs, rename_run
from fer.visualization import figures, training_figures

COMPARED, OFFERED = 5, 30


def show_upkeep(run: RunDirectory) -> None:
    """Use, download, rename or delete a run."""
    locked = run.is_locked()
    if run.best.is_file():
        with st.container(horizontal=True, vertical_alignment="center"):
            st.button(
                "Use it in Predict",
                on_click=session.choose_model,
                args=(TrainedRun(run.path),),
                key=f"use_{run.id}",
                icon=":material/add_reaction:",
            )
            if session.model() == TrainedRun(run.path):
                st.page_link(
                    "pages/predict.py", label="It is the chosen model: go to Predict", icon=":material/arrow_forward:"
                )
    with st.expander("Download, rename, delete, settings", icon=":material/folder_managed:"):
        _downloads(run)
        if not state.may_change(run.id):
            return
        with st.container(horizontal=True, vertical_alignment="bottom"):
            name = st.text_input("New name", run.id, key=f"name_{run.id}", disabled=locked, width=320)
            st.button(
                "Rename",
                key=f"rename_{run.id}",
                disabled=locked or name == run.id,
                on_click=_rename,
                args=(run, name),
                icon=":material/edit:",
            )
        sure = st.checkbox("Delete the run with its weights, for good", key=f"sure_{run.id}", disabled=locked)
        st.button(
            "Delete",
            key=f"delete_{run.id}",
            disabled=locked or not sure,
            on_click=_delete,
            args=(run,),
            icon=":material/delete:",
        )
        if locked:
            st.caption("While it is being trained it can be neither renamed nor deleted.")
        try:
            config = run.config
            st.json(
                config.to_json() | {name: _shown(config, name) for name in ("data", "classes", *WEIGHTS)},
                expanded=False,
            )
        except FerError as error:
            st.caption(plain(error.message))


def _downloads(run: RunDirectory) -> None:
    with st.container(horizontal=True):
        if run.best.is_file():
            st.download_button(
                "Weights",
                run.best.read_bytes,
                f"{run.id}.safetensors",
                key=f"get_w_{run.id}",
                on_click="ignore",
                icon=":material/download:",
            )
            st.download_button(
                "Card",
                run.best.with_suffix(".json").read_bytes,
                f"{run.id}.json",
                "application/json",
                key=f"get_c_{run.id}",
                on_click="ignore",
                icon=":material/download:",
            )
            st.download_button(
                "ONNX",
                lambda: _onnx(run),
                f"{run.id}.onnx",
                key=f"get_o_{run.id}",
                on_click="ignore",
                icon=":material/download:",
            )
        if records := run.records():
            st.download_button(
                "Metrics as CSV",
                lambda: metrics_csv(records),
                f"{run.id}.csv",
                "text/csv",
                key=f"get_m_{run.id}",
                on_click="ignore",
                icon=":material/download:",
            )


def _onnx(run: RunDirectory) -> bytes:
    from fer.models.graph import read_graph

    return read_graph(run.best)[0]


@errors.guarded_callback
def _rename(run: RunDirectory, name: str) -> None:
    renamed = rename_run(run, name)
    state.add_own_run(renamed.id)
    state.remove_own_run(run.id)
    if session.model() == TrainedRun(run.path):
        session.choose_model(TrainedRun(renamed.path))
    st.query_params["run"] = renamed.id


@errors.guarded_callback
def _delete(run: RunDirectory) -> None:
    delete_run(run)
    state.remove_own_run(run.id)
    st.query_params.pop("run", None)


def show_comparison() -> None:
    """Up to five runs in one chart, and all of them in a sortable table with the settings in which they differ."""
    runs = list_runs()
    ids = [run.id for run in runs]
    # Not st.multiselect: its tags have white words, too faint on the dark page's accent.
    chosen = st.pills(
        "Runs in the chart",
        ids[:OFFERED],
        selection_mode="multi",
        default=ids[:3],
        wrap=True,
        key="compared_runs",
        help=f"Up to {COMPARED}, of the {OFFERED} newest.",
    )[:COMPARED]
    what = st.segmented_control(
        "Of the validation split",
        ["validation_accuracy", "validation_loss"],
        default="validation_accuracy",
        required=True,
        key="compared_what",
        format_func=lambda name: name.removeprefix("validation_").capitalize(),
    )
    picked = {run.id: run.records() for run in runs if run.id in chosen}
    picked = {name: records for name, records in picked.items() if records}
    if picked:
        st.plotly_chart(
            training_figures.comparison(picked, what),
            width="stretch",
            config=figures.CONFIG,
            key="comparison",
            alt=f"{what} of {', '.join(picked)} over the epochs",
        )
    else:
        st.caption("None of them has a finished epoch yet.")
    st.dataframe(
        rows_of(runs),
        hide_index=True,
        width="stretch",
        key="runs_table",
        column_config={
            "best accuracy": st.column_config.NumberColumn(format="percent"),
            "minutes": st.column_config.NumberColumn(format="%.1f"),
        },
    )


def rows_of(runs: list[RunDirectory]) -> list[dict]:
    """One row a run: how it went, and the settings that are not the same in all."""
    configs: dict[str, TrainConfig | None] = {}
    for run in runs:
        try:
            configs[run.id] = run.config
        except FerError:
            configs[run.id] = None
    differing = differing_settings([config for config in configs.values() if config])
    rows = []
    for run in runs:
        records, config = run.records(), configs[run.id]
        best = training_figures.best_record(records)
        rows.append(
            {
                "run": run.id,
                "state": shown_state(run.status()) if config else "config.json is damaged",
                "best accuracy": best.validation_accuracy if best else None,
                "best epoch": best.epoch if best else None,
                "epochs done": len(records),
                "minutes": sum(record.seconds for record in records) / 60,
                **{name: _shown(config, name) if config else None for name in differing},
            }
        )
    return rows


def _shown(config: TrainConfig, name: str) -> str:
    """A setting for all to see: of an upload neither its place nor its digest, on the shared demo no place at all."""
    value = str(getattr(config, name))
    if name == "data" and is_upload(value):
        return "an upload"
    if name == "classes" and value and is_upload(config.data):
        return "names of the upload's own"
    return names_of(value) if hosted() and name in ("data", *WEIGHTS) else value


def differing_settings(configs: list[TrainConfig]) -> list[str]:
    """The names of the settings that are not the same in all of these."""
    if not configs:
        return []
    return [
        name
        for name, value in configs[0].to_json().items()
        if any(getattr(config, name) != value for config in configs)
    ]
