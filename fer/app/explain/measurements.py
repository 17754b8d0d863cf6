"""Whether to believe a map: what was measured of it and of the others, and the work behind that."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from fer.app.explain import state
from fer.app.explain.job import ExplainJob, slot_for
from fer.app.explain.maps import Cell
from fer.explanation import sanity_check
from fer.explanation.faithfulness_table import read_table, verdict
from fer.explanation.job import Key, Map
from fer.explanation.measures import SHAKY_FROM
from fer.explanation.methods import METHODS, is_blank, marks_nothing
from fer.records import Curves, Judgment, MapMeasurements
from fer.visualization import explanation_figures, figures, maps
from fer.visualization.maps import Look
from fer.wording import percent, points, signed

STRIP_TILE = 264
MARKS: dict[Judgment, str] = {
    "pass": ":green[:material/check_circle:] Pass",
    "unclear": ":orange[:material/help:] Unclear",
    "fail": ":red[:material/cancel:] Fail",
}
ORDER: tuple[Judgment, ...] = ("pass", "unclear", "fail")


def work(job: ExplainJob, keys: list[Key], cell: Cell) -> None:
    """Do what is still open, a piece at a time, so that a click or Stop ends it at once; then show it.

    What the chosen map is worth is shown as soon as it is known.
    """
    wanted = _wanted(job, keys, cell)
    total = job.pending(keys, cell.map, wanted)
    if not total:
        return
    if state.stop_measuring.get():
        st.info("Stopped. Some maps and measurements are missing.", icon=":material/stop_circle:")
        st.button("Go on", on_click=state.stop_measuring.set, args=(False,), icon=":material/play_arrow:")
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        bar = st.progress(0.0, "Measuring")
        st.button(
            "Stop", on_click=state.stop_measuring.set, args=(True,), icon=":material/stop_circle:", key="explain_stop"
        )
    known = job.has_measured(cell.map)
    for done, piece in enumerate(job.pieces(keys, cell.map, wanted)):
        bar.progress(done / total, f"{piece.label} ({done + 1} of {total})")
        with slot_for(piece):
            piece.run()
        if job.has_measured(cell.map) and not known:
            break
    st.rerun()


def _wanted(job: ExplainJob, keys: list[Key], cell: Cell) -> list[Map]:
    """The maps to measure: the chosen one, and where the visitor asked for it those of the other methods."""
    return [cell.map, *((key, cell.index) for key in keys if state.measure_all.get() and key != cell.key)]


def trust(job: ExplainJob, keys: list[Key], cell: Cell) -> None:
    """Everything behind the one line beside the map, folded."""
    with st.expander("How trustworthy are these maps?", icon=":material/rule:"):
        if job.face.plain:
            st.markdown("There is no facial content in this picture, so there is nothing to test these maps against.")
            return
        _lines(job, keys, cell)
        _on_public_test(job, cell)
        if marks_nothing(job.map_of(cell.key)[cell.index], cell.method):
            st.markdown(f"The {cell.label} map for {cell.name} marks nothing: there is nothing to remove or check.")
        else:
            _removal(job, cell)
            _randomized(job, cell)
        _agreement(job, keys, cell)


def _lines(job: ExplainJob, keys: list[Key], cell: Cell) -> None:
    """A line a map of this class, the one most worth believing first."""
    measured = [key for key in keys if (key, cell.index) in job.measured]
    best_first = sorted(
        measured,
        key=lambda key: (ORDER.index(job.judgment((key, cell.index))[0]), -_gain(job, (key, cell.index))),
    )
    for key in best_first:
        found = job.measured[key, cell.index]
        numbers = _in_numbers(job, key, cell.index, found)
        st.markdown(f"**{METHODS[key[0]].label}**: {MARKS[job.judgment((key, cell.index))[0]]}  \n:small[{numbers}]")
    left = [key for key in keys if not job.has_measured((key, cell.index))]
    if left and not state.measure_all.get():
        st.button(
            "Measure the other maps",
            on_click=state.measure_all.set,
            args=(True,),
            icon=":material/monitoring:",
            key="explain_measure_all",
            help="Takes a few seconds a map.",
        )


def _in_numbers(job: ExplainJob, key: Key, index: int, found: MapMeasurements) -> str:
    words = []
    if found.road and (random := job.baseline("road")):
        words.append(
            f"ROAD: replacing the marked 10% {_change(found.road.cost())}, a random 10% {_change(random[index].cost())}"
        )
    if found.kept is not None and found.complexity_rise is not None:
        words.append(
            f"similarity {found.kept:.2f} after forgetting (below {sanity_check.FAILS_FROM} passes), complexity "
            f"{signed(found.complexity_rise)}%"
        )
    if found.sensitivity is not None:
        words.append(
            f"changes by up to {percent(found.sensitivity)} where the face hardly does (below {percent(SHAKY_FROM)} "
            "passes)"
        )
    if found.sparseness is not None:
        words.append(f"sparseness {found.sparseness:.2f}")
    if found.points_at_expected is not None:
        words.append(
            "points at a part that the expression moves"
            if found.points_at_expected
            else "does not point at a part that the expression moves"
        )
    return "; ".join(words) + "."


def _gain(job: ExplainJob, one: Map) -> float:
    found, random = job.measured[one].road, job.baseline("road")
    return random[one[1]].deletion_area - found.deletion_area if found and random else -1.0


def _change(cost: float) -> str:
    """cost: the probability that is lost, 0..1; below 0 it rose."""
    if not round(100 * cost):
        return "costs nothing"
    return f"{'costs' if cost > 0 else 'adds'} {points(cost)}"


def _removal(job: ExplainJob, cell: Cell) -> None:
    found = job.measured.get(cell.map)
    if found is None or found.road is None or found.gray is None:
        return
    st.markdown("**What if the marked part goes?**")
    by = st.segmented_control(
        "What takes its place",
        ["road", "gray"],
        default="road",
        required=True,
        key="explain_fill",
        persist_state="session",
        format_func={"road": "Its surroundings (ROAD)", "gray": "The face's mean gray"}.__getitem__,
        help="Gray squares are pictures that most networks never saw; ROAD (Rong et al. 2022) fills what is removed "
        "with a noisy mean of its neighbors. Where the two disagree, go by ROAD.",
    )
    if job.disagree(cell.map):
        st.markdown("Gray and ROAD disagree about this map. ROAD is the fairer test, and what the line above goes by.")
    curves, baseline = (found.gray if by == "gray" else found.road), job.baseline(str(by))[cell.index]
    left, right = st.columns(2, gap="medium")
    with left:
        st.markdown(
            f"**Deletion**: area {curves.deletion_area:.2f}, at random {baseline.deletion_area:.2f}. Lower is better."
        )
        _chart(curves, baseline, cell, "deletion")
    with right:
        st.markdown(
            f"**Insertion**: area {curves.insertion_area:.2f}, at random {baseline.insertion_area:.2f}. "
            "Higher is better."
        )
        _chart(curves, baseline, cell, "insertion")
    st.caption(
        "The face goes, or comes, in squares of 4 x 4 pixels, the most marked first. The dotted line takes the same "
        "squares in random order."
    )


def _chart(found: Curves, baseline: Curves, cell: Cell, kind: str) -> None:
    st.plotly_chart(
        explanation_figures.curve_chart(found, baseline, kind),
        width="stretch",
        config=figures.CONFIG,
        key=f"explain_{kind}",
        alt=f"{kind} curve of {cell.name} against random",
    )


def _on_public_test(job: ExplainJob, cell: Cell) -> None:
    """What the stored measurement on PublicTest says of this method and layer."""
    table = read_table(job.face.recognizer)
    row = verdict(table, *cell.key)
    if table is None or row is None or "road_cost" not in row:
        st.markdown(f"{cell.label} was not measured on PublicTest for this model.")
        return
    on = f"on {row['faces']} PublicTest faces" + ("" if table["current"] else " (with earlier weights)")
    result = "passes" if row["faithful"] else "fails"
    st.markdown(
        f"**{cell.label} in general {result}**: {on}, replacing the 10% that it marks most costs the predicted class "
        f"{points(row['road_cost'])}, a random 10% {points(row['road_random_cost'])} (95% interval of the difference: "
        f"{signed(row['road_gain_low'])} to {signed(row['road_gain_high'])} points, by ROAD; by gray "
        f"{signed(row['gain_low'])} to {signed(row['gain_high'])})."
    )
    if row["kept_top"] is not None and row["kept_top"] >= sanity_check.FAILS_FROM:
        st.markdown(
            f"After scrambling the last layer its maps barely change (similarity {row['kept_top']:.2f}): they hardly "
            "depend on which class is asked for."
        )


def _randomized(job: ExplainJob, cell: Cell) -> None:
    """The same map where the network forgot what it learned."""
    if cell.map not in job.randomized:
        return
    st.markdown(
        "**What if the network forgets?** A map that stays the same does not show what was learned (Adebayo et al. "
        "2018). The verdict is the mean over several forgetful networks; here is one of each."
    )
    trained = job.values(cell.map)
    shown: dict[str, np.ndarray] = {"As trained": trained}
    for part, values in job.randomized[cell.map].items():
        words = {"top": "Last layer scrambled", "all": "All layers scrambled"}[part]
        similarity = sanity_check.rank_correlation(trained, values, cell.method)
        shown[f"{words}: " + ("blank" if is_blank(values) else f"similarity {similarity:.2f}")] = values
    for column, (caption, values) in zip(st.columns(3, gap="medium"), shown.items(), strict=True):
        look = Look(alone=True, each=True)
        picture = maps.tiles(values[None], cell.method, job.face.picture_rgb, look, STRIP_TILE)[0]
        column.image(picture, caption=caption, width="stretch", alt=f"{cell.label}: {caption}")
    st.caption("Each has its own scale: compare where they are strong, not how strong.")


def _agreement(job: ExplainJob, keys: list[Key], cell: Cell) -> None:
    """How alike the methods' maps of this class are."""
    methods, matrix = job.agreement(keys, cell.index)
    if len(methods) < 2:
        return
    st.markdown(f"**Do the methods agree?** Similarity of their maps for {cell.name} (1: the same order of pixels).")
    rows: list[dict[str, Any]] = [
        {
            "": METHODS[method].label,
            **{METHODS[other].label: round(float(value), 2) for other, value in zip(methods, row)},
        }
        for method, row in zip(methods, matrix, strict=True)
    ]
    st.dataframe(rows, hide_index=True, width="stretch", alt="Similarity of the methods' maps")
