"""The form of a new run: a preset, the few settings that matter, all others in an expander."""

from __future__ import annotations

import math
from dataclasses import replace

import streamlit as st

from fer.app import errors, resources, widgets
from fer.app.model_choice import Model, ShippedModel, available_models, display_name
from fer.app.training import state
from fer.app.training.timing import DOING, Timing, timing_of
from fer.errors import FerError
from fer.limits import hosted, limits
from fer.models.registry import ARCHITECTURES
from fer.training import launcher
from fer.training.config import CHOICES, TrainConfig, field_help
from fer.training.presets import GROUPS, PRESETS, Preset

LABELS = {
    "ema_decay": "EMA decay",
    "ferplus_weight": "FER+ votes weight",
    "init": "Start from",
    "freeze": "Freeze up to",
    "limit": "Limit pictures",
}
POLL_S = 1.0
Setting = str | int | float
DEFAULTS: dict[str, Setting] = TrainConfig().to_json()


def show_demo_limits() -> None:
    """One line on what the shared demo trains; nothing on a machine of one's own."""
    most = limits()
    if hosted():
        models = " and ".join(map(display_name, most.train_models))
        st.caption(
            f"This shared demo trains {models} for at most {most.train_epochs} epochs of "
            f"{most.train_pictures:,} pictures, in batches of at most {most.train_batch}. Longer recipes and "
            "larger networks: on your own machine."
        )


def offered_presets() -> list[Preset]:
    """The presets within the limits in force: one a little too long is cut, one that is more than twice so left out."""
    most = limits().train_epochs
    lengths = {preset.name: preset.settings.get("epochs", DEFAULTS["epochs"]) for preset in PRESETS}
    return [
        replace(preset, settings={**preset.settings, "epochs": min(lengths[preset.name], most)})
        for preset in PRESETS
        if lengths[preset.name] <= 2 * most
    ]


def choose_preset() -> Preset:
    presets = offered_presets()
    names = [preset.name for preset in presets]
    chosen = st.selectbox("Preset", names, key="preset", help="Settings to start from; each can be changed below.")
    preset = presets[names.index(chosen)]
    st.caption(preset.words)
    return preset


def fill_in(preset: Preset, data: str, classes: str) -> TrainConfig | None:
    """All settings as widgets, the preset's as their defaults; None with a sentence where they do not fit together."""
    values: dict[str, Setting] = {**DEFAULTS, **preset.settings, "data": data}
    if state.remedy(data) != "none":
        values["balance"] = state.remedy(data)
    chosen: dict[str, Setting] = {"data": data, "classes": classes}
    with st.container(horizontal=True):
        for name in GROUPS[""]:
            chosen[name] = _widget(name, values[name], preset.name, chosen)
    with st.expander("More settings", icon=":material/tune:"):
        for group, names in GROUPS.items():
            if not group:
                continue
            st.markdown(f"**{group}**")
            with st.container(horizontal=True):
                for name in names:
                    chosen[name] = _widget(name, values[name], preset.name, chosen)
    try:
        return TrainConfig.from_json(chosen)
    except FerError as error:
        errors.show_error(error.message)
        return None


def _widget(name: str, value: Setting, preset: str, chosen: dict[str, Setting]) -> Setting:
    """One setting; its width lets three or four stand side by side, or one under the other on a phone."""
    label = LABELS.get(name, name.replace("_", " ").capitalize())
    key = f"setting_{name}_{preset}_{value}"
    words, width = field_help().get(name, ""), 190
    options = _options(name, str(chosen.get("model", "")))
    if options:
        start = list(options).index(str(value)) if value in options else 0
        return st.selectbox(
            label, list(options), start, format_func=options.__getitem__, key=key, help=words, width=width
        )
    if isinstance(value, int):
        highest = launcher.highest_settings().get(name)
        return int(st.number_input(label, value=value, step=1, max_value=highest, key=key, help=words, width=width))
    number = float(value)
    size = 10.0 ** math.floor(math.log10(number)) if number else 0.01
    return float(st.number_input(label, value=number, step=size, format="%.6g", key=key, help=words, width=width))


def _options(name: str, architecture: str) -> dict[str, str]:
    """What a setting can be, and how that is shown; empty for a number."""
    if name == "model":
        return {each: display_name(each) for each in limits().train_models or ARCHITECTURES}
    if name == "init":
        return {"": "nothing"} | {
            model.spec: model.label for model in _sources() if _architecture(model) == architecture
        }
    if name == "teacher":
        return {"": "nothing"} | {model.spec: model.label for model in _sources()}
    if name == "freeze":
        return {"": "nothing"} | {layer: display_name(layer) for layer in ARCHITECTURES[architecture].layers}
    return {choice: display_name(choice) for choice in CHOICES.get(name, ())}


def _sources() -> list[Model]:
    """What a run may start or learn from: the shipped models and, but for the shared demo, all runs."""
    return [model for model in available_models() if isinstance(model, ShippedModel) or not hosted()]


def _architecture(model: Model) -> str:
    try:
        return resources.card(model).architecture
    except FerError:
        return ""


def estimate_to_come() -> None:
    """In the estimate's place until it is known how many pictures there are: as high, so that nothing moves."""
    st.caption(":material/schedule: How long it will take follows.")


def show_estimate(config: TrainConfig, pictures: int) -> None:
    """About how long an epoch and the run will take on this machine as busy as it is now; polled until it is known."""
    timing = timing_of(config.model, config.input_size, min(config.batch_size, 64))
    count = min(config.limit or pictures, pictures, limits().train_pictures)
    pending = not timing.finished
    st.fragment(_estimate, run_every=POLL_S if pending else None)(timing, config, count, pending)


def _estimate(timing: Timing, config: TrainConfig, count: int, pending: bool) -> None:
    if not timing.finished:
        st.caption(f":material/hourglass_top: {DOING}.")
        return
    if pending:
        st.rerun()  # the whole page: the polling ends
    if timing.seconds_per_picture is None:
        st.caption(":material/schedule: How long it will take could not be estimated.")
        return
    epoch_s = timing.seconds_per_picture * count
    st.caption(
        f":material/schedule: About {duration(epoch_s)} an epoch of {count:,} pictures, "
        f"{duration(epoch_s * config.epochs)} in all, by timing a few batches on this machine just now."
    )


def start_button(config: TrainConfig | None) -> None:
    label = "Start training" if config is None else widgets.main_label("Start training")
    st.button(
        label,
        icon=":material/play_arrow:",
        disabled=config is None,
        key="start",
        on_click=_start,
        args=(config, state.new_form()),
    )


@errors.guarded_callback
def _start(config: TrainConfig, form: int) -> None:
    if state.has_started(form):  # the second click of two
        return
    run = launcher.start(config)
    state.mark_started(form)
    state.add_own_run(run.id)
    st.query_params["run"] = run.id
    state.view.set("run")


def duration(seconds: float) -> str:
    """A length of time as a person says it."""
    if seconds < 90:
        return f"{max(seconds, 1):.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
