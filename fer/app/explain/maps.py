"""The maps on the Explain page: the chosen one, large, and the grid of all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
import streamlit as st

from fer.app import session, widgets
from fer.app.explain import state
from fer.app.explain.job import ExplainJob
from fer.app.explain.large_map import SIDE, large_map, opacity
from fer.app.explain.map_grid import map_grid
from fer.app.media import source_of
from fer.explanation.faithfulness_table import measured_by_road, opening_map
from fer.explanation.job import Key, Map, key_of
from fer.explanation.methods import FUSED, METHODS, is_blank, marks_nothing
from fer.explanation.subject import explainer_for, sentence
from fer.expressions import INDEX, NAMES
from fer.visualization.maps import Look, color_scale
from fer.wording import percent

CHECKING = "Checking…"


@dataclass(frozen=True)
class Cell:
    """The chosen map: method, layer and class."""

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
    """The chosen map, large, with its description and verdict, then the controls; returns how to draw maps."""
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
    alt = f"{cell.label} map for {cell.name}, large"
    colors = _colors(METHODS[cell.method].signed, look.alone)
    large_map(face, marks, alt, colors, _ends(cell), opacity(), look.alone)
    st.caption(f"{cell.label}, {cell.name} ({_percent(job.face.prediction.probabilities[cell.index])})")


@cache
def _colors(signed: bool, alone: bool) -> str:
    return source_of(color_scale(signed, alone))


def _ends(cell: Cell) -> tuple[str, str]:
    """The meanings of the color scale's ends."""
    if not METHODS[cell.method].signed:
        return f"Hardly matters for {cell.name}", f"Favors {cell.name} most"
    if METHODS[cell.method].marks == "size":
        return f"Darker here would favor {cell.name}", f"Brighter here would favor {cell.name}"
    return f"Counts against {cell.name}", f"Favors {cell.name}"


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
    method = METHODS[cell.method]
    scale = "Each map has its own color scale." if look.each else "All seven classes share one color scale."
    st.caption(f"**{method.label}.** {method.says} {scale}", help=f"{method.exactly or method.says} {method.source}.")


def _trust(job: ExplainJob, cell: Cell) -> str:
    if nothing := nothing_marked(job, cell):
        return f"{nothing}, so there is nothing to check."
    if job.has_measured(cell.map):
        return job.judgment(cell.map)[1]
    return "*Not checked, since you stopped.*" if state.stop_measuring.get() else f"*{CHECKING}*"


def nothing_marked(job: ExplainJob, cell: Cell) -> str:
    """Why there is nothing to check in the chosen map, as the beginning of a sentence; empty if it marks something."""
    values = job.values(cell.map)
    if not marks_nothing(values, cell.method):
        return ""
    return "This map is empty" if is_blank(values) else "This map shows only what counts against the class"


def _controls(job: ExplainJob, cell: Cell) -> Look:
    """The controls for method, class and layer, which the address stores, and for the look."""
    layers, methods = list(explainer_for(job.face.recognizer).layers), list(METHODS)
    opening = opening_map(job.face.recognizer)
    most_faithful = opening if measured_by_road(job.face.recognizer) else ("", "")
    layer = choose_layer(job)
    method_place, class_place, layer_place = st.columns(3)  # one under the other on a phone
    with method_place:
        _choice(
            "Method",
            methods,
            cell.method,
            "method",
            lambda name: METHODS[name].label + (" (most faithful)" if name == most_faithful[0] else ""),
            "How the map is made. Most faithful: of the methods that take under half a second and pass the "
            "scrambling test, the one that comes out best by ROAD on PublicTest, over all layers.",
        )
    with class_place:
        _choice("Class", list(NAMES), cell.name, "class", str, "The expression that the map is about.")
    with layer_place:
        _choice(
            "Layer",
            layers,
            layer,
            "layer",
            lambda one: _layer_words(one) + (" (most faithful)" if one == most_faithful[1] else ""),
            "Where in the network the map is read, for Grad-CAM and its relatives. Early layers tell more exactly "
            "where, late ones more surely what; “all, fused” is the mean of all. Most faithful: the layer "
            "on which that method comes out best.",
        )
    with st.container(horizontal=True, gap="medium"):
        alone = st.toggle("Map alone", key="explain_show", help="Without the face below it.")
        each = st.toggle(
            "Own color scale for each map",
            key="explain_each",
            help="Shows weak maps more clearly. Strong and weak maps then no longer compare.",
        )
    return Look(opacity() / 100, alone, each)


def _choice(
    label: str,
    options: list[str],
    chosen: str,
    parameter: str,
    words: Callable[[str], str],
    help_words: str,
) -> None:
    """A select box for a value in the address, which a new choice updates before the page reruns."""
    key = f"explain_{parameter}_{chosen}"

    def choose() -> None:
        if picked := session.widget(key, str):
            state.select(**{parameter: picked})

    st.selectbox(
        label,
        options,
        options.index(chosen),
        format_func=words,
        key=key,
        on_change=choose,
        help=help_words,
    )


def _layer_words(layer: str) -> str:
    return "all, fused" if layer == FUSED else layer


def grid(job: ExplainJob, keys: list[Key], cell: Cell, look: Look) -> None:
    st.header("All classes, all methods")
    st.caption("Click a map to enlarge it, or move between maps with the arrow keys.")
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
        (True, "Empty, because nothing in this face favors the class"),
        (False, "These only show what counts against the class"),
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
        "note": "drawing…" if found is None and not state.stop_measuring.get() else "",
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
