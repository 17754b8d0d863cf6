"""The evaluation as one HTML file: opens anywhere, needs no network."""

from __future__ import annotations

import base64
import html
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import plotly.graph_objects as go

from fer.errors import FerError
from fer.evaluation.curves import precision_recall_curves, roc_curves
from fer.evaluation.evaluation import GALLERY, Evaluation
from fer.expressions import NAMES
from fer.visualization import evaluation_figures as charts

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fer.evaluation.prediction_sets import Coverage
    from fer.evaluation.robustness import StressPoint

STYLE = """body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1B1E2B}
table{border-collapse:collapse;margin:1rem 0}td,th{padding:.3rem .8rem;text-align:right;border-bottom:1px solid #dde0ea}
td:first-child,th:first-child{text-align:left}.faces{display:flex;flex-wrap:wrap;gap:.8rem}
figure{margin:0;width:96px;font-size:.75rem}figure img{width:96px;image-rendering:pixelated;border-radius:6px}"""


def render_report(studies: list[Evaluation], stress: dict[str, list[StressPoint]] | None = None) -> str:
    """HTML of one section a study, with its charts live; names are shown letter by letter."""
    parts, scripts = [], True
    for item in studies:
        parts.append(_headline(item))
        for title, figure in _figures(item, stress):
            parts.append(f"<h3>{html.escape(title)}</h3>")
            parts.append(figure.to_html(full_html=False, include_plotlyjs=scripts, config={"displayModeBar": False}))
            scripts = False
        parts.append(_gallery(item))
    return (
        f"<!doctype html><html lang='en'><meta charset='utf-8'><meta name='viewport' "
        f"content='width=device-width'><title>FER Studio: evaluation</title><style>{STYLE}</style>"
        f"<h1>Evaluation</h1>{''.join(parts)}</html>"
    )


def write_report(path: Path, studies: list[Evaluation], stress: dict[str, list[StressPoint]] | None = None) -> None:
    """Raises FerError where the file cannot be written."""
    try:
        path.write_text(render_report(studies, stress), encoding="utf-8")
    except OSError as error:
        raise FerError(f"The report could not be written to {path.name}: {error.strerror}.") from None


def headline_rows(item: Evaluation) -> list[tuple[str, str]]:
    """(what, value) of the numbers that open a report."""
    report, more, (low, high) = item.report, item.averages, item.interval
    rows = [
        ("Accuracy", f"{report.accuracy:.1%}"),
        ("95% interval", f"{low:.1%} to {high:.1%}"),
        ("Macro precision, recall, F1", ", ".join(f"{more.macro[k]:.3f}" for k in ("precision", "recall", "f1"))),
        ("Weighted precision, recall, F1", ", ".join(f"{more.weighted[k]:.3f}" for k in ("precision", "recall", "f1"))),
        ("Truth among the two most probable", f"{more.top2:.1%}"),
        ("Cohen's kappa", f"{more.kappa:.3f}"),
        ("Loss (nats)", f"{report.nll:.4f}"),
        ("ECE", f"{report.ece:.4f}"),
        ("Brier score", f"{report.brier:.4f}"),
    ]
    if report.accuracy_without_train_duplicates is not None:
        rows.insert(2, ("Without train duplicates", f"{report.accuracy_without_train_duplicates:.1%}"))
    return rows


def score_text(score: float | None) -> str:
    """A class's precision, recall or F1; a dash for a class that the split does not hold."""
    return "–" if score is None else f"{score:.3f}"


def sets_sentence(sets: Coverage) -> str:
    """What prediction sets promise, what they keep on these faces, and for which class they keep least."""
    kept = {name: row["coverage"] for name, row in sets.per_class.items() if row["coverage"] is not None}
    lowest = min(kept, key=lambda name: kept[name])
    return (
        f"Prediction sets at {sets.level:.0%}: they hold the truth of {sets.coverage:.1%} of the faces, with "
        f"{sets.mean_size:.2f} expressions each; least for {lowest}, {kept[lowest]:.1%}."
        + (" They were fitted on these very faces, which flatters them." if sets.in_sample else "")
    )


def _headline(item: Evaluation) -> str:
    report = item.report
    rows = "".join(f"<tr><td>{html.escape(a)}</td><td>{html.escape(b)}</td></tr>" for a, b in headline_rows(item))
    classes = "".join(
        f"<tr><td>{name}</td>"
        + "".join(f"<td>{score_text(row[key])}</td>" for key in ("precision", "recall", "f1"))
        + f"<td>{row['support']:,}</td></tr>"
        for name, row in report.per_class.items()
    )
    sets = item.set_coverage()
    sentences = filter(None, [report.absent_words(), *item.part.left_out(), *item.part.remarks])
    remarks = "".join(f"<p>{html.escape(remark)}</p>" for remark in sentences)
    return (
        f"<h2>{html.escape(report.model)} on {html.escape(report.split)}</h2>"
        f"<p>{report.n:,} faces of {html.escape(item.part.name)}, averaged views: {report.tta}. Weights "
        f"{item.weights_sha256[:12]}, {date.today().isoformat()}.</p>{remarks}<table>{rows}</table>"
        f"<table><tr><th></th><th>precision</th><th>recall</th><th>F1</th><th>faces</th></tr>{classes}</table>"
        + (_sets(sets) if sets else "")
    )


def _sets(sets: Coverage) -> str:
    rows = "".join(
        f"<tr><td>{name}</td><td>{score_text(row['coverage'])}</td><td>{score_text(row['mean_size'])}</td>"
        f"<td>{row['support']:,}</td></tr>"
        for name, row in sets.per_class.items()
    )
    return (
        f"<h3>Prediction sets</h3><p>{sets_sentence(sets)} It is a promise about faces like FER2013's.</p>"
        f"<table><tr><th></th><th>truth in the set</th><th>expressions in a set</th><th>faces</th></tr>{rows}</table>"
    )


def _figures(item: Evaluation, stress: dict[str, list[StressPoint]] | None) -> list[tuple[str, go.Figure]]:
    at = item.risk.at(item.threshold)
    found = [
        ("Confusion matrix", charts.confusion(item.report.confusion_matrix)),
        ("Confusion matrix, rows in percent", charts.confusion(item.report.confusion_matrix, percent=True)),
        ("Reliability", charts.reliability_diagram(item.reliability)),
        ("Confidence", charts.confidence_histogram(item.reliability)),
        (
            f"Risk and coverage; sure from {item.threshold:.0%} on: {at[0]:.0%} answered, {at[1]:.1%} of those wrong",
            charts.risk_coverage_chart(item.risk.coverage, item.risk.risk, at),
        ),
        (
            "Precision and recall",
            charts.class_curves(precision_recall_curves(item.probabilities, item.labels), "recall", "precision"),
        ),
        ("ROC", charts.class_curves(roc_curves(item.probabilities, item.labels), "false positives", "recall")),
    ]
    if item.people:
        found.append(("The model beside people (FER+)", charts.people_chart(item.people.by_strength)))
    for condition in {point.condition: 1 for points in (stress or {}).values() for point in points}:
        found.append((f"Stress: {condition}", charts.stress_curves(stress or {}, condition)))
    return found


def _gallery(item: Evaluation) -> str:
    figures = []
    for row in item.confident_errors()[:GALLERY]:
        named = int(item.probabilities[row].argmax())
        words = f"{NAMES[item.labels[row]]}, named {NAMES[named]} {item.probabilities[row, named]:.0%}"
        figures.append(
            f"<figure><img alt='a face' src='{_picture(item.part.pixels[row])}'>"
            f"<figcaption>{words}</figcaption></figure>"
        )
    return f"<h3>Most confident mistakes</h3><div class='faces'>{''.join(figures)}</div>"


def _picture(face: NDArray[np.uint8]) -> str:
    return "data:image/png;base64," + base64.b64encode(cv2.imencode(".png", face)[1].tobytes()).decode()
