"""The slower questions: stress, groups, another model."""

from __future__ import annotations

import time

import streamlit as st

from fer.app import resources, session, work_queue
from fer.app.evaluate import face_gallery, inputs, sets, state
from fer.app.evaluate.inputs import Choice
from fer.app.markdown import plain
from fer.app.model_choice import Model, available_models, option_label
from fer.data.dataset import Dataset
from fer.evaluation.comparison import compare
from fer.evaluation.evaluation import Evaluation
from fer.evaluation.groups import read_metadata, slices_of
from fer.evaluation.robustness import CONDITIONS, STRENGTHS, StressPoint, contact_sheet, stress_report
from fer.limits import MB, limits
from fer.visualization import evaluation_figures as charts
from fer.visualization.figures import CONFIG

STEPS = len(CONDITIONS) * len(STRENGTHS)
NUMBERS = {"accuracy": "accuracy", "macro_f1": "macro-F1", "nll": "loss (nats)", "ece": "ECE", "brier": "Brier score"}


def stress(item: Evaluation, choice: Choice) -> None:
    """Fourteen harder conditions, five strengths each, for the model, and another laid over it."""
    st.markdown("How much accuracy is lost when light, blur, size, pose or cover get worse? Shaded: 95% interval.")
    others = _other_models()
    second = st.selectbox(
        "Lay over it",
        ["", *others],
        key="stress_second",
        format_func=lambda spec: option_label(others[spec]) if spec else "no other model",
    )
    with st.expander("What the conditions look like"):
        st.image(
            contact_sheet(item.part.pixels[0]),
            width=480,
            caption="Rows: " + ", ".join(CONDITIONS),
            alt="One face under every condition and strength",
        )
    models = [session.model(), *([others[second]] if second else [])]
    for model in models:
        if not _whole(model, choice) and st.button(
            f"Run the stress test for {plain(model.label)}",
            key=f"stress_run_{model.label}",
            icon=":material/play_arrow:",
        ):
            _run(model, item, choice)
    series = {model.label: points for model in models if (points := points_of(model, choice))}
    if series:
        for condition in {point.condition: 1 for points in series.values() for point in points}:
            st.plotly_chart(
                charts.stress_curves(series, condition),
                config=CONFIG,
                key=f"stress_{condition}",
                alt=f"Accuracy lost under {condition}",
            )
    for model in models:
        if card_sets := resources.card(model).prediction_sets:
            sets.show_stress(model.label, points_of(model, choice), card_sets.level)


def _other_models() -> dict[str, Model]:
    """The models but the one in use, by what a widget holds of them."""
    return {model.spec: model for model in available_models() if model != session.model()}


def points_of(model: Model, choice: Choice) -> list[StressPoint]:
    """The stress points measured for these weights and data in this session, in the order of measuring."""
    return state.stress_points.get().get((resources.card(model).sha256, choice), [])


def _whole(model: Model, choice: Choice) -> bool:
    return len(points_of(model, choice)) == STEPS


def _run(model: Model, item: Evaluation, choice: Choice) -> None:
    """Point by point; a click elsewhere or on Stop ends it and keeps what is there."""
    recognizer = resources.recognizer(model)
    points: list[StressPoint] = []
    state.stress_points.get()[(recognizer.card.sha256, choice)] = points
    bar, way_out, began = st.empty(), st.empty(), time.monotonic()
    way_out.button("Stop", key="stress_stop", icon=":material/stop_circle:")
    bar.progress(0.0, "Reading the clean faces")

    with work_queue.in_turns() as next_turn:
        patient = inputs.taking_turns(recognizer, next_turn)
        for point in stress_report(
            patient.probabilities, item.part.pixels, item.labels, sets=recognizer.card.prediction_sets
        ):
            points.append(point)
            left = (time.monotonic() - began) / len(points) * (STEPS - len(points))
            bar.progress(len(points) / STEPS, f"{point.condition}, strength {point.strength}; about {left:.0f} s left")
    bar.empty()
    way_out.empty()
    st.rerun()


def groups(item: Evaluation) -> None:
    """Accuracy by the columns of the visitor's own table."""
    st.markdown(
        "Bring a CSV with a column of picture names (`file`) and any others, such as age group, skin tone or "
        "source. No attribute is ever guessed from a face."
    )
    if item.part.names is None:
        st.info("These pictures have no names that a table could refer to.")
        return
    st.caption(f"Names look like: {plain(str(item.part.names[0]))}")
    upload = st.file_uploader(
        "A table about the pictures (CSV)",
        type=["csv"],
        key="slices_upload",
        max_upload_size=limits().table_bytes // MB,
    )
    if upload is None:
        return
    metadata = read_metadata(upload.getvalue(), [str(name) for name in item.part.names], limits())
    st.markdown(
        f"{metadata.matched:,} of {len(item.part):,} pictures are in the table. {metadata.unused:,} of its "
        f"rows belong to no picture here, {metadata.repeated:,} repeat a name."
    )
    if metadata.skipped:
        st.caption("Too many values to group by: " + plain(", ".join(metadata.skipped)))
    rows = slices_of(metadata, item.probabilities.argmax(1), item.labels, item.set_members())
    st.dataframe(
        [
            {
                "column": row.column,
                "value": row.value,
                "faces": row.faces,
                "accuracy, %": round(100 * row.accuracy, 1),
                "95% from": round(100 * row.low, 1),
                "to": round(100 * row.high, 1),
                "macro-F1": round(row.macro_f1, 3),
                **(
                    {}
                    if row.coverage is None or row.mean_size is None
                    else {"truth in the set, %": round(100 * row.coverage, 1), "set's size": round(row.mean_size, 2)}
                ),
                "column's gap": round(100 * row.gap, 1),
                "": "few faces: read with care" if row.few else "",
            }
            for row in rows
        ],
        hide_index=True,
        width="stretch",
        alt="Accuracy by group",
    )
    if any(row.few for row in rows):
        st.warning("Groups under 50 faces say little: their intervals are wide, and they are left out of the gaps.")


def other_model(item: Evaluation, choice: Choice, dataset: Dataset) -> None:
    """This model against another one on the same faces."""
    others = _other_models()
    if not others:
        st.info("There is one model only. Train another on the page Training, then compare the two here.")
        return
    spec = st.selectbox(
        "Compare with", list(others), format_func=lambda spec: option_label(others[spec]), key="compare_with"
    )
    other = inputs.evaluated(others[spec], choice, dataset)
    one, two = session.model().label, others[spec].label
    result = compare(item.probabilities, other.probabilities, item.labels)
    words = "more than chance explains" if result.p < 0.05 else "within what chance explains"
    st.markdown(
        f"{plain(one)}: **{result.accuracy_first:.1%}**, {plain(two)}: "
        f"**{result.accuracy_second:.1%}**. The difference is {words} (McNemar's test, p = {result.p:.3g})."
    )
    first, second = item.report, other.report
    st.dataframe(
        [
            {
                "": words,
                one: round(getattr(first, key), 4),
                two: round(getattr(second, key), 4),
                "difference": round(getattr(second, key) - getattr(first, key), 4),
            }
            for key, words in NUMBERS.items()
        ]
        + [
            {
                "": f"recall {label}",
                one: round(recall, 4),
                two: round(other_recall, 4),
                "difference": round(other_recall - recall, 4),
            }
            for label, row in first.per_class.items()
            if (recall := row["recall"]) is not None and (other_recall := second.per_class[label]["recall"]) is not None
        ],
        hide_index=True,
        width="stretch",
        alt="The two models, number by number",
    )
    st.markdown(f"**Only {plain(one)} gets these right** ({len(result.only_first):,})")
    face_gallery.gallery(item, result.only_first, "only_first")
    st.markdown(f"**Only {plain(two)} gets these right** ({len(result.only_second):,})")
    face_gallery.gallery(other, result.only_second, "only_second")
