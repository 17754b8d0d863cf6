"""The evaluation as one HTML file that opens anywhere, without a network."""

from __future__ import annotations

import base64
import html
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import plotly.graph_objects as go
from plotly.offline import get_plotlyjs

from fer.data.report import split_label
from fer.errors import FerError
from fer.evaluation.curves import precision_recall_curves, roc_curves
from fer.evaluation.evaluation import GALLERY, Evaluation
from fer.evaluation.robustness import stress_sentence, worst_first
from fer.evaluation.tables import ANSWER_COLUMNS, answer_rows, headline_rows, score_text, sets_sentence, share_text
from fer.expressions import NAMES
from fer.files import replace_file
from fer.models.card import DRAWINGS
from fer.preprocessing import TTA_WORDS
from fer.visualization import evaluation_figures as charts
from fer.visualization.figures import CONFIG
from fer.wording import count_of, percent

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fer.evaluation.prediction_sets import Coverage
    from fer.evaluation.robustness import StressPoint

STRESS_AXES = (
    "Measured with one view of each face. Each chart: strength, 0 (clean) to 5, against the change in accuracy in "
    "points; shaded: 95% interval."
)
STYLE = """body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1B1E2B}
table{border-collapse:collapse;margin:1rem 0}td,th{padding:.3rem .8rem;text-align:right;border-bottom:1px solid #dde0ea}
td:first-child,th:first-child{text-align:left}.faces{display:flex;flex-wrap:wrap;gap:.8rem}
figure{margin:0;width:96px;font-size:.75rem}figure img{width:96px;image-rendering:pixelated;border-radius:6px}
.charts{display:grid;grid-template-columns:repeat(auto-fill,minmax(10rem,1fr));gap:1rem}h4{margin:0;font-size:.9rem}
@media(max-width:30rem){td,th{padding:.3rem .4rem;font-size:.85rem}}"""


def render_report(studies: list[Evaluation], stress: dict[str, list[StressPoint]] | None = None) -> str:
    """HTML with one section per evaluation and interactive charts; names are escaped."""
    parts = []
    for item in studies:
        parts.append(_headline(item))
        for title, figure in _figures(item):
            parts.append(f"<h3>{html.escape(title)}</h3>{_chart(figure)}")
        if stress:
            parts.append(_stress(stress))
        parts.append(_gallery(item))
    parts.insert(0, f"<script>{get_plotlyjs()}</script>")
    return (
        f"<!doctype html><html lang='en'><meta charset='utf-8'><meta name='viewport' "
        f"content='width=device-width'><title>FER Studio: evaluation</title><style>{STYLE}</style>"
        f"<h1>Evaluation</h1>{''.join(parts)}</html>"
    )


def write_report(path: Path, studies: list[Evaluation], stress: dict[str, list[StressPoint]] | None = None) -> None:
    """Raises FerError if the file cannot be written."""
    try:
        replace_file(path, render_report(studies, stress))
    except OSError as error:
        raise FerError(f"The report could not be written to {path.name}: {error.strerror}.") from None


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
    drawings = f"The model {DRAWINGS}." if item.from_drawings else ""
    sentences = filter(None, [drawings, report.absent_words(), *item.part.left_out(), *item.part.remarks])
    remarks = "".join(f"<p>{html.escape(remark)}</p>" for remark in sentences)
    return (
        f"<h2>{html.escape(item.title or report.model)} on {split_label(report.split, item.part.name)}</h2>"
        f"<p>{count_of(report.n, 'face')} from {html.escape(item.part.name)}, {TTA_WORDS[report.tta]}. Weights "
        f"{item.weights_sha256[:12]}, {date.today().isoformat()}.</p>{remarks}<table>{rows}</table>"
        f"<table><tr><th></th><th>precision</th><th>recall</th><th>F1</th><th>faces</th></tr>{classes}</table>"
        + _answers(item)
        + (_sets(sets) if sets else "")
    )


def _answers(item: Evaluation) -> str:
    heads = "".join(f"<th>{column}</th>" for column in ANSWER_COLUMNS)
    rows = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in answer_rows(item.answers()))
    return (
        f"<h3>How far to rely on each answer</h3><p>How often it is right when given at "
        f"{percent(item.threshold)} or more, the confidence from which the model is sure.</p>"
        f"<table><tr>{heads}</tr>{rows}</table>"
    )


def _sets(sets: Coverage) -> str:
    rows = "".join(
        f"<tr><td>{name}</td><td>{share_text(row['coverage'])}</td><td>{score_text(row['mean_size'])}</td>"
        f"<td>{row['support']:,}</td></tr>"
        for name, row in sets.per_class.items()
    )
    return (
        f"<h3>Prediction sets</h3><p>{sets_sentence(sets)} The level applies to faces like FER2013's.</p>"
        f"<table><tr><th></th><th>coverage</th><th>expressions per set</th><th>faces</th></tr>{rows}</table>"
    )


def _chart(figure: go.Figure) -> str:
    chart: str = figure.to_html(full_html=False, include_plotlyjs=False, config=CONFIG)
    return chart


def _stress(stress: dict[str, list[StressPoint]]) -> str:
    """A sentence per model, then a small chart per condition, ordered by the first model's loss of accuracy."""
    sentences = "".join(
        f"<p>{html.escape(model)}: {html.escape(stress_sentence(points))}</p>" for model, points in stress.items()
    )
    small = "".join(
        f"<div><h4>{html.escape(condition)}</h4>{_chart(charts.stress_curves(stress, condition))}</div>"
        for condition in worst_first(next(iter(stress.values())))
    )
    return f"<h3>Stress</h3>{sentences}<p>{STRESS_AXES}</p><div class='charts'>{small}</div>"


def _figures(item: Evaluation) -> list[tuple[str, go.Figure]]:
    at = item.risk.at(item.threshold)
    found = [
        ("Confusion matrix", charts.confusion(item.report.confusion_matrix)),
        ("Confusion matrix, rows in percent", charts.confusion(item.report.confusion_matrix, percent=True)),
        ("Reliability", charts.reliability_diagram(item.reliability)),
        ("Confidence", charts.confidence_histogram(item.reliability)),
        (
            f"Risk and coverage: at a threshold of {percent(item.threshold)}, {percent(at[0])} of the faces get an "
            f"answer, and {percent(at[1], 1)} of these answers are wrong",
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
    return found


def _gallery(item: Evaluation) -> str:
    figures = []
    for row in item.confident_errors()[:GALLERY]:
        predicted = int(item.probabilities[row].argmax())
        words = (
            f"labeled {NAMES[item.labels[row]]}, predicted {NAMES[predicted]} "
            f"{percent(float(item.probabilities[row, predicted]))}"
        )
        figures.append(
            f"<figure><img alt='a face' src='{_picture(item.part.pixels[row])}'>"
            f"<figcaption>{words}</figcaption></figure>"
        )
    return f"<h3>Most confident mistakes</h3><div class='faces'>{''.join(figures)}</div>"


def _picture(face: NDArray[np.uint8]) -> str:
    return "data:image/png;base64," + base64.b64encode(cv2.imencode(".png", face)[1].tobytes()).decode()
