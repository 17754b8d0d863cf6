"""The maps of the Explain page: the chosen one large, and the grid of all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import streamlit as st

from fer.app import session, widgets
from fer.app.explain import state
from fer.app.explain.job import ExplainJob
from fer.app.explain.large_map import SIDE, large_map, opacity
from fer.app.explain.map_grid import map_grid
from fer.explanation.faithfulness_table import best_layer, opening_map
from fer.explanation.job import Key, Map, key_of
from fer.explanation.methods import FUSED, METHODS, is_blank, marks_nothing
from fer.explanation.subject import explainer_for, sentence
from fer.expressions import INDEX, NAMES
from fer.visualization.maps import Look
from fer.wording import percent


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

    @property
    def map(self) -> Map:
        return self.key, self.index

    @property
    def label(self) -> str:
        """The method and the layer in use."""
        layer = self.key[1]
        return METHODS[self.method].label + (f" ({_layer_words(layer)})" if layer else "")


def choose_layer(job: ExplainJob) -> str:
    layers = list(explainer_for(job.face.recognizer).layers)
    return state.selected("layer", layers, opening_map(job.face.recognizer)[1])


def chosen_cell(job: ExplainJob, layer: str) -> Cell:
    method = state.selected("method", list(METHODS), opening_map(job.face.recognizer)[0])
    return Cell(key_of(method, layer), state.selected("class", list(NAMES), job.face.prediction.expression))


def top(job: ExplainJob, cell: Cell) -> Look:
    """The chosen map large, what it says and whether to trust it, then the controls; returns how maps are drawn."""
    map_place, words_place = st.columns([6, 5], gap="large", vertical_alignment="center")  # on a phone the map is first
    look = _controls(job, cell)
    values = job.map_of(cell.key)
    with map_place:
        _large(job, cell, look)
    with words_place:
        _words(job, cell, values, look)
    return look


def _large(job: ExplainJob, cell: Cell, look: Look) -> None:
    face, marks = job.large_of(cell.map, look, SIDE)
    large_map(face, marks, f"{cell.label} map for {cell.name}, large", opacity(), look.alone)
    st.caption(f"{cell.label}, {cell.name} ({_percent(job.face.prediction.probabilities[cell.index])})")


def _words(job: ExplainJob, cell: Cell, values: np.ndarray, look: Look) -> None:
    prediction = job.face.prediction
    if job.face.plain:
        st.markdown("## No facial content")
        st.markdown(sentence(job.face, cell.name, values[cell.index], cell.method))
        return
    widgets.verdict(prediction, job.face.recognizer.card)
    if job.truth:
        st.markdown(f"Labeled **{job.truth}**.")
    st.markdown(sentence(job.face, cell.name, values[cell.index], cell.method))
    st.markdown(f"**Can you trust this map?** {_trust(job, cell)}")
    st.caption(f"{METHODS[cell.method].says} {METHODS[cell.method].source}. " + _scale_words(cell.method, look))


def _trust(job: ExplainJob, cell: Cell) -> str:
    if marks_nothing(job.map_of(cell.key)[cell.index], cell.method):
        return "It marks nothing, so there is nothing to test."
    return job.judgment(cell.map)[1] or "*Being measured.*"


def _controls(job: ExplainJob, cell: Cell) -> Look:
    """Method, class and layer, which the address owns, and the look."""
    layers, methods = list(explainer_for(job.face.recognizer).layers), list(METHODS)
    best, (opening, _) = best_layer(job.face.recognizer), opening_map(job.face.recognizer)
    layer = choose_layer(job)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        _choice(
            "Method",
            methods,
            cell.method,
            "method",
            200,
            lambda name: METHODS[name].label + (" (most faithful)" if best and name == opening else ""),
            "Opens on the method that is most faithful by ROAD on PublicTest among those whose maps take under half a "
            "second and depend on what was learned.",
        )
        _choice("Class", list(NAMES), cell.name, "class", 125, str)
        _choice(
            "Layer",
            layers,
            layer,
            "layer",
            190,
            lambda one: _layer_words(one) + (" (most faithful)" if one == best else ""),
            "For the methods that read a layer's features. Deep layers know what, shallow ones where; “all, fused” is "
            "their mean. The most faithful has, by ROAD on PublicTest, the largest area under Grad-CAM's insertion "
            "curve less that under its deletion curve.",
        )
        alone = (
            st.segmented_control(
                "Show", ["Over the face", "Map alone"], default="Over the face", required=True, key="explain_show"
            )
            == "Map alone"
        )
        each = st.toggle(
            "Scale each map by itself",
            key="explain_each",
            help="Off: one scale for the seven classes of a method, so that strong and weak compare.",
        )
    return Look(opacity() / 100, alone, each)


def _choice(
    label: str,
    options: list[str],
    chosen: str,
    parameter: str,
    width: int,
    words: Callable[[str], str],
    help_words: str | None = None,
) -> None:
    """A select box whose value is the address's: a new choice goes there before the page runs again."""
    key = f"explain_{parameter}_{chosen}"

    def choose() -> None:
        if picked := session.widget(key, str):
            state.select(**{parameter: picked})

    st.selectbox(
        label,
        options,
        options.index(chosen),
        width=width,
        format_func=words,
        key=key,
        on_change=choose,
        help=help_words,
    )


def _layer_words(layer: str) -> str:
    return "all, fused" if layer == FUSED else layer


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
    st.caption("Click a map to see it large, or move among them with the arrow keys.")
    prediction = job.face.prediction
    heads = [
        {"name": name, "percent": _percent(p), "mark": _mark(job, name)}
        for name, p in zip(NAMES, prediction.probabilities, strict=True)
    ]
    rows = []
    for key in keys:
        rows.append(_row(job, key, cell, look))
    map_grid(heads, rows, "explain_grid", lambda method, name: state.select(**{"method": method, "class": name}))
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
