"""The maps of the Explain page: the chosen one large, and the grid of all."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from fer.app import widgets
from fer.app.explain import state
from fer.app.explain.job import ExplainJob, Key, key_of
from fer.app.explain.map_grid import map_grid
from fer.explanation.faithfulness_table import best_layer, default_layer
from fer.explanation.methods import FUSED, METHODS, is_blank, marks_nothing
from fer.explanation.subject import explainer_for, sentence
from fer.expressions import INDEX, NAMES
from fer.visualization import maps
from fer.visualization.maps import Look
from fer.wording import percent, points

ZOOM = 528  # pixels of the large map


@dataclass(frozen=True)
class Cell:
    """The chosen map: method and layer, and class."""

    key: Key
    name: str

    @property
    def method(self) -> str:
        return self.key[0]

    @property
    def index(self) -> int:
        return INDEX[self.name]


def choose_layer(job: ExplainJob) -> str:
    layers = list(explainer_for(job.face.recognizer).layers)
    return state.selected("layer", layers, default_layer(job.face.recognizer))


def chosen_cell(job: ExplainJob, layer: str) -> Cell:
    method = state.selected("method", list(METHODS), "grad_cam")
    return Cell(key_of(method, layer), state.selected("class", list(NAMES), job.face.prediction.expression))


def top(job: ExplainJob, cell: Cell) -> Look:
    """The face, the chosen map large, and what they say; returns how maps are to be drawn."""
    look = _look(job, cell)
    words_place, face_place, map_place = st.columns([5, 4, 4], gap="medium")  # on a phone the words come first
    prediction = job.face.prediction
    values = job.map_of(cell.key)
    scale = maps.scales(values, cell.method, look.each)[cell.index]
    with face_place:
        st.image(
            job.face.picture_rgb,
            width="stretch",
            alt="The face as the network's crop shows it",
            caption="The face, cut as the network sees it",
        )
    with map_place:
        picture = maps.tile(values[cell.index], scale, METHODS[cell.method].signed, job.face.picture_rgb, look, ZOOM)
        st.image(
            picture,
            width="stretch",
            caption=f"{METHODS[cell.method].label} for {cell.name}",
            alt=f"{METHODS[cell.method].label} map for {cell.name}, large",
        )
    with words_place:
        if job.face.plain:
            st.markdown("## No facial content")
            st.markdown(sentence(job.face, cell.name, values[cell.index], cell.method))
            return look
        widgets.verdict(prediction, job.face.recognizer.card)
        if job.truth:
            st.markdown(f"True class: **{job.truth}**")
        share = _percent(prediction.probabilities[cell.index])
        st.markdown(
            f"**{METHODS[cell.method].label}, {cell.name}** ({share}). "
            + sentence(job.face, cell.name, values[cell.index], cell.method)
        )
        st.markdown(_cost_sentence(job, cell))
        st.caption(f"{METHODS[cell.method].says} {METHODS[cell.method].source}. " + _scale_words(cell.method, look))
    return look


def _look(job: ExplainJob, cell: Cell) -> Look:
    layers = list(explainer_for(job.face.recognizer).layers)
    methods = list(METHODS)
    best = best_layer(job.face.recognizer)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        method = st.selectbox(
            "Method", methods, methods.index(cell.method), width=200, format_func=lambda name: METHODS[name].label
        )
        name = st.selectbox("Class", NAMES, cell.index, width=125)
        layer_now = state.selected("layer", layers, default_layer(job.face.recognizer))
        layer = st.selectbox(
            "Layer of Grad-CAM",
            layers,
            layers.index(layer_now),
            width=170,
            format_func=lambda one: f"{'all, fused' if one == FUSED else one}{' (best)' if one == best else ''}",
            help="Deep layers know what, shallow ones where. The best has the largest area under its insertion curve "
            "less that under its deletion curve on PublicTest; fused is the mean of all layers' LayerCAM maps.",
        )
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        alone = (
            st.segmented_control(
                "Show", ["Over the face", "Map alone"], default="Over the face", required=True, key="explain_show"
            )
            == "Map alone"
        )
        opacity = st.slider("Opacity", 0, 100, 80, 5, format="%d %%", width=140, disabled=alone, key="explain_opacity")
        each = st.toggle(
            "Each its own scale",
            key="explain_each",
            help="Off: one scale for the seven classes of a method, so that strong and weak compare.",
        )
    if (method, name, layer) != (cell.method, cell.name, layer_now):
        state.select(**{"method": method, "class": name, "layer": layer})
        st.rerun()
    return Look(opacity / 100, alone, each)


def _scale_words(method: str, look: Look) -> str:
    if not METHODS[method].signed:
        colors = "Yellow speaks for the class most, black not at all."
    elif METHODS[method].marks == "size":
        colors = "Red: brighter here would raise the class's score; blue: darker here would."
    else:
        colors = "Red speaks for the class, blue against it."
    return colors + (
        " Each map has its own scale, so do not compare strengths."
        if look.each
        else " One scale for all seven classes."
    )


def grid(job: ExplainJob, keys: list[Key], cell: Cell, look: Look) -> None:
    st.header("All classes, all methods")
    st.caption("Click a map to see it large.")
    prediction = job.face.prediction
    heads = [
        {"name": name, "percent": _percent(p), "mark": _mark(job, name)}
        for name, p in zip(NAMES, prediction.probabilities, strict=True)
    ]
    rows = []
    for key in keys:
        rows.append(_row(job, key, cell, look))
    picked = map_grid(heads, rows, key="explain_grid")
    if picked and picked != (cell.method, cell.name):
        state.select(**{"method": picked[0], "class": picked[1]})
        st.rerun()
    nothing = {
        (key[0], name): is_blank(values)
        for key in keys
        if key in job.maps
        for name, values in zip(NAMES, job.maps[key], strict=True)
        if marks_nothing(values, key[0])
    }
    for wanted, words in (
        (True, "Blank, because nothing in this face speaks for the class"),
        (False, "Everything that these show speaks against the class"),
    ):
        found = [f"{METHODS[method].label} for {name}" for (method, name), blank in nothing.items() if blank == wanted]
        if found:
            st.caption(f"{words}: {'; '.join(found)}.")


def _row(job: ExplainJob, key: Key, cell: Cell, look: Look) -> dict:
    label, found = METHODS[key[0]].label, job.maps.get(key)
    sources = job.tiles_of(key, look)
    return {
        "method": key[0],
        "label": label.replace("backprop", "back\u00adprop"),
        "note": "coming" if found is None else "",
        "cells": [
            {
                "name": name,
                "src": source,
                "alt": f"{label}, {name}",
                "chosen": (key, name) == (cell.key, cell.name),
                "blank": found is not None and is_blank(found[index]),
            }
            for index, (name, source) in enumerate(zip(NAMES, sources, strict=True))
        ],
    }


def _mark(job: ExplainJob, name: str) -> str:
    words = [
        word
        for word, there in (("predicted", name == job.face.prediction.expression), ("true", name == job.truth))
        if there
    ]
    return ", ".join(words)


def _percent(p: float) -> str:
    return percent(p) if p >= 0.01 else "< 1%"


def _cost_sentence(job: ExplainJob, cell: Cell) -> str:
    if marks_nothing(job.map_of(cell.key)[cell.index], cell.method):
        return "This map marks nothing, so there is nothing to remove."
    measured = job.removal_of(cell.key, cell.index)
    if measured is None:
        return "*What removing the marked part costs is being measured.*"
    cost, random = (curves.cost() for curves in measured)
    return (
        f"Removing the 10% of the picture that this map marks {_change(cost)}; removing 10% at random "
        f"{_change(random, short=True)}."
    )


def _change(cost: float, short: bool = False) -> str:
    """cost: the probability that is lost, 0..1; below 0 it rose."""
    if not round(100 * cost):
        return "costs nothing"
    return f"{'costs' if cost > 0 else 'adds'} {points(cost)}{'' if short else ' of confidence'}"
