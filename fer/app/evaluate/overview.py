"""The first answers: how good, on what, how sure of it, class by class; and the card where no data is chosen."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import streamlit as st

from fer.app.evaluate.inputs import SPLIT_WORDS
from fer.app.markdown import plain
from fer.expressions import NAMES
from fer.models.card import Card
from fer.visualization import evaluation_figures as charts
from fer.visualization.figures import CONFIG

if TYPE_CHECKING:
    from fer.evaluation.evaluation import Evaluation
    from fer.evaluation.metrics import Report
    from fer.evaluation.robustness import StressPoint

HELP = {
    "Accuracy": "The share of faces that it names as they are labeled",
    "Macro-F1": "The mean over classes of the balance of precision and recall: rare classes count as much",
    "ECE": "Expected calibration error: how far confidence is from the share that is right",
    "Without train duplicates": "Accuracy without the pictures that also occur in the Training part",
}


def show_card(card: Card) -> None:
    """What the model's card says, so that a visitor sees a result before choosing data."""
    metrics = card.metrics
    split = metrics.get("split", "validation")
    st.header(f"What its card says, on {plain(split)}")
    numbers = {
        "Accuracy": ("accuracy", "{:.1%}"),
        "Macro-F1": ("macro_f1", "{:.3f}"),
        "ECE": ("ece", "{:.3f}"),
        "Without train duplicates": ("accuracy_without_train_duplicates", "{:.1%}"),
    }
    with st.container(horizontal=True):
        for word, (key, form) in numbers.items():
            if isinstance(metrics.get(key), (int, float)):
                st.metric(word, form.format(metrics[key]), border=True, help=HELP[word])
    left, right = st.columns(2, gap="large")
    if "confusion_matrix" in metrics:
        with left:
            st.markdown("**Confusion matrix**, rows in percent of the truth")
            st.plotly_chart(
                charts.confusion(metrics["confusion_matrix"], percent=True),
                config=CONFIG,
                key="card_confusion",
                alt="Confusion matrix of the model's card",
            )
    if "reliability" in metrics:
        with right:
            st.markdown("**Does 80% mean 80%?** Confidence against how often it was right, on held-out faces")
            st.plotly_chart(
                charts.reliability_diagram(metrics["reliability"]),
                config=CONFIG,
                key="card_reliability",
                alt="Reliability diagram of the model's card",
            )
    held, promised = metrics.get("held_out_sets"), card.prediction_sets
    if promised and isinstance(held, dict) and {"coverage", "mean_size"} <= set(held):
        st.markdown(
            f"**Prediction sets**: they are to hold the truth of {promised.level:.0%} of faces like FER2013's. On "
            f"held-out faces of {plain(promised.split)} they held {float(held['coverage']):.1%}, with "
            f"{float(held['mean_size']):.2f} expressions each."
        )
    if card.notes:
        st.caption(plain(card.notes))
    st.markdown("Choose data above for the whole report: errors, people's opinions, stress, groups, another model.")


def overview(
    item: Evaluation, splits: list[str], reports: Callable[[], dict[str, Report]], stress: list[StressPoint]
) -> None:
    """splits: validation and test, as far as the data holds them; reports: makes theirs; stress: what was measured."""
    from fer.evaluation.report import headline_rows, render_report, score_text

    report, (low, high) = item.report, item.interval
    with st.container(horizontal=True):
        st.metric("Accuracy", f"{report.accuracy:.1%}", border=True, help=f"95% interval {low:.1%} to {high:.1%}")
        st.metric("Macro-F1", f"{report.macro_f1:.3f}", border=True, help=HELP["Macro-F1"])
        st.metric("Loss", f"{report.nll:.3f}", border=True, help="Negative log-likelihood in nats: lower is better")
        st.metric("ECE", f"{report.ece:.3f}", border=True, help=HELP["ECE"])
    left, right = st.columns(2, gap="large")
    with left:
        st.dataframe(
            [{"": what, "value": value} for what, value in headline_rows(item)],
            hide_index=True,
            width="stretch",
            alt="All headline numbers",
        )
    with right:
        st.dataframe(
            [
                {
                    "class": name,
                    **{key: score_text(row[key]) for key in ("precision", "recall", "f1")},
                    "faces": row["support"],
                }
                for name, row in report.per_class.items()
            ],
            hide_index=True,
            width="stretch",
            alt="Precision, recall and F1 of each class",
        )
    if len(splits) > 1 and st.toggle(
        "Validation and test side by side",
        key="evaluate_by_split",
        help="Validation chose the model, so the test split is the more honest one, as "
        "long as nothing is chosen by it. Look at it last.",
    ):
        st.dataframe(
            [
                {
                    "split": SPLIT_WORDS[split],
                    "faces": other.n,
                    "loss": round(other.nll, 4),
                    "accuracy, %": round(100 * other.accuracy, 1),
                    "macro-F1": round(other.macro_f1, 3),
                }
                for split, other in reports().items()
            ],
            hide_index=True,
            width="stretch",
            alt="Loss by split",
        )
    if report.absent:
        st.info(report.absent_words())
    if len(report.absent) == len(NAMES) - 1:
        st.warning("There is one class only, so accuracy here is that class's recall, and curves cannot be drawn.")
    # The download is made outside this session's thread, so it takes along what it needs.
    stressed = {item.model: stress} if stress else None
    st.download_button(
        "Report (HTML)",
        lambda: render_report([item], stressed),
        "evaluation.html",
        "text/html",
        on_click="ignore",
        icon=":material/download:",
    )


def confusion(item: Evaluation) -> tuple[int, int] | None:
    """The matrix; returns the (truth, predicted) cell that was clicked."""
    percent = st.toggle("Rows in percent", key="confusion_percent")
    event = st.plotly_chart(
        charts.confusion(item.report.confusion_matrix, percent),
        config=CONFIG,
        key="confusion",
        on_select="rerun",
        selection_mode="points",
        alt="Confusion matrix",
    )
    points = event.selection.points if event else []
    if not points:
        st.caption("Click a cell to see its faces.")
        return None
    truth, predicted = points[0]["customdata"][:2]
    return int(truth), int(predicted)


def calibration(item: Evaluation) -> None:
    st.markdown("**Does 80% mean 80%?** A calibrated model's bars end on the dotted line.")
    left, right = st.columns(2, gap="large")
    with left:
        st.plotly_chart(
            charts.reliability_diagram(item.reliability), config=CONFIG, key="reliability", alt="Reliability diagram"
        )
    with right:
        st.plotly_chart(
            charts.confidence_histogram(item.reliability, 320),
            config=CONFIG,
            key="confidence",
            alt="How many faces have which confidence",
        )
    st.markdown("**When should it say “not sure”?** A higher threshold answers fewer faces, and errs on fewer.")
    threshold = st.slider("Sure from", 0.0, 0.99, float(min(item.threshold, 0.99)), 0.01, key="risk_threshold")
    at = item.risk.at(threshold)
    answers = (
        f"answers **{at[0]:.0%}** of the faces and is right on **{1 - at[1]:.1%}** of those"
        if at[0]
        else "answers **nothing**: no face reaches that confidence"
    )
    st.markdown(f"From {threshold:.0%} on it {answers}. Its card says {item.threshold:.0%}.")
    st.plotly_chart(
        charts.risk_coverage_chart(item.risk.coverage, item.risk.risk, at),
        config=CONFIG,
        key="risk",
        alt="Share of wrong answers by share answered",
    )
