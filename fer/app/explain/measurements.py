"""Whether to trust a map: its measurements and those of the others, and the work to get them."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from fer.app import widgets
from fer.app.explain import state
from fer.app.explain.job import ExplainJob, slot_for
from fer.app.explain.maps import CHECKING, Cell, nothing_marked
from fer.explanation import sanity_check
from fer.explanation.faithfulness_table import read_table, verdict
from fer.explanation.job import Key, Map
from fer.explanation.measures import SHAKY_FROM
from fer.explanation.methods import METHODS, is_blank
from fer.records import Curves, Judgment, MapMeasurements
from fer.visualization import explanation_figures, maps
from fer.visualization.maps import Look
from fer.wording import percent, points, signed

STRIP_TILE = 264
MARKS: dict[Judgment, str] = {
    "pass": ":green[:material/check_circle:] Pass",
    "unclear": ":orange[:material/help:] Unclear",
    "fail": ":red[:material/cancel:] Fail",
}
CHECKS = (
    "Replacing: by ROAD (Rong et al. 2022), in points of the class's probability, against random places. Scrambling: "
    f"the randomization test (Adebayo et al. 2018), passed below a rank correlation of {sanity_check.FAILS_FROM}, and "
    "the rise of the map's entropy (Hedström et al. 2024). Change: max-sensitivity (Yeh et al. 2019), passed below "
    f"{percent(SHAKY_FROM)}. Sparseness: the Gini index, 1 at most. Strongest point: the pointing game (Zhang et al. "
    "2018)."
)
BARELY_FROM = 0.8  # a similarity
ORDER: tuple[Judgment, ...] = ("pass", "unclear", "fail")


def work(job: ExplainJob, keys: list[Key], cell: Cell) -> None:
    """Do the remaining work piece by piece, so that a click or Stop ends it at once; then show the results.

    The chosen map's verdict is shown as soon as it is known.
    """
    wanted = _wanted(keys, cell)
    total = job.pending(keys, cell.map, wanted)
    if not total:
        return
    if state.stop_measuring.get():
        st.info("Stopped. Some maps and checks are missing.", icon=":material/stop_circle:")
        st.button("Continue", on_click=state.stop_measuring.set, args=(False,), icon=":material/play_arrow:")
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        bar = st.progress(0.0, CHECKING)
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


def _wanted(keys: list[Key], cell: Cell) -> list[Map]:
    """The maps to measure: the chosen one, and those of the other methods if the visitor asked for them."""
    return [cell.map, *((key, cell.index) for key in keys if state.measure_all.get() and key != cell.key)]


def trust(job: ExplainJob, keys: list[Key], cell: Cell) -> None:
    """The details behind the verdict beside the map, collapsed."""
    with st.expander("How trustworthy are these maps?", icon=":material/rule:"):
        if job.face.plain:
            st.markdown("There is no facial content in this picture, so there is nothing to check these maps against.")
            return
        _lines(job, keys, cell)
        _on_public_test(job, cell)
        if nothing := nothing_marked(job, cell):
            st.markdown(f"{nothing}, so there is nothing to check.")
        else:
            _removal(job, cell)
            _randomized(job, cell)
        _agreement(job, keys, cell)


def _lines(job: ExplainJob, keys: list[Key], cell: Cell) -> None:
    """One line per map of this class, the most trustworthy first."""
    measured = [key for key in keys if job.has_judgment((key, cell.index))]
    best_first = sorted(
        measured,
        key=lambda key: (ORDER.index(job.judgment((key, cell.index))[0]), -_gain(job, (key, cell.index))),
    )
    for key in best_first:
        found = job.measured[key, cell.index]
        numbers = _in_numbers(job, cell.index, found)
        st.markdown(
            f"**{METHODS[key[0]].label}**: {MARKS[job.judgment((key, cell.index))[0]]}  \n:small[{numbers}]",
            help=CHECKS,
        )
    left = [key for key in keys if not job.has_measured((key, cell.index))]
    if left and not state.measure_all.get():
        st.button(
            "Check the other maps",
            on_click=_measure_all,
            icon=":material/monitoring:",
            key="explain_measure_all",
            help="Takes a few seconds per map.",
        )


def _measure_all() -> None:
    state.measure_all.set(True)
    state.stop_measuring.set(False)


def _in_numbers(job: ExplainJob, index: int, found: MapMeasurements) -> str:
    words = []
    if found.road and (random := job.baseline("road")):
        words.append(
            f"Replacing the 10% of the face that it marks most {_change(found.road.cost())}; a random 10% "
            f"{_change(random[index].cost())}."
        )
    if found.kept_top is not None and found.kept_all is not None and found.complexity_rise is not None:
        words.append(
            f"After scrambling the last layer the map {_kept(found.kept_top)} (similarity {found.kept_top:.2f}); after "
            f"scrambling all layers it {_kept(found.kept_all)} ({found.kept_all:.2f}; complexity "
            f"{signed(found.complexity_rise)}%)."
        )
    if found.sensitivity is not None:
        words.append(f"A change to the face too small to see changes the map by up to {percent(found.sensitivity)}.")
    if found.sparseness is not None:
        words.append(f"Sparseness {found.sparseness:.2f}.")
    if found.points_at_expected is not None:
        words.append(
            "Its strongest point lies on a part that the expression moves."
            if found.points_at_expected
            else "Its strongest point lies on no part that the expression moves."
        )
    return " ".join(words)


def _kept(similarity: float) -> str:
    """The effect of scrambling on a map, by the test's limit."""
    if similarity >= BARELY_FROM:
        return "barely changes"
    return "changes little" if similarity >= sanity_check.FAILS_FROM else "changes"


def _gain(job: ExplainJob, one: Map) -> float:
    found, random = job.measured[one].road, job.baseline("road")
    return random[one[1]].deletion_area - found.deletion_area if found and random else -1.0


def _change(cost: float) -> str:
    """cost: the class's loss of probability, 0..1; negative if it rose."""
    if not round(100 * cost):
        return "changes nothing"
    return f"{'lowers' if cost > 0 else 'raises'} the score by {points(cost)}"


def _removal(job: ExplainJob, cell: Cell) -> None:
    found = job.measured.get(cell.map)
    if found is None or found.road is None or found.gray is None:
        return
    st.markdown("**What happens without the marked parts?**")
    by = st.segmented_control(
        "Replace them with",
        ["road", "gray"],
        default="road",
        required=True,
        key="explain_fill",
        persist_state="session",
        format_func={"road": "Their surroundings (ROAD)", "gray": "Gray"}.__getitem__,
        help="Most networks never saw a face with gray squares. ROAD (Rong et al. 2022) fills the gap with a noisy "
        "mean of its neighbors instead. Gray is the mean of the face. Where the two disagree, trust ROAD.",
    )
    if job.disagree(cell.map):
        st.markdown("Gray and ROAD disagree about this map. ROAD is the fairer check, and decides the verdict.")
    curves, baseline = (found.gray if by == "gray" else found.road), job.baseline(str(by))[cell.index]
    left, right = st.columns(2, gap="medium")
    with left:
        st.markdown(
            f"**Deletion**: area {curves.deletion_area:.2f}, at random {baseline.deletion_area:.2f}. Lower is better.",
            help="The face disappears in squares of 4 x 4 pixels, the most marked first. Area under the curve.",
        )
        _chart(curves, baseline, cell, "deletion")
    with right:
        st.markdown(
            f"**Insertion**: area {curves.insertion_area:.2f}, at random {baseline.insertion_area:.2f}. "
            "Higher is better.",
            help="The face appears in squares of 4 x 4 pixels, the most marked first. Area under the curve.",
        )
        _chart(curves, baseline, cell, "insertion")
    st.caption("Dotted: the same squares in random order.")


def _chart(found: Curves, baseline: Curves, cell: Cell, kind: str) -> None:
    curves = explanation_figures.curve_chart(found, baseline, kind)
    widgets.chart(curves, f"explain_{kind}", f"{kind} curve of {cell.name} against random")


def _on_public_test(job: ExplainJob, cell: Cell) -> None:
    """The stored measurement of this method and layer on PublicTest."""
    table = read_table(job.face.recognizer)
    row = verdict(table, *cell.key)
    if table is None or row is None or "road_cost" not in row:
        st.markdown(f"For this model {cell.label} was not checked on a larger set of faces.")
        return
    on = f"{row['faces']} PublicTest faces" + ("" if table["current"] else " (with earlier weights)")
    result = "passes" if row["faithful"] else "fails"
    st.markdown(
        f"**In general, {cell.label} {result}.** On {on}, replacing the 10% that it marks most "
        f"{_change(row['road_cost'])}; a random 10% {_change(row['road_random_cost'])}.",
        help="The score of the predicted class. 95% interval of the difference in points: "
        f"{signed(row['road_gain_low'])} to {signed(row['road_gain_high'])} by ROAD, {signed(row['gain_low'])} to "
        f"{signed(row['gain_high'])} by gray.",
    )
    if row["kept_top"] is not None and row["kept_top"] >= sanity_check.FAILS_FROM:
        st.markdown(
            f"After scrambling the last layer its maps {_kept(row['kept_top'])} (similarity "
            f"{row['kept_top']:.2f}), so they depend little on the class."
        )


def _randomized(job: ExplainJob, cell: Cell) -> None:
    """The same map of a scrambled network."""
    if cell.map not in job.randomized:
        return
    st.markdown(
        "**What if the network is scrambled?** Replacing what it learned by random weights should change the map.",
        help="The randomization test of Adebayo et al. 2018: a map that stays the same does not show what was learned. "
        "The verdict is the mean over several scrambled networks; here is one of each kind.",
    )
    trained = job.values(cell.map)
    shown: dict[str, np.ndarray] = {"As trained": trained}
    for part, values in job.randomized[cell.map].items():
        words = {"top": "Last layer scrambled", "all": "All layers scrambled"}[part]
        similarity = sanity_check.rank_correlation(trained, values, cell.method)
        shown[f"{words}: " + ("empty" if is_blank(values) else f"similarity {similarity:.2f}")] = values
    for column, (caption, values) in zip(st.columns(3, gap="medium"), shown.items(), strict=True):
        look = Look(alone=True, each=True)
        picture = maps.tiles(values[None], cell.method, job.face.picture_rgb, look, STRIP_TILE)[0]
        column.image(picture, caption=caption, width="stretch", alt=f"{cell.label}: {caption}")
    st.caption("Each map has its own color scale.")


def _agreement(job: ExplainJob, keys: list[Key], cell: Cell) -> None:
    """The similarity of the methods' maps for this class."""
    methods, matrix = job.agreement(keys, cell.index)
    if len(methods) < 2:
        return
    st.markdown(
        f"**Do the methods agree?** Similarity of their maps for {cell.name}, 1 at most.",
        help="Spearman's rank correlation of the pixels: 1 where two maps rank all pixels alike.",
    )
    rows: list[dict[str, Any]] = [
        {
            "": METHODS[method].label,
            **{METHODS[other].label: float(value) for other, value in zip(methods, row)},
        }
        for method, row in zip(methods, matrix, strict=True)
    ]
    two_decimals = {METHODS[method].label: st.column_config.NumberColumn(format="%.2f") for method in methods}
    st.dataframe(
        rows, hide_index=True, width="stretch", column_config=two_decimals, alt="Similarity of the methods' maps"
    )
