"""All runs: rename, download or delete one, compare up to five, and list them in a table."""

from __future__ import annotations

import streamlit as st

from fer.app import errors, widgets
from fer.app.markdown import plain
from fer.app.training import state
from fer.app.training.run_view import metrics_csv
from fer.data.uploads import is_upload
from fer.errors import FerError
from fer.limits import hosted
from fer.training.config import WEIGHTS, TrainConfig, names_of
from fer.training.run_about import read_about, title_of, titles_of
from fer.training.run_directory import RunDirectory, shown_state
from fer.training.run_store import UNDO_S, delete_run, list_runs, rename_run
from fer.visualization import training_figures
from fer.wording import duration

BINARY = "application/octet-stream"
COMPARED, OFFERED = 5, 30


def show_upkeep(run: RunDirectory) -> None:
    """Download, rename or delete a run."""
    locked = run.is_locked()
    with st.expander("Download, rename, delete, settings", icon=":material/folder_managed:"):
        _downloads(run)
        if not state.may_change(run.id):
            return
        with st.container(horizontal=True, vertical_alignment="bottom"):
            title = title_of(run)
            name = st.text_input("New name", title, key=f"name_{run.id}", max_chars=80, width=320)
            st.button(
                "Rename",
                key=f"rename_{run.id}",
                disabled=name == title,
                on_click=_rename,
                args=(run, name),
                icon=":material/edit:",
            )
        st.button(
            "Delete",
            key=f"delete_{run.id}",
            disabled=locked,
            on_click=_delete,
            args=(run,),
            icon=":material/delete:",
            help="Stop the run before deleting it."
            if locked
            else f"Deletes the run and its weights. You can undo this for {duration(UNDO_S)}.",
        )
        try:
            config = run.config
            st.markdown("Settings")
            st.json(
                config.to_json()
                | {name: _shown(config, name, read_about(run).data) for name in ("data", "classes", *WEIGHTS)},
                expanded=False,
            )
        except FerError as error:
            st.caption(plain(error.message))


def _downloads(run: RunDirectory) -> None:
    with st.container(horizontal=True):
        if run.best.is_file():
            card = run.best.with_suffix(".json")
            widgets.download("weights", run.best.read_bytes, f"{run.id}.safetensors", BINARY, f"get_w_{run.id}")
            widgets.download("card", card.read_bytes, f"{run.id}.json", "application/json", f"get_c_{run.id}")
            widgets.download("ONNX", lambda: _onnx(run), f"{run.id}.onnx", BINARY, f"get_o_{run.id}")
        if records := run.records():
            widgets.download("metrics", lambda: metrics_csv(records), f"{run.id}.csv", "text/csv", f"get_m_{run.id}")


def _onnx(run: RunDirectory) -> bytes:
    from fer.models.graph import read_graph

    return read_graph(run.best)[0]


@errors.guarded_callback
def _rename(run: RunDirectory, name: str) -> None:
    rename_run(run, name)


@errors.guarded_callback
def _delete(run: RunDirectory) -> None:
    title = title_of(run)
    state.add_deleted(state.Deleted(delete_run(run), title))
    state.remove_own_run(run.id)
    st.query_params.pop("run", None)


def show_comparison() -> None:
    """Up to five runs in one chart, and all of them in a sortable table with the settings in which they differ."""
    runs = list_runs()
    titles = titles_of(runs)
    # Not st.multiselect, whose tags have white text, too faint on the dark page's accent color.
    chosen = st.pills(
        "Runs in the chart",
        list(titles)[:OFFERED],
        selection_mode="multi",
        default=list(titles)[:3],
        format_func=lambda run_id: plain(titles[run_id]),
        wrap=True,
        key="compared_runs",
        help=f"Choose up to {COMPARED} of the {OFFERED} newest.",
    )[:COMPARED]
    what = st.segmented_control(
        "Of the validation split",
        ["validation_accuracy", "validation_loss"],
        default="validation_accuracy",
        required=True,
        key="compared_what",
        format_func=lambda name: name.removeprefix("validation_").capitalize(),
    )
    picked = {titles[run.id]: run.records() for run in runs if run.id in chosen}
    picked = {name: records for name, records in picked.items() if records}
    if picked:
        lines = training_figures.comparison(picked, what)
        widgets.chart(
            lines, "comparison", f"{what.replace('_', ' ').capitalize()} of {', '.join(picked)} over the epochs"
        )
    elif chosen:
        st.caption("None of these runs has finished an epoch yet.")
    else:
        st.caption("Choose runs above to see them in a chart.")
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
    """One row per run: its results, and the settings that differ between runs."""
    configs: dict[str, TrainConfig | None] = {}
    for run in runs:
        try:
            configs[run.id] = run.config
        except FerError:
            configs[run.id] = None
    differing = differing_settings([config for config in configs.values() if config])
    rows, titles = [], titles_of(runs)
    for run in runs:
        records, config = run.records(), configs[run.id]
        best = training_figures.best_record(records)
        rows.append(
            {
                "run": titles[run.id],
                "state": shown_state(run.status()) if config else "config.json is damaged",
                "best accuracy": best.validation_accuracy if best else None,
                "best epoch": best.epoch if best else None,
                "epochs done": len(records),
                "minutes": sum(record.seconds for record in records) / 60,
                **{name: _shown(config, name, read_about(run).data) if config else None for name in differing},
            }
        )
    return rows


def _shown(config: TrainConfig, name: str, upload: str) -> str:
    """A setting's public value: an upload's file name, never its path; on the shared demo, no path at all."""
    value = str(getattr(config, name))
    if name == "data" and is_upload(value):
        return upload or "an upload"
    if name == "classes" and value and is_upload(config.data):
        return "names of the upload's own"
    return names_of(value) if hosted() and name in ("data", *WEIGHTS) else value


def differing_settings(configs: list[TrainConfig]) -> list[str]:
    """The names of the settings that differ between these runs."""
    if not configs:
        return []
    return [
        name
        for name, value in configs[0].to_json().items()
        if any(getattr(config, name) != value for config in configs)
    ]
