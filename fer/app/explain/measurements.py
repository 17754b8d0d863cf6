"""Whether to believe a map: what removing it costs, the sanity check, and the work behind both."""

from __future__ import annotations

from typing import Any

import streamlit as st

from fer.app import work_queue
from fer.app.explain import state
from fer.app.explain.job import ExplainJob, Key
from fer.app.explain.maps import Cell
from fer.explanation import sanity_check
from fer.explanation.faithfulness_table import read_table, verdict
from fer.explanation.methods import METHODS, is_blank, marks_nothing
from fer.records import Curves
from fer.visualization import explanation_figures, figures, maps
from fer.visualization.maps import Look

STRIP_TILE = 264


def work(job: ExplainJob, keys: list[Key], cell: Cell) -> None:
    """Do what is still open, a piece at a time, so that a click or Stop ends it at once; then show it all."""
    total = job.pending(keys, cell.key)
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
    for done, (name, piece) in enumerate(job.work(keys, cell.key)):
        bar.progress(done / total, f"{name} ({done + 1} of {total})")
        with work_queue.heavy_slot():
            piece()
    st.rerun()


def trust(job: ExplainJob, keys: list[Key], cell: Cell) -> None:
    st.header("Can I trust it?")
    if job.face.plain:
        st.markdown("There is no facial content in this picture, so there is nothing to test these maps against.")
        return
    table = read_table(job.face.recognizer)
    _measured_label(table, cell)
    if marks_nothing(job.map_of(cell.key)[cell.index], cell.method):
        st.markdown(f"Here the map for {cell.name} marks nothing: there is nothing to remove, and nothing to check.")
        _table(job, keys, cell, table)
        return
    if measured := job.removal_of(cell.key, cell.index):
        found, baseline = measured
        left, right = st.columns(2, gap="medium")
        with left:
            st.markdown(
                f"**Deletion**: area {found.deletion_area:.2f}, at random {baseline.deletion_area:.2f}. "
                "Lower is better."
            )
            _chart(found, baseline, cell, "deletion")
        with right:
            st.markdown(
                f"**Insertion**: area {found.insertion_area:.2f}, at random {baseline.insertion_area:.2f}. "
                "Higher is better."
            )
            _chart(found, baseline, cell, "insertion")
        st.caption(
            "The face goes, or comes, in squares of 4 x 4 pixels, those first that the map marks most; removed "
            "pixels take the face's mean gray. The dotted line takes the same squares in random order."
        )
    _sanity_strip(job, cell)
    _table(job, keys, cell, table)


def _chart(found: Curves, baseline: Curves, cell: Cell, kind: str) -> None:
    st.plotly_chart(
        explanation_figures.curve_chart(found, baseline, kind),
        width="stretch",
        config=figures.CONFIG,
        key=f"explain_{kind}",
        alt=f"{kind} curve of {cell.name} against random",
    )


def _measured_label(table: dict[str, Any] | None, cell: Cell) -> None:
    """What the stored measurement on PublicTest says of this method and layer."""
    row = verdict(table, *cell.key)
    label = METHODS[cell.method].label
    if table is None or row is None:
        st.markdown(f"How faithful {label} is for this model was not measured on PublicTest yet.")
        return
    on = f"On {table['faces']} PublicTest faces" + ("" if table["current"] else " (measured on an earlier checkpoint)")
    numbers = (
        f"removing the 10% that it marks most costs {100 * row['cost']:.0f} points of confidence, removing a "
        f"random 10% costs {100 * row['random_cost']:.0f}"
    )
    interval = f"{100 * row['gain_low']:.0f} to {100 * row['gain_high']:.0f} points (95% interval)"
    if row["faithful"]:
        st.markdown(
            f":material/check_circle: **Faithful for the class it predicts.** {on} {numbers}: a "
            f"difference of {interval}."
        )
    else:
        st.markdown(
            f":material/warning: **Fails the faithfulness test** for the class it predicts. {on} "
            f"{numbers}: a difference of {interval}, which may be chance."
        )
    if not row["sane"]:
        st.markdown(
            f":material/warning: **Fails the sanity check.** With the network's last layer made random, its "
            f"map stays this much like the trained one's: {row['kept_top']:.2f} (1 is the same, 0 nothing "
            f"alike; {table['sanity_faces']} faces); with all layers random {row['kept_all']:.2f}. From "
            f"{sanity_check.FAILS_FROM} on it fails: {sanity_check.failure(row['kept_top'], row['kept_all'])}."
        )


def _sanity_strip(job: ExplainJob, cell: Cell) -> None:
    st.markdown(
        "**Sanity check**: the same map where the network forgot what it learned (Adebayo et al. 2018). A map "
        "that stays the same does not show what was learned."
    )
    if cell.key not in job.randomized:
        st.caption("Being computed.")
        return
    correlations = job.rank_correlations(cell.key, cell.index)
    shown = {
        "As trained": job.maps[cell.key][cell.index],
        **{
            f"{words}: "
            + (
                "blank"
                if is_blank(job.randomized[cell.key][part][cell.index])
                else f"rank correlation {correlations[part]:.2f}"
            ): job.randomized[cell.key][part][cell.index]
            for part, words in (("top", "Last layer random"), ("all", "All layers random"))
        },
    }
    for column, (caption, values) in zip(st.columns(3, gap="medium"), shown.items(), strict=True):
        picture = maps.tiles(values[None], cell.method, job.face.picture_rgb, Look(alone=True, each=True), STRIP_TILE)[
            0
        ]
        column.image(picture, caption=caption, width="stretch", alt=f"{METHODS[cell.method].label}: {caption}")
    st.caption("Each of the three has its own scale: compare where they are strong, not how strong.")
    worst, why = max(0.0, *correlations.values()), sanity_check.failure(correlations["top"], correlations["all"])
    st.markdown(
        f"Here {METHODS[cell.method].label} **{'fails' if why else 'passes'}** the check: the map stays up to "
        f"{worst:.2f} alike (one that shows what was learned stays below {sanity_check.FAILS_FROM})"
        f"{f': {why}' if why else ''}."
    )


def _table(job: ExplainJob, keys: list[Key], cell: Cell, table: dict[str, Any] | None) -> None:
    """All methods beside each other, for the chosen class."""
    rows = []
    for key in keys:
        if key not in job.curves:
            continue
        found, row = job.curves[key][cell.index], verdict(table, *key)
        rows.append(
            {
                "method": METHODS[key[0]].label,
                "marked 10% costs": found and 100 * found.cost(),
                "deletion area": found and found.deletion_area,
                "insertion area": found and found.insertion_area,
                "PublicTest": "not measured" if row is None else "faithful" if row["faithful"] else "fails",
                "sanity check": "not measured" if row is None else "passes" if row["sane"] else "fails",
            }
        )
    if not rows:
        return
    baseline = job.baseline[cell.index]
    rows.append(
        {
            "method": "at random",
            "marked 10% costs": 100 * baseline.cost(),
            "deletion area": baseline.deletion_area,
            "insertion area": baseline.insertion_area,
            "PublicTest": "",
            "sanity check": "",
        }
    )
    st.markdown(f"**All methods, for {cell.name} on this face**")
    st.dataframe(
        rows,
        hide_index=True,
        width="stretch",
        column_config={
            "marked 10% costs": st.column_config.NumberColumn(format="%.0f points"),
            "deletion area": st.column_config.NumberColumn(format="%.2f", help="Lower is better."),
            "insertion area": st.column_config.NumberColumn(format="%.2f", help="Higher is better."),
            "PublicTest": st.column_config.TextColumn(
                help="Whether the marked 10% costs more than a random 10% there."
            ),
        },
    )
