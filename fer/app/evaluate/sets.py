"""Prediction sets: what is promised, what is kept, for which class, and where it breaks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from fer.app.markdown import plain
from fer.conformal import LEVELS
from fer.wording import percent

if TYPE_CHECKING:
    from fer.evaluation.evaluation import Evaluation
    from fer.evaluation.robustness import StressPoint


def show(item: Evaluation) -> None:
    """Coverage and size at a level that the visitor chooses, over all faces and class by class."""
    st.markdown(
        "Beside its best guess the model gives a set, such as “happy or neutral”, that holds the truth as often as "
        "promised. It is a promise about faces like FER2013's, class by class; other photos, and people unlike those "
        "in it, may get less. Stress and Groups show where it breaks."
    )
    if item.set_coverage() is None:
        st.info("This model's card has no prediction sets for these views. Choose a model that comes with the app.")
        return
    level = st.slider(
        "Promised", round(100 * LEVELS[0]), round(100 * LEVELS[-1]), 90, 1, format="%d %%", key="sets_level"
    )
    found = item.set_coverage(level / 100)
    if found is None:
        return
    with st.container(horizontal=True):
        st.metric("Truth in the set", f"{found.coverage:.1%}", border=True, help=f"Promised: {level}%")
        st.metric("Expressions in a set", f"{found.mean_size:.2f}", border=True, help="The mean over all faces")
    if found.in_sample:
        st.warning(
            "The sets were fitted on these very faces, which flatters them. The card tells how they did held out."
        )
    st.dataframe(
        [
            {
                "class": name,
                "truth in the set": "–" if row["coverage"] is None else f"{row['coverage']:.1%}",
                "expressions in a set": "–" if row["mean_size"] is None else f"{row['mean_size']:.2f}",
                "faces": row["support"],
            }
            for name, row in found.per_class.items()
        ],
        hide_index=True,
        width="stretch",
        alt="How often the set holds the truth, class by class",
    )


def show_stress(model: str, points: list[StressPoint], level: float) -> None:
    """How often the sets still hold the truth under each condition, where that was measured."""
    strengths = sorted({point.strength for point in points})
    kept: dict[str, dict[int, float]] = {}
    for point in points:
        if point.coverage is not None:
            kept.setdefault(point.condition, {})[point.strength] = point.coverage
    if not kept:
        return
    lowest = {name: min(row.values()) for name, row in kept.items()}
    worst = min(lowest, key=lambda name: lowest[name])
    verb = "breaks" if lowest[worst] < level else "could break"
    st.markdown(
        f"**Where the promise of {percent(level)} {verb}: {plain(model)}.** It is about clean faces like FER2013's. "
        f"Under {worst} the sets hold the truth of {percent(lowest[worst])} of the faces."
    )
    st.dataframe(
        [
            {
                "truth in the set": name,
                **{f"strength {strength}": f"{row[strength]:.0%}" if strength in row else "" for strength in strengths},
            }
            for name, row in kept.items()
        ],
        hide_index=True,
        width="stretch",
        alt="How often the set holds the truth, by condition and strength",
    )
