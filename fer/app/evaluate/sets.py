"""Prediction sets: promised and actual coverage, by class and under stress."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from fer.app.markdown import plain
from fer.app.table import table
from fer.conformal import LEVELS
from fer.wording import percent, percents_apart

if TYPE_CHECKING:
    from fer.evaluation.evaluation import Evaluation
    from fer.evaluation.robustness import StressPoint


def show(item: Evaluation) -> None:
    """Coverage and size at a level of the visitor's choice, over all faces and class by class."""
    st.markdown(
        "Besides its best guess the model gives a set, such as “happy or neutral”, that should contain the true "
        "expression as often as promised. The promise holds class by class for faces like FER2013's, and may fail for "
        "other photos and people: Stress and Groups show where."
    )
    if item.set_coverage() is None:
        st.info("This model has no prediction sets for these views. Choose a model that comes with the app.")
        return
    level = st.slider(
        "Promised coverage",
        round(100 * LEVELS[0]),
        round(100 * LEVELS[-1]),
        90,
        1,
        format="%d%%",
        key="sets_level",
        persist_state="session",
    )
    found = item.set_coverage(level / 100)
    if found is None:
        return
    from fer.evaluation.tables import IN_SAMPLE, share_text

    with st.container(horizontal=True):
        help_words = f"How often the set contains the true expression. Promised: {level}%"
        st.metric("Coverage", percent(found.coverage, 1), border=True, help=help_words)
        st.metric("Expressions per set", f"{found.mean_size:.2f}", border=True, help="The mean over all faces")
    if found.in_sample:
        st.warning(f"{IN_SAMPLE} Published results has those on held-out faces.")
    table(
        ["class", "coverage", "expressions per set", "faces"],
        [
            [
                name,
                share_text(row["coverage"]),
                "–" if row["mean_size"] is None else f"{row['mean_size']:.2f}",
                f"{row['support']:,}",
            ]
            for name, row in found.per_class.items()
        ],
        "How often the set contains the true expression, class by class",
        key="sets_table",
    )


def show_stress(key: str, model: str, points: list[StressPoint], level: float) -> None:
    """Coverage under each measured condition. key, model: the model's key and label."""
    strengths = sorted({point.strength for point in points})
    kept: dict[str, dict[int, float]] = {}
    for point in points:
        if point.coverage is not None:
            kept.setdefault(point.condition, {})[point.strength] = point.coverage
    if not kept:
        return
    lowest = {name: min(row.values()) for name, row in kept.items()}
    order = sorted(lowest, key=lambda name: lowest[name])
    st.markdown(
        f"**Prediction sets under stress: {plain(model)}.** {promise_sentence(lowest[order[0]], order[0], level)}"
    )
    table(
        ["strength", *map(str, strengths)],
        [
            [name, *(percent(kept[name][strength]) if strength in kept[name] else "" for strength in strengths)]
            for name in order
        ],
        f"Coverage of {model}'s prediction sets by condition and strength",
        key=f"sets_stress_{key}",
    )


def promise_sentence(lowest: float, condition: str, level: float) -> str:
    """Whether the promised level holds. lowest: the lowest coverage, under this condition."""
    if lowest < level:
        told, promised = percents_apart(lowest, level)
        return (
            f"The promise of {promised} coverage, made for clean faces, breaks: under {condition}, coverage falls to "
            f"{told}."
        )
    return (
        f"The promise of {percent(level)} coverage, made for clean faces, holds: the lowest coverage is "
        f"{percent(lowest)}, under {condition}."
    )
