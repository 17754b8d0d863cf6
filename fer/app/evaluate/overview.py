"""The main results: metrics with intervals, class by class; or the model's published ones if no data is chosen."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import streamlit as st

from fer.app import resources, session, widgets
from fer.app.evaluate.inputs import PUBLISHED, TRAINED
from fer.app.markdown import plain
from fer.app.model_choice import Model, TrainedRun
from fer.app.table import Shares, table
from fer.data.read import SYNTHETIC
from fer.data.report import split_label
from fer.expressions import INDEX, NAMES
from fer.models.card import DRAWINGS
from fer.training.run_directory import RunDirectory
from fer.visualization import evaluation_figures as charts
from fer.wording import count_of, percent

if TYPE_CHECKING:
    from fer.evaluation.evaluation import Evaluation
    from fer.evaluation.metrics import Report
    from fer.evaluation.robustness import StressPoint

CELL = ("cell_truth", "cell_predicted")  # the boxes below it
HELP = {
    "Accuracy": "The share of faces whose prediction matches their label",
    "Macro-F1": "The F1 score (the balance of precision and recall), averaged over classes: rare classes count as much",
    "ECE": "Expected calibration error: how far confidence is from the share of correct answers, on average",
    "Log loss": "Negative log-likelihood of the labels, in nats: lower is better",
    "Without training duplicates": "Accuracy without the pictures that also occur in the training split",
}


def show_card(model: Model) -> None:
    """The results on the model's card, so that a visitor sees some before choosing data."""
    card = resources.card(model)
    metrics = card.metrics
    if isinstance(model, TrainedRun):
        st.header(TRAINED)
        measured = _in_training(model)
    else:
        st.header(PUBLISHED)
        measured = f"Measured on {plain(str(metrics.get('split', 'validation')))} when the model was published."
    st.caption(
        f"{measured} Choose data above to see its mistakes, and how it does beside people, under stress, by group and "
        "against another model."
    )
    numbers: dict[str, tuple[str, Callable[[float], str]]] = {
        "Accuracy": ("accuracy", lambda share: percent(share, 1)),
        "Macro-F1": ("macro_f1", "{:.3f}".format),
        "ECE": ("ece", "{:.3f}".format),
        "Without training duplicates": ("accuracy_without_train_duplicates", lambda share: percent(share, 1)),
    }
    with st.container(horizontal=True):
        for word, (key, form) in numbers.items():
            value = metrics.get(key)
            if isinstance(value, (int, float)):
                st.metric(word, form(value), border=True, help=HELP[word])
    left, right = st.columns(2, gap="large")
    if "confusion_matrix" in metrics:
        with left:
            st.markdown("**Confusion matrix.** Of the faces with each label, what share was predicted as what")
            matrix = charts.confusion(metrics["confusion_matrix"], percent=True, dark=session.dark())
            widgets.chart(matrix, "card_confusion", "Confusion matrix of the model's card")
    if "reliability" in metrics:
        with right:
            st.markdown("**Does 80% mean 80%?** How often answers of each confidence are right, on held-out faces")
            diagram = charts.reliability_diagram(metrics["reliability"])
            widgets.chart(diagram, "card_reliability", "Reliability diagram of the model's card")
    held, promised = metrics.get("held_out_sets"), card.prediction_sets
    if promised and isinstance(held, dict) and {"coverage", "mean_size"} <= set(held):
        st.markdown(
            f"**Prediction sets**, such as “happy or neutral”, should contain the true expression of "
            f"{percent(promised.level)} of faces like FER2013's. On held-out faces of {plain(promised.split)} they did "
            f"for {percent(float(held['coverage']), 1)}, with {float(held['mean_size']):.2f} expressions per set."
        )
    notes = card.notes
    if card.from_drawings and DRAWINGS not in notes.lower():  # runs of earlier versions have none
        notes = f"{DRAWINGS.capitalize()}. {notes}".strip()
    if notes:
        st.caption(plain(notes))


def _in_training(model: TrainedRun) -> str:
    """When and on which faces a run's own results were measured."""
    run = RunDirectory(model.path)
    best = next((record for record in reversed(run.records()) if record.best), None)
    when, faces = ("after its best epoch", "the validation faces")
    if best:
        when, faces = f"after epoch {best.epoch}, its best", f"the {count_of(best.validation_faces, 'validation face')}"
    return f"Measured in training, {when}, on {faces} of its data ({plain(_data_words(model))})."


def _data_words(model: TrainedRun) -> str:
    data = resources.card(model).data
    return "synthetic faces" if data == SYNTHETIC else data or "not named on its card"


def overview(
    item: Evaluation, splits: list[str], reports: Callable[[], dict[str, Report]], stress: list[StressPoint]
) -> None:
    """splits: validation and test, if the data has them. reports: makes their reports. stress: the measured points."""
    from fer.evaluation.report import render_report
    from fer.evaluation.tables import headline_rows, score_text

    report, (low, high) = item.report, item.interval
    with st.container(horizontal=True):
        for label, value, below in (
            ("Accuracy", percent(report.accuracy, 1), f"95% interval: {percent(low, 1)} to {percent(high, 1)}"),
            ("Macro-F1", f"{report.macro_f1:.3f}", None),
            ("Log loss", f"{report.nll:.3f}", None),
            ("ECE", f"{report.ece:.3f}", None),
        ):
            st.metric(
                label,
                value,
                below,
                delta_color="off",
                delta_arrow="off",
                border=True,
                height="stretch",
                help=HELP[label],
            )
    if report.absent:
        st.info(report.absent_words())
    if len(report.absent) == len(NAMES) - 1:
        st.warning("All these faces have one label, so accuracy is that class's recall, and there are no curves.")
    table(
        ["class", "precision", "recall", "F1", "faces", "predicted as"],
        [
            [
                name,
                *(score_text(row[key]) for key in ("precision", "recall", "f1")),
                f"{row['support']:,}",
                Shares([count / row["support"] for count in counts]) if row["support"] else "",
            ]
            for (name, row), counts in zip(report.per_class.items(), report.confusion_matrix, strict=True)
        ],
        "Precision, recall and F1 of each class",
        key="class_table",
    )
    if len(splits) > 1:
        _by_split(item.part.name, reports)
    with st.expander("All numbers"):
        table(["", ""], [[what, value] for what, value in headline_rows(item)], "All numbers", "headline_table")
    # The download is made outside this session's thread, so it captures everything it needs.
    stressed = {item.model: stress} if stress else None
    with st.container(horizontal=True):
        named = replace(item, title=session.model().label)
        report_html, numbers = partial(render_report, [named], stressed), partial(json.dumps, item.to_json(), indent=1)
        widgets.download("report", report_html, "evaluation.html", "text/html", "evaluation_report")
        widgets.download("JSON", numbers, "evaluation.json", "application/json", "evaluation_json")


def _by_split(data: str, reports: Callable[[], dict[str, Report]]) -> None:
    both = st.toggle(
        "Validation and test side by side",
        key="evaluate_by_split",
        persist_state="session",
        help="The model was chosen by its results on validation, so test is the more honest split. Look at it "
        "last, and choose nothing by it.",
    )
    if both:
        table(
            ["split", "faces", "accuracy", "macro-F1", "log loss"],
            [
                [
                    split_label(split, data),
                    f"{one.n:,}",
                    percent(one.accuracy, 1),
                    f"{one.macro_f1:.3f}",
                    f"{one.nll:.4f}",
                ]
                for split, one in reports().items()
            ],
            "Validation and test side by side",
            key="split_table",
        )


def confusion(item: Evaluation) -> tuple[int, int] | None:
    """The matrix; returns the (truth, predicted) cell that was last clicked, or chosen below it."""
    percent_rows = st.toggle("Rows in percent", key="confusion_percent", persist_state="session")
    matrix = charts.confusion(item.report.confusion_matrix, percent_rows, dark=session.dark())
    widgets.chart(matrix, "confusion", "Confusion matrix", lambda place: _show_cell(*place[:2]))
    words, *places = st.columns([2, 1, 1], vertical_alignment="center")  # one under the other on a phone
    words.markdown("Click a cell, or choose one, to see its faces:")
    with places[0]:
        truth = _cell_box("labeled", CELL[0])
    with places[1]:
        predicted = _cell_box("predicted", CELL[1])
    return (INDEX[truth], INDEX[predicted]) if truth and predicted else None


def _cell_box(label: str, key: str) -> str | None:
    chosen: str | None = st.selectbox(
        label,
        NAMES,
        None,
        key=key,
        placeholder=label,
        format_func=lambda name: f"{label} {name}",
        label_visibility="collapsed",
        persist_state="session",
    )
    return chosen


def _show_cell(truth: int, predicted: int) -> None:
    for key, index in zip(CELL, (truth, predicted), strict=True):
        session.set_widget(key, NAMES[int(index)])


def calibration(item: Evaluation) -> None:
    st.markdown("**Does 80% mean 80%?** If the model knows how sure it is, the bars end on the dotted line.")
    left, right = st.columns(2, gap="large")
    with left:
        widgets.chart(charts.reliability_diagram(item.reliability), "reliability", "Reliability diagram")
    with right:
        histogram = charts.confidence_histogram(item.reliability, 320)
        widgets.chart(histogram, "confidence", "How many faces have which confidence")
    st.markdown("**When should it say “not sure”?** A higher threshold gives fewer answers, and fewer wrong ones.")
    threshold = st.slider(
        "Sure from",
        0.0,
        0.99,
        min(item.threshold, 0.99),
        0.01,
        key=f"risk_threshold_{item.weights_sha256[:12]}",
        persist_state="session",
    )
    at = item.risk.at(threshold)
    answers = (
        f"the model answers for **{percent(at[0])}** of the faces, and **{percent(1 - at[1], 1)}** of these answers "
        "are right"
        if at[0]
        else "the model answers for **no face**: none reaches that confidence"
    )
    st.markdown(f"At {percent(threshold)}, {answers}. The model uses {percent(item.threshold)}.")
    line = charts.risk_coverage_chart(item.risk.coverage, item.risk.risk, at)
    widgets.chart(line, "risk", "Share of wrong answers by share of faces answered")
    st.markdown(
        f"**How far can you rely on each answer?** How often it is right when given at {percent(threshold)} or more."
    )
    from fer.evaluation.tables import ANSWER_COLUMNS, answer_rows

    table(ANSWER_COLUMNS, answer_rows(item.answers(threshold)), "How often each answer is right", "answers_table")
