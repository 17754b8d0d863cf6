"""Explain, in words and back: where a map lies, why one class and not another, and what covering changes."""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
import streamlit as st

from fer.app.explain.job import ExplainJob, Key
from fer.app.explain.maps import Cell
from fer.explanation.faithfulness import gray
from fer.explanation.methods import METHODS, evidence, is_blank, marks_nothing
from fer.explanation.regions import PARTS, REGIONS, areas, expected_regions, leading, named, shares
from fer.expressions import ACTION_UNITS, INDEX, NAMES
from fer.visualization import explanation_figures, figures, maps
from fer.visualization.maps import Look
from fer.wording import percent, points

SIDE = 352


def regions(job: ExplainJob, cell: Cell) -> None:
    st.header("Where does it look?")
    if marks_nothing(job.map_of(cell.key)[cell.index], cell.method):
        st.markdown("This map marks nothing, so it lies nowhere.")
        return
    found = shares(evidence(job.map_of(cell.key)[cell.index], cell.method), job.face.regions)
    expected = expected_regions(cell.name)
    chart, words = st.columns([3, 2], gap="medium", vertical_alignment="center")
    with chart:
        spoken = ", ".join(f"{name} {100 * share:.0f}%" for name, share in found.items())
        bars = explanation_figures.region_bars(found, areas(job.face.regions), set(expected))
        st.plotly_chart(
            bars,
            width="stretch",
            config=figures.CONFIG,
            key="explain_regions",
            alt=f"Share of the map by region: {spoken}",
        )
    with words:
        if expected:
            units = ", ".join(f"AU{unit}" for unit in ACTION_UNITS[cell.name])
            st.markdown(f"**Expected for {cell.name}** (orange, \u2022)")
            st.markdown("\n".join(f"- {region}: {', '.join(moves)}" for region, moves in expected.items()))
            st.caption(
                f"{units}, after Ekman, Friesen and Hager 2002. Gray ticks: a region's share of the picture, "
                "which an even map would have."
            )
        else:
            st.markdown(f"No part is expected to move for {cell.name}. Gray ticks: a region's share of the picture.")


def ask_back(job: ExplainJob, cell: Cell, look: Look) -> None:
    st.header("Ask back")
    cover_tab, contrast_tab = st.tabs(["Cover a part", "Why one and not the other"])
    with cover_tab:
        _cover(job)
    with contrast_tab:
        _contrast(job, cell, look)


def _cover(job: ExplainJob) -> None:
    """Regions or a rectangle, filled with the face's mean gray; the seven probabilities follow at once."""
    size = job.face.size
    parts = st.pills("Cover", PARTS, selection_mode="multi", default=["mouth"], key="explain_cover")
    mask = np.isin(job.face.regions, [REGIONS.index(part) for part in parts])
    if st.toggle("A rectangle of my own", key="explain_rectangle"):
        with st.container(horizontal=True):
            left, top, width, height = (
                int(st.number_input(label, low, size, min(start, size), key=f"explain_{label}", width=130))
                for label, low, start in (("Left", 0, 12), ("Top", 0, 12), ("Width", 1, 20), ("Height", 1, 8))
            )
        mask = mask.copy()
        mask[top : top + height, left : left + width] = True
    before = job.face.prediction.probabilities
    after = job.face.probabilities(gray(job.face.batch.numpy(), mask[None]))[0]
    picture, chart = st.columns([2, 3], gap="medium", vertical_alignment="center")
    with picture:
        st.image(
            _covered_picture(job, mask),
            width="stretch",
            alt="The face with the chosen parts covered",
            caption=f"{100 * mask.mean():.0f}% of the picture covered with its mean gray",
        )
    with chart:
        name = job.face.prediction.expression
        change = after[INDEX[name]] - before[INDEX[name]]
        moved = f"{'falls' if change < 0 else 'rises'} by {points(change)} to {percent(after[INDEX[name]])}"
        now = NAMES[int(after.argmax())]
        st.markdown(
            f"**{name.capitalize()} {moved if round(100 * abs(change)) else 'stays as it is'}.**"
            + (f" The model now reads **{now}**." if now != name else "")
        )
        spoken = ", ".join(f"{one} {100 * p:.0f}%" for one, p in zip(NAMES, after, strict=True))
        st.plotly_chart(
            explanation_figures.change_bars(before, tuple(map(float, after))),
            width="stretch",
            config=figures.CONFIG,
            key="explain_cover_bars",
            alt=f"Probabilities when covered: {spoken}",
        )


def _covered_picture(job: ExplainJob, mask: np.ndarray) -> np.ndarray:
    fine = np.kron(mask, np.ones((8, 8), bool))
    picture = job.face.picture_rgb.copy()
    picture[fine] = round(float(job.face.face_gray.mean()))
    return picture


def _contrast(job: ExplainJob, cell: Cell, look: Look) -> None:
    ranking = job.face.prediction.ranking
    with st.container(horizontal=True):
        one = st.selectbox("Why", NAMES, INDEX[ranking[0]], key="explain_why", width=160)
        other = st.selectbox("and not", NAMES, INDEX[ranking[1]], key="explain_why_not", width=160)
    if one == other:
        st.markdown("Choose two different classes.")
        return
    values = job.contrast_of(cell.key, INDEX[one], INDEX[other])
    picture, words = st.columns([2, 3], gap="medium", vertical_alignment="center")
    with picture:
        tile = maps.tiles(values, cell.method, job.face.picture_rgb, look, SIDE)[0]
        st.image(
            tile,
            width="stretch",
            alt=f"What speaks for {one} rather than {other}",
            caption=f"{METHODS[cell.method].label} of {one}'s score less {other}'s",
        )
    with words:
        if marks_nothing(values[0], cell.method):
            against = "" if is_blank(values) else f" Everything that it shows speaks for {other}."
            st.markdown(
                f"Nothing in this face speaks for **{one}** rather than **{other}**: the map marks nothing." + against
            )
            return
        found = shares(evidence(values[0], cell.method), job.face.regions)
        most, mainly = leading(found, areas(job.face.regions))
        if METHODS[cell.method].marks == "size":
            where = "is most sensitive at" if mainly else "is sensitive all over the picture, most at"
            st.markdown(f"**{one.capitalize()}**'s score less **{other}**'s {where} {named(most, found)}.")
        else:
            where = "lies mainly on" if mainly else "is spread over the picture; most is on"
            st.markdown(f"What speaks for **{one}** rather than **{other}** {where} {named(most, found)}.")


def downloads(job: ExplainJob, keys: list[Key], layer: str, look: Look) -> None:
    st.header("Take it with you")
    ready = [key for key in keys if key in job.maps]
    found = {key[0]: job.maps[key] for key in ready}
    rows = {method: maps.tiles(values, method, job.face.picture_rgb, look) for method, values in found.items()}
    prediction = job.face.prediction
    heads = {name: f"{name} {100 * p:.0f}%" for name, p in zip(NAMES, prediction.probabilities, strict=True)}
    marks = {prediction.expression: "predicted"}
    if job.truth:
        marks[job.truth] = "predicted, true" if job.truth == prediction.expression else "true"
    explanation = job.explanation(keys, layer)
    numbers = {
        **explanation.to_json(),
        "grid": maps.cell_boxes(list(rows), list(heads)),
        "opacity": None if look.alone else look.opacity,
        "each_by_itself": look.each,
    }
    with st.container(horizontal=True):
        _button("Grid as PNG", lambda: maps.grid_png(rows, found, heads, marks), "explanation.png", "image/png")
        _button("Grid as SVG", lambda: maps.grid_svg(rows, heads, marks), "explanation.svg", "image/svg+xml")
        _button("Maps as .npz", lambda: maps.npz(explanation), "maps.npz", "application/octet-stream")
        _button(
            "Numbers as JSON", lambda: json.dumps(numbers, indent=1).encode(), "explanation.json", "application/json"
        )
    if len(ready) < len(keys):
        st.caption("The slow maps are still coming; a download now holds those that are ready.")


def _button(label: str, data: Callable[[], bytes], name: str, kind: str) -> None:
    """data: made when it is asked for, not on every drawing of the page."""
    st.download_button(label, data, name, kind, on_click="ignore", icon=":material/download:")
