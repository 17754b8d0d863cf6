"""The slower comparisons: under stress, by group, and with another model."""

from __future__ import annotations

import csv
import io
import time
from dataclasses import asdict

import numpy as np
import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from fer.app import resources, session, widgets, work_queue
from fer.app.evaluate import face_gallery, inputs, sets, state
from fer.app.evaluate.inputs import Choice
from fer.app.evaluate.state import GroupTable
from fer.app.markdown import plain
from fer.app.media import source_of
from fer.app.model_choice import Model, available_models, labels_of, option_labels
from fer.app.server import setup
from fer.app.table import Strip, table
from fer.data.dataset import Dataset
from fer.evaluation.comparison import compare
from fer.evaluation.evaluation import Evaluation, shared_rows
from fer.evaluation.groups import FEW, Slice, read_metadata, slices_of
from fer.evaluation.robustness import (
    CONDITIONS,
    STRENGTHS,
    StressPoint,
    sample_strips,
    stress_report,
    stress_sentence,
    worst_first,
)
from fer.limits import MB, limits
from fer.records import cell_text
from fer.visualization import evaluation_figures as charts
from fer.wording import count_of, percent, signed, signed_number

STEPS = len(CONDITIONS) * len(STRENGTHS)
CHART_WIDTH = 150  # pixels of a small chart: two side by side on a phone, five on a desktop
TABLE = "slices_upload"
SET_COLUMNS = ("coverage", "expressions per set")
SCORES = {"macro_f1": "macro-F1", "nll": "log loss (nats)", "ece": "ECE", "brier": "Brier score"}


def stress(item: Evaluation, choice: Choice) -> None:
    """Fourteen harder conditions with five strengths each, for the model and another one beside it."""
    st.markdown("How much accuracy is lost when faces are badly lit, blurred, small, turned or covered?")
    available = available_models()
    answer, others, options = st.container(), _others(available), option_labels(available)
    models = [session.model()]
    if others:
        second = st.selectbox(
            "Compare with",
            ["", *others],
            key="stress_second",
            persist_state="session",
            format_func=lambda spec: options[spec] if spec else "no other model",
        )
        models += [others[second]] if second else []
    with st.expander("What the conditions look like", key="stress_samples", on_change="rerun") as samples:
        if samples.open:
            table(
                ["condition", ""],
                [
                    [
                        name,
                        Strip(
                            source_of(np.repeat(strip[..., None], 3, 2)),
                            f"A face under {name}: clean, then at strengths 1 to 5",
                            ["clean", *map(str, STRENGTHS)],
                        ),
                    ]
                    for name, strip in sample_strips(item.part.pixels[0]).items()
                ],
                "One face under every condition and strength",
                key="stress_samples_table",
            )
    with answer:
        _stress_answer(models, labels_of(available), item, choice)


def _stress_answer(models: list[Model], labels: dict[str, str], item: Evaluation, choice: Choice) -> None:
    """labels: by the models' specifications, each different."""
    for model in models:
        if not _whole(model, choice) and st.button(
            widgets.main_label(f"Run the stress test for {plain(labels[model.spec])}"),
            key=f"stress_run_{model.key}",
            icon=":material/play_arrow:",
        ):
            _run(model, item, choice)
    series = {labels[model.spec]: found for model in models if (found := points_of(model, choice))}
    for label, found in series.items():
        st.markdown(
            f"**{plain(label)}.** {stress_sentence(found)}" + ("" if len(found) == STEPS else " (Stopped early.)")
        )
    if not series:
        return
    lines = f" Solid: {plain(next(iter(series)))}, dotted: {plain(list(series)[-1])}." if len(series) > 1 else ""
    st.caption(
        "Change in accuracy, in percentage points, as each condition gets stronger, from 0 (clean) to 5. The worst "
        f"comes first. Shaded: 95% interval.{lines}"
    )
    with st.container(horizontal=True, gap="small"):
        for condition, point in worst_first(next(iter(series.values()))).items():
            with st.container(width=CHART_WIDTH, gap=None):
                st.markdown(f"**{condition}** {signed(point.change)}")
                lost = f"Accuracy lost under {condition}: at worst {signed(point.change)} points"
                widgets.chart(charts.stress_curves(series, condition), f"stress_{condition}", lost)
    for model in models:
        if card_sets := resources.card(model).prediction_sets:
            sets.show_stress(model.key, labels[model.spec], points_of(model, choice), card_sets.level)


def _others(available: list[Model]) -> dict[str, Model]:
    """The models except the one in use, by their widget values."""
    return {model.spec: model for model in available if model != session.model()}


def points_of(model: Model, choice: Choice) -> list[StressPoint]:
    """The stress points measured for these weights and data in this session, in the order measured."""
    return state.stress_points.get().get((resources.card(model).sha256, choice), [])


def whole_points_of(model: Model, choice: Choice) -> list[StressPoint]:
    """The same once all are measured, until then none."""
    return points_of(model, choice) if _whole(model, choice) else []


def _whole(model: Model, choice: Choice) -> bool:
    return len(points_of(model, choice)) == STEPS


def _run(model: Model, item: Evaluation, choice: Choice) -> None:
    """Measure point by point; any click, such as on Stop, ends it and keeps the points so far."""
    recognizer = resources.recognizer(model)
    points: list[StressPoint] = []
    state.stress_points.get()[(recognizer.card.sha256, choice)] = points
    bar, way_out, began = st.empty(), st.empty(), time.monotonic()
    way_out.button("Stop", key="stress_stop", icon=":material/stop_circle:")
    bar.progress(0.0, "Clean faces")

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
        "Does the model do equally well for everyone? Upload a CSV table with the picture names in a column `file` "
        "and what you know of them in others, such as age group, skin tone or source. Nothing is guessed from a face."
    )
    if item.part.names is None:
        st.info("These pictures have no names, so no table can refer to them.")
        return
    st.caption(f"A name looks like this: {plain(str(item.part.names[0]))}")
    upload = st.file_uploader(
        "A table about the pictures (CSV)",
        type=["csv"],
        key=TABLE,
        max_upload_size=limits().table_bytes // MB,
        on_change=_take_table,
    )
    given = state.group_table.get()
    if given is None:
        return
    if upload is None:  # uploaded before the visitor opened another page
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"In use: **{plain(given.name)}**")
            st.button("Remove", key="slices_remove", icon=":material/delete:", on_click=_take_table)
    metadata = read_metadata(given.data, [str(name) for name in item.part.names], limits())
    beside = [
        f"{count_of(number, 'row')} {words}"
        for number, words in (
            (metadata.unused, "for other pictures"),
            (metadata.repeated, "repeating a name"),
        )
        if number
    ]
    st.markdown(
        f"The table has {metadata.matched:,} of the {count_of(len(item.part), 'picture')} here."
        + (f" It also has {' and '.join(beside)}." if beside else " All of its rows match.")
    )
    if metadata.skipped:
        st.caption("Columns with too many values to group by: " + plain(", ".join(metadata.skipped)))
    rows = slices_of(metadata, item.probabilities.argmax(1), item.labels, item.set_members())
    if not rows:
        st.info("The table has no column to group by. Add one with a few different values.")
        return
    with_sets = any(row.coverage is not None for row in rows)
    table(
        ["group", "faces", "accuracy", "95% interval", "macro-F1", *SET_COLUMNS[: 2 * with_sets], "gap, points", ""],
        [_group_row(row, rows) for row in rows],
        "Accuracy by group",
        key="group_table_view",
    )
    if any(row.few for row in rows):
        st.warning(f"Groups of fewer than {FEW} faces say little. Their gaps are not counted.")
    st.caption("Gap: the best accuracy less the worst, among the groups of one column.")
    widgets.download("CSV", lambda: _groups_csv(rows), "groups.csv", "text/csv", "groups_csv")


def _take_table() -> None:
    """Use the uploader's table; none if it is empty."""
    file = session.widget(TABLE, UploadedFile)
    setup.replace_upload(TABLE, file)
    state.group_table.set(GroupTable(file.name, file.getvalue()) if file else None)


def _group_row(row: Slice, rows: list[Slice]) -> list[str]:
    compared = sum(one.column == row.column and not one.few for one in rows) > 1
    return [
        f"{row.column}: {row.value}",
        f"{row.faces:,}",
        percent(row.accuracy, 1),
        f"{percent(row.low, 1)} to {percent(row.high, 1)}",
        f"{row.macro_f1:.3f}",
        *([] if row.coverage is None or row.mean_size is None else [percent(row.coverage, 1), f"{row.mean_size:.2f}"]),
        f"{100 * row.gap:.1f}" if compared else "–",
        "few faces" if row.few else "",
    ]


def _groups_csv(rows: list[Slice]) -> bytes:
    out = io.StringIO()
    writer = csv.DictWriter(out, list(asdict(rows[0])))
    writer.writeheader()
    for row in rows:
        writer.writerow(asdict(row) | {"column": cell_text(row.column), "value": cell_text(row.value)})
    return out.getvalue().encode()


def other_model(item: Evaluation, choice: Choice, dataset: Dataset) -> None:
    """Compare this model with another one on the same faces."""
    available = available_models()
    others, labels = _others(available), labels_of(available)
    if not others:
        st.info("There is only one model. Train another one on the Training page, then compare the two here.")
        return
    spec = st.selectbox(
        "Compare with",
        list(others),
        format_func=option_labels(available).__getitem__,
        key="compare_with",
        persist_state="session",
    )
    other = inputs.evaluated(others[spec], choice, dataset)
    one, two = labels[session.model().spec], labels[spec]
    mine, theirs = shared_rows(item, other)
    result = compare(item.probabilities[mine], other.probabilities[theirs], item.labels[mine])
    words = "is unlikely to be chance" if result.p < 0.05 else "could be chance"
    p = "p < 0.001" if result.p < 0.001 else f"p = {result.p:.3f}"
    st.markdown(
        f"{plain(one)}: **{percent(result.accuracy_first, 1)}**, {plain(two)}: "
        f"**{percent(result.accuracy_second, 1)}**. The difference {words}.",
        help=f"McNemar's test, {p}.",
    )
    first, second = item.report, other.report
    rows = [_share_row("accuracy", first.accuracy, second.accuracy)]
    for key, name in SCORES.items():
        score, other_score = getattr(first, key), getattr(second, key)
        rows.append([name, f"{score:.3f}", f"{other_score:.3f}", signed_number(other_score - score, 3)])
    for label, row in first.per_class.items():
        recall, other_recall = row["recall"], second.per_class[label]["recall"]
        if recall is not None and other_recall is not None:
            rows.append(_share_row(f"recall, {label}", recall, other_recall))
    table(["", one, two, "difference"], rows, "The two models, number by number", key="models_table")
    st.markdown(f"**Only {plain(one)} gets these right** ({len(result.only_first):,})")
    face_gallery.gallery(item, choice, mine[result.only_first], "only_first")
    st.markdown(f"**Only {plain(two)} gets these right** ({len(result.only_second):,})")
    face_gallery.gallery(other, choice, theirs[result.only_second], "only_second")


def _share_row(name: str, one: float, two: float) -> list[str]:
    return [name, percent(one, 1), percent(two, 1), f"{signed_number(100 * (two - one), 1)} points"]
