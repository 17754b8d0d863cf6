"""The form for a new run: a preset, the main settings, and all others in groups; it keeps its values."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from functools import partial
from zoneinfo import ZoneInfo

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from fer.app import data_choice, errors, resources, session, widgets
from fer.app.markdown import plain
from fer.app.model_choice import Model, ShippedModel, available_models, display_name, option_labels
from fer.app.training import network_diagram, state
from fer.app.training.state import Setting, TrainingData
from fer.app.training.timing import DOING, Timing, timing_of
from fer.data import uploads
from fer.data.read import SYNTHETIC
from fer.data.report import DataReport
from fer.errors import FerError
from fer.limits import hosted, limits
from fer.models.registry import ARCHITECTURES
from fer.training import launcher, run_about
from fer.training.config import CHOICES, TrainConfig, field_help, small_data_notes
from fer.training.presets import GROUPS, PRESETS, Preset
from fer.training.run_about import About
from fer.training.run_directory import RunDirectory
from fer.training.run_store import free_title
from fer.wording import count_of, duration_range

LABELS = {
    "ema_decay": "EMA decay",
    "ferplus_weight": "FER+ votes weight",
    "init": "Start from",
    "freeze": "Freeze up to",
    "limit": "Limit pictures",
    "model": "Network type",
    "standardise": "Standardize",
}
POLL_S = 1.0
START_ICON = ":material/play_arrow:"
NAMED = 6  # changed settings
DEFAULTS: dict[str, Setting] = TrainConfig().to_json()


def show_demo_limits() -> None:
    """One line about the shared demo's limits; nothing on one's own machine."""
    most = limits()
    if hosted():
        models = " and ".join(map(display_name, most.train_models))
        st.caption(
            f"This shared demo trains {models} for up to {most.train_epochs} epochs of "
            f"{most.train_pictures:,} pictures, in batches of up to {most.train_batch}. For longer runs and larger "
            "networks, install FER Studio on your own machine."
        )


def offered_presets() -> list[Preset]:
    """The presets within the current limits: slightly too long ones are shortened, much longer ones omitted."""
    most = limits().train_epochs
    lengths = {preset.name: preset.settings.get("epochs", DEFAULTS["epochs"]) for preset in PRESETS}
    return [
        replace(preset, settings={**preset.settings, "epochs": min(lengths[preset.name], most)})
        for preset in PRESETS
        if lengths[preset.name] <= 2 * most
    ]


def choose_preset() -> Preset:
    presets, form = offered_presets(), state.form.get()
    names = [preset.name for preset in presets]
    chosen = st.selectbox(
        "Preset",
        names,
        names.index(form.preset) if form.preset in names else 0,
        key="preset" if not form.version else f"preset_{form.version}",
        help="A set of values to start from. You can change each of them below.",
    )
    preset = presets[names.index(chosen)]
    form.preset = chosen
    st.caption(preset.words)
    return preset


def fill_in(
    preset: Preset, data: TrainingData, classes: str, top: DeltaGenerator, number: int
) -> tuple[TrainConfig | None, DeltaGenerator]:
    """All settings as widgets, with the preset's or changed values; and the place for the network.

    None, with a sentence at the top, if the values conflict. number: as in `start_button`.
    """
    standard: dict[str, Setting] = {**DEFAULTS, **preset.settings}
    remedy = state.remedy(data.path)
    shown = {**standard, "balance": remedy} if remedy != "none" else standard
    chosen: dict[str, Setting] = {"data": data.path, "classes": classes}
    summary = st.empty()
    _settings(GROUPS[""], standard, shown, preset, chosen)
    network = st.empty()
    with network:
        network_to_come()
    with st.expander("More settings", icon=":material/tune:"):
        for group, names in GROUPS.items():
            if not group:
                continue
            heading = st.empty()
            _settings(names, standard, shown, preset, chosen)
            count = len([name for name in names if chosen[name] != standard[name]])
            heading.markdown(f"**{group}**" + (f" :primary[{count} changed]" if count else ""))
        end = st.empty()
    with summary:
        _changes([name for names in GROUPS.values() for name in names if chosen[name] != standard[name]], preset)
    try:
        config = TrainConfig.from_json(chosen)
    except FerError as error:
        with top:
            errors.show_error(error.message)
        return None, network
    args = (config, number, data)
    end.button("Start with these settings", icon=START_ICON, key="start_below", on_click=_start, args=args)
    return config, network


def _settings(
    names: Sequence[str],
    standard: dict[str, Setting],
    shown: dict[str, Setting],
    preset: Preset,
    chosen: dict[str, Setting],
) -> None:
    """Read one group's settings into `chosen`."""
    for name, place in zip(names, widgets.form_places(len(names)), strict=True):
        with place:
            chosen[name] = _setting(name, standard, shown, preset, chosen)


def _changes(names: Sequence[str], preset: Preset) -> None:
    """The number and names of changed settings, with a button to reset them."""
    if not names:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        named = ", ".join(map(_label, names[:NAMED])) + (
            f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
        )
        st.markdown(f":primary[**{len(names)} changed**]: {named}", width="content")
        st.button(
            "Reset to the preset", on_click=_reset, args=(preset.name,), key="reset_settings", icon=":material/undo:"
        )


def _reset(preset: str) -> None:
    form = state.form.get()
    form.changes[preset] = {}
    form.version += 1
    state.forget_remedy()


def _label(name: str) -> str:
    return LABELS.get(name, name.replace("_", " ").capitalize())


def _setting(
    name: str, standard: dict[str, Setting], shown: dict[str, Setting], preset: Preset, chosen: dict[str, Setting]
) -> Setting:
    """One setting as a widget, marked if changed from the preset; its value outlives the widget."""
    form = state.form.get()
    changes = form.changed(preset.name)
    key = f"setting_{name}_{preset.name}_{shown[name]}" + (f"_{form.version}" if form.version else "")
    with st.container(gap=None):
        value = _widget(name, changes.get(name, shown[name]), key, chosen)
        if value != standard[name]:
            was = _options(name, chosen).get(str(standard[name]), standard[name])
            st.markdown(f":small[:primary[Changed], preset: {plain(str(was)) or 'none'}]")
    if value != shown[name]:
        changes[name] = value
    else:
        changes.pop(name, None)
    return value


def _widget(name: str, value: Setting, key: str, chosen: dict[str, Setting]) -> Setting:
    words = field_help().get(name, "")
    if options := _options(name, chosen):
        start = list(options).index(str(value)) if value in options else 0
        return st.selectbox(_label(name), list(options), start, format_func=options.__getitem__, key=key, help=words)
    if isinstance(value, int):  # no setting may be negative
        highest = launcher.highest_settings().get(name)
        value = max(value if highest is None else min(value, highest), 0)
        return int(
            st.number_input(_label(name), value=value, step=1, min_value=0, max_value=highest, key=key, help=words)
        )
    number = max(float(value), 0.0)
    return float(
        st.number_input(
            _label(name), value=number, step=_step(number), min_value=0.0, format="%.6g", key=key, help=words
        )
    )


def _step(number: float) -> float:
    """A number input's step: the power of ten of its value, 0.01 for 0."""
    return 10.0 ** math.floor(math.log10(number)) if sys.float_info.min <= number < math.inf else 0.01


def _options(name: str, chosen: dict[str, Setting]) -> dict[str, str]:
    """A setting's choices and their labels; empty for a number."""
    architecture = str(chosen.get("model", ""))
    if name == "model":
        return {each: display_name(each) for each in limits().train_models or ARCHITECTURES}
    if name == "init":
        return {"": "nothing"} | option_labels(model for model in _sources() if _architecture(model) == architecture)
    if name == "teacher":
        return {"": "nothing"} | option_labels(_sources())
    if name == "freeze":
        return {"": "nothing"} | {layer: display_name(layer) for layer in ARCHITECTURES[architecture].layers}
    return {choice: display_name(choice) for choice in CHOICES.get(name, ())}


def _sources() -> list[Model]:
    """Models that a run may start or learn from: the shipped ones and, except on the shared demo, all runs."""
    return [model for model in available_models() if isinstance(model, ShippedModel) or not hosted()]


def _architecture(model: Model) -> str:
    try:
        return resources.card(model).architecture
    except FerError:
        return ""


def refill(run: RunDirectory) -> None:
    """Fill the form with a run's settings and data, using the closest preset."""
    config, form = run.config, state.form.get()
    values = config.to_json()
    changes = {
        preset.name: {
            name: values[name]
            for names in GROUPS.values()
            for name in names
            if values[name] != {**DEFAULTS, **preset.settings}[name]
        }
        for preset in offered_presets()
    }
    closest = min(changes, key=lambda name: len(changes[name]))
    form.preset, form.changes[closest] = closest, changes[closest]
    form.data, form.upload = config.data, run_about.read_about(run).data
    if config.data == SYNTHETIC:
        data_choice.choose_synthetic(state.DATA)
    session.data_classes.get()[config.data] = config.classes
    form.version += 1
    state.forget_remedy()


def estimate_to_come() -> None:
    """A placeholder of the estimate's height until the number of pictures is known, so that nothing moves."""
    st.caption(":material/schedule: Estimating how long it will take…")


def show_notes(config: TrainConfig, report: DataReport) -> None:
    """Notes about small data before the run starts."""
    if not (training := _training_pictures(config, report)):
        st.warning("This data has no training pictures: all are for validation or test.", icon=":material/error:")
        return
    for note in small_data_notes(config, training, "PublicTest" not in report.counts):
        st.info(note, icon=":material/info:")


def _training_pictures(config: TrainConfig, report: DataReport) -> int:
    pictures = sum(report.counts.get("Training", {}).values())
    return min(config.limit or pictures, pictures, limits().train_pictures)


def show_timing(config: TrainConfig, report: DataReport, network: DeltaGenerator, estimate: DeltaGenerator) -> None:
    """Fill in the network, and the estimated time for an epoch and the run on this machine; polled until both are
    known."""
    timing = timing_of(config)
    counts = _training_pictures(config, report), sum(report.counts.get("PublicTest", {}).values())
    pending = not timing.finished
    with network:
        waits = pending and timing.network is None
        st.fragment(_network, run_every=POLL_S if waits else None)(timing, config.model)
    with estimate:
        st.fragment(_estimate, run_every=POLL_S if pending else None)(timing, config, *counts, pending)
    if timing.costs:
        whole = timing.costs.estimate(config, *counts)[1]
        state.expected.set((config, (whole.low + whole.high) / 2))


def network_to_come() -> None:
    """A placeholder of the network's height until PyTorch has described it, so that nothing moves."""
    with st.container(height=network_diagram.HEIGHT, border=False):
        st.caption(":material/schema: Drawing the network…")


def _network(timing: Timing, architecture: str) -> None:
    if timing.network is None:
        network_to_come()
        return
    network_diagram.show(timing.network, display_name(architecture))


def _estimate(timing: Timing, config: TrainConfig, training: int, validation: int, pending: bool) -> None:
    if not timing.finished:
        st.caption(f":material/hourglass_top: {DOING}")
        return
    if pending:
        st.rerun()  # rerun the whole page, which ends the polling
    if timing.problem:
        errors.show_error(timing.problem)
        return
    if timing.costs is None:
        st.caption(":material/schedule: No estimate of how long it will take.")
        return
    epoch, whole = timing.costs.estimate(config, training, validation)
    st.caption(
        f":material/schedule: About {duration_range(epoch.low, epoch.high)} an epoch of "
        f"{count_of(training, 'picture')}, {duration_range(whole.low, whole.high)} in all.",
        help="From timing a few training steps on this machine just now. During training the page shows the time left.",
    )


def start_button(config: TrainConfig | None, number: int, data: TrainingData) -> None:
    """number: the form's, which starts only one run."""
    label = "Start training"
    st.button(
        f"{START_ICON} {label}" if config is None else widgets.filled_label(label, START_ICON),
        type="primary",
        disabled=config is None,
        key="start",
        on_click=_start,
        args=(config, number, data),
    )


@errors.guarded_callback
def _start(config: TrainConfig, form: int, data: TrainingData) -> None:
    if state.has_started(form):  # a double click
        return
    if data.upload:
        run = launcher.start(config, store=partial(uploads.keep, data.upload, data.upload.name, limits()))
    else:
        run = launcher.start(config)
    state.mark_started(form)
    state.add_own_run(run.id)
    kept = state.form.get()
    kept.data, kept.upload = config.data, data.name
    st.query_params["run"] = run.id
    state.view.set("run")
    run_about.write_about(run, _about(run, config, data.name))  # last: the run has started, even if this fails


def _about(run: RunDirectory, config: TrainConfig, upload: str) -> About:
    """The upload's file name to store; not on the shared demo, where everyone sees all runs."""
    upload = "" if hosted() else upload
    title = free_title(run_about.default_title(run_about.data_words(config, upload), _visitors_time()), run)
    expected = state.expected.get()
    return About(title, upload, expected[1] if expected and expected[0] == config else 0.0)


def _visitors_time() -> datetime:
    """The time where the visitor is; the server's if the browser's time zone is not known here."""
    with suppress(KeyError, ValueError, OSError):
        if zone := st.context.timezone:
            return datetime.now(ZoneInfo(zone))
    return datetime.now()
