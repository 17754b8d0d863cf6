"""Actions on a map: see its regions, cover a part of the face, compare two expressions, save and share."""

from __future__ import annotations

import json

import numpy as np
import streamlit as st

from fer.app import errors, widgets, work_queue
from fer.app.explain import cover
from fer.app.explain.copy_link import copy_link
from fer.app.explain.job import ExplainJob
from fer.app.explain.maps import Cell, nothing_marked
from fer.explanation.explain import assemble
from fer.explanation.faithfulness import CELL, gray
from fer.explanation.job import Key
from fer.explanation.methods import FUSED, METHODS, evidence, is_blank, marks_nothing
from fer.explanation.regions import PARTS, REGIONS, areas, expected_regions, leading, named, shares
from fer.explanation.smallest_patch import smallest_patch
from fer.explanation.subject import PICTURE_SCALE
from fer.expressions import ACTION_UNITS, INDEX, NAMES
from fer.visualization import explanation_figures, maps
from fer.visualization.maps import Look
from fer.wording import count_of, percent

SIDE = 352


def regions(job: ExplainJob, cell: Cell) -> None:
    with st.expander("Which parts of the face does it mark?", icon=":material/face_retouching_natural:"):
        _regions(job, cell)


def _regions(job: ExplainJob, cell: Cell) -> None:
    if nothing := nothing_marked(job, cell):
        st.markdown(f"{nothing}.")
        return
    found = shares(evidence(job.map_of(cell.key)[cell.index], cell.method), job.face.regions)
    expected = expected_regions(cell.name)
    chart, words = st.columns([3, 2], gap="medium", vertical_alignment="center")
    with chart:
        spoken = ", ".join(f"{name} {percent(share)}" for name, share in found.items())
        bars = explanation_figures.region_bars(found, areas(job.face.regions), set(expected))
        widgets.chart(bars, "explain_regions", f"Share of the map by region: {spoken}")
    with words:
        if expected:
            units = ", ".join(f"AU{unit}" for unit in ACTION_UNITS[cell.name])
            st.markdown(
                f"**Expected to move for {cell.name}** (orange, \u2022)",
                help=f"{units}, by Ekman, Friesen and Hager 2002.",
            )
            st.markdown("\n".join(f"- {region}: {', '.join(moves)}" for region, moves in expected.items()))
        else:
            st.markdown(f"No part of the face is expected to move for {cell.name}.")
        st.caption("Gray ticks: what each part would get if the map were even.")
        if job.face.prediction.box.landmarks is None:
            st.caption("The landmarks of this face are unknown, so the parts are where an average face has them.")


def what_if(job: ExplainJob, cell: Cell, look: Look) -> None:
    st.header("What if?")
    cover_tab, contrast_tab = st.tabs(["Cover a part", "Compare two expressions"])
    with cover_tab:
        st.fragment(errors.guarded_part(lambda: _cover(job)))()
    with contrast_tab:
        st.fragment(errors.guarded_part(lambda: _contrast(job, cell, look)))()


def _cover(job: ExplainJob) -> None:
    """Cover parts of the face, or rectangles dragged on it, with its mean gray; the bars follow at once."""
    face, size = job.face, job.face.size
    name = f"{id(job):x}"
    heard = cover.said(name, size)
    if heard and heard.sequence > job.covered.sequence:
        job.covered = heard
    parts = st.pills(
        "Cover",
        PARTS,
        selection_mode="multi",
        default=[] if job.patches else ["mouth"],  # a found patch replaces other covers
        key=f"explain_parts_{name}_{job.patches}",
    )
    by_parts = np.isin(face.regions, [REGIONS.index(part) for part in parts])
    mask = by_parts | job.covered.mask(size)
    before, after = face.prediction.probabilities, face.probabilities(gray(face.batch.numpy(), mask[None]))[0]
    cover.place(
        name,
        _covered_picture(job, by_parts),
        round(float(face.face_gray.mean())),
        size,
        job.covered,
        cover.bars_of(before, after),
        cover.in_words(before, after),
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button(
            "Find the smallest patch that changes the answer",
            icon=":material/search:",
            key="explain_smallest",
            help="Covers one square of 4 x 4 pixels after another, always the one that brings another answer closest.",
        ):
            _find_patch(job)
        st.caption(f"{percent(float(mask.mean()))} of the face is covered.")
    if job.patch:
        st.markdown(job.patch)


def _find_patch(job: ExplainJob) -> None:
    """Show the patch on the face instead of other covers; each step takes its turn in the queue."""
    size, place = job.face.size, st.empty()
    steps = smallest_patch(job.face.probabilities, job.face.batch.numpy())
    mask, changed = np.zeros((size, size), bool), False
    with work_queue.in_turns() as next_turn:
        for step in steps:
            mask, changed = step
            place.progress(min(2 * float(mask.mean()), 1.0), f"{percent(float(mask.mean()))} of the face covered")
            next_turn()
    place.empty()
    count = len(squares_of(mask))
    after = job.face.probabilities(gray(job.face.batch.numpy(), mask[None]))[0]
    job.patch = (
        f"{count_of(count, 'square')} of 4 x 4 pixels ({percent(float(mask.mean()))} of the face) "
        f"{'is' if count == 1 else 'are'} enough: with {'it' if count == 1 else 'them'} covered, the answer is "
        f"**{NAMES[int(after.argmax())]}**."
        if changed
        else "Covering up to half of the face this way does not change the answer."
    )
    if changed:
        job.patches += 1
        job.covered = cover.Covered(tuple(squares_of(mask)), job.covered.sequence + 1)
    st.rerun(scope="fragment")


def squares_of(mask: np.ndarray) -> list[cover.Rectangle]:
    """A mask (S, S) of whole squares as rectangles."""
    found = []
    for top in range(0, len(mask), CELL):
        for left in range(0, len(mask), CELL):
            if mask[top, left]:
                found.append((left, top, min(CELL, len(mask) - left), min(CELL, len(mask) - top)))
    return found


def _covered_picture(job: ExplainJob, mask: np.ndarray) -> np.ndarray:
    fine = np.kron(mask, np.ones((PICTURE_SCALE, PICTURE_SCALE), bool))
    picture = job.face.picture_rgb.copy()
    picture[fine] = round(float(job.face.face_gray.mean()))
    return picture


def _contrast(job: ExplainJob, cell: Cell, look: Look) -> None:
    ranking = job.face.prediction.ranking
    one_place, other_place, *_ = widgets.form_places(widgets.SIDE_BY_SIDE)
    with one_place:
        one = st.selectbox("What favors", NAMES, INDEX[ranking[0]], key="explain_why")
    with other_place:
        other = st.selectbox("over", NAMES, INDEX[ranking[1]], key="explain_why_not")
    if one == other:
        st.markdown("Choose two different expressions.")
        return
    if not job.knows_contrast(cell.key, INDEX[one], INDEX[other]):
        with work_queue.interactive_slot():
            job.contrast_of(cell.key, INDEX[one], INDEX[other])
    values = job.contrast_of(cell.key, INDEX[one], INDEX[other])
    picture, words = st.columns([2, 3], gap="medium", vertical_alignment="center")
    with picture:
        tile = maps.tiles(values, cell.method, job.face.picture_rgb, look, SIDE)[0]
        st.image(
            tile,
            width="stretch",
            alt=f"{cell.label} map of what favors {one} over {other}",
            caption=f"What favors {one} over {other} ({METHODS[cell.method].label})",
        )
    with words:
        if marks_nothing(values[0], cell.method):
            against = "the map is empty" if is_blank(values) else f"everything the map shows favors {other}"
            st.markdown(f"Nothing in this face favors **{one}** over **{other}**: {against}.")
            return
        found = shares(evidence(values[0], cell.method), job.face.regions)
        most, mainly = leading(found, areas(job.face.regions))
        if METHODS[cell.method].marks == "size":
            where = "mainly to changes at" if mainly else "to changes all over the picture, most of all at"
            st.markdown(f"The lead of **{one}** over **{other}** reacts {where} {named(most, found)}.")
        else:
            where = "favored mainly by" if mainly else "favored all over the picture, most of all by"
            st.markdown(f"**{one.capitalize()}** over **{other}** is {where} {named(most, found)}.")


def downloads(job: ExplainJob, keys: list[Key], layer: str, look: Look) -> None:
    st.header("Save and share")
    ready = [key for key in keys if key in job.maps]
    found = {key[0]: job.maps[key] for key in ready}
    rows = {method: maps.tiles(values, method, job.face.picture_rgb, look) for method, values in found.items()}
    prediction = job.face.prediction
    heads = {name: f"{name} {percent(p)}" for name, p in zip(NAMES, prediction.probabilities, strict=True)}
    marks = {prediction.expression: "predicted"}
    if job.truth:
        marks[job.truth] = "predicted, labeled" if job.truth == prediction.expression else "labeled"
    explanation = assemble(job, keys, layer)
    foot = (
        f"{job.face.recognizer.name}; layer {'all, fused' if layer == FUSED else layer}; "
        f"{'each map on its own scale' if look.each else 'one scale for the classes of a method'}; "
        f"{'map alone' if look.alone else f'opacity {percent(look.opacity)}'}"
    )
    numbers = {
        **explanation.to_json(),
        "grid": maps.cell_boxes(list(rows), list(heads)),
        "opacity": None if look.alone else look.opacity,
        "each_by_itself": look.each,
    }
    with st.container(horizontal=True, vertical_alignment="center"):
        if "photo" not in st.query_params:  # an uploaded face cannot be in the address
            copy_link()
        for what, file, mime, made in (
            ("PNG", "explanation.png", "image/png", lambda: maps.grid_png(rows, found, heads, marks, foot)),
            ("SVG", "explanation.svg", "image/svg+xml", lambda: maps.grid_svg(rows, heads, marks, foot)),
            ("NPZ", "maps.npz", "application/octet-stream", lambda: maps.npz(explanation)),
            ("JSON", "explanation.json", "application/json", lambda: json.dumps(numbers, indent=1)),
        ):
            widgets.download(what, made, file, mime, f"explain_{what}")
    if len(ready) < len(keys):
        st.caption("Some maps are still being drawn. A download now holds those that are ready.")
