"""Training charts: curves, recall, confusion, comparison, class counts. Knows nothing of PyTorch."""

from __future__ import annotations

import html
import math
from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from fer.expressions import COLORS, NAMES
from fer.records import EpochRecord
from fer.visualization.figures import share_matrix, style

TRAINING, VALIDATION, BEST = "#8A8FA3", "#5B6EE1", "#E69F00"
RUN_COLORS = ("#5B6EE1", "#D55E00", "#009E73", "#CC79A7", "#E69F00")
LOG_FROM = 10.0  # ratio of largest to smallest loss from which a linear axis would flatten the small ones
LEGEND = {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0, "xanchor": "left"}


def curves(records: Sequence[EpochRecord], what: str, height: int = 280) -> go.Figure:
    """`accuracy` (in percent) or `loss` of both splits over the epochs, with the best epoch marked by a star."""
    factor, unit = (100, "%") if what == "accuracy" else (1, "")
    figure, epochs = go.Figure(), [record.epoch for record in records]
    for split, color, dash in (("train", TRAINING, "dot"), ("validation", VALIDATION, "solid")):
        figure.add_scatter(
            x=epochs,
            y=[factor * getattr(record, f"{split}_{what}") for record in records],
            name=_name(split),
            mode="lines+markers" if len(records) < 30 else "lines",
            line={"color": color, "dash": dash, "width": 2.5},
            marker={"size": 6},
            hovertemplate="epoch %{x}: %{y:.2f}" + unit,
        )
    if best := best_record(records):
        figure.add_scatter(
            x=[best.epoch],
            y=[factor * getattr(best, f"validation_{what}")],
            name="best epoch",
            mode="markers",
            marker={"symbol": "star", "size": 15, "color": BEST, "line": {"width": 1, "color": "#1B1E2B"}},
            hovertemplate="best epoch %{x}: %{y:.2f}" + unit,
        )
    figure = _over_epochs(figure, height, unit, len(records))
    if what == "loss":
        _scale_losses(figure, [loss for record in records for loss in (record.train_loss, record.validation_loss)])
    return figure


def single(records: Sequence[EpochRecord], what: str, height: int = 200) -> go.Figure:
    """One number over the epochs: `learning_rate` or `macro_f1`."""
    figure = go.Figure(
        go.Scatter(
            x=[record.epoch for record in records],
            y=[getattr(record, what) for record in records],
            name=what,
            mode="lines+markers" if len(records) < 30 else "lines",
            line={"color": VALIDATION, "width": 2.5},
            hovertemplate="epoch %{x}: %{y:.4g}<extra></extra>",
        )
    )
    figure = _over_epochs(figure, height, "", len(records))
    figure.update_yaxes(rangemode="tozero")
    if what == "macro_f1":
        figure.update_yaxes(range=[0, 1.04])
    return figure.update_layout(showlegend=False, margin={"t": 8})


def recall_strip(records: Sequence[EpochRecord], height: int = 250) -> go.Figure:
    """Per-class recall as a heatmap: one row per class, one column per epoch, 0 to 100%."""
    figure = go.Figure(
        go.Heatmap(
            x=[record.epoch for record in records],
            y=list(NAMES),
            z=[[100 * record.recall[index] for record in records] for index in range(len(NAMES))],
            zmin=0,
            zmax=100,
            colorscale="Viridis",
            xgap=1,
            ygap=2,
            colorbar={"ticksuffix": "%", "thickness": 10, "outlinewidth": 0},
            hovertemplate="%{y}, epoch %{x}: %{z:.0f}%<extra></extra>",
        )
    )
    figure.update_yaxes(autorange="reversed", showgrid=False)
    figure.update_xaxes(title="epoch", showgrid=False, dtick=max(len(records) // 8, 1))
    return style(figure, height)


def confusion(record: EpochRecord, height: int = 340, dark: bool = False) -> go.Figure:
    """Shares of each true class (rows) by predicted class, in percent; hovering shows the counts."""
    shares = [[count / max(sum(row), 1) for count in row] for row in record.confusion_matrix]
    figure = share_matrix(shares, [[f"{100 * share:.0f}" for share in row] for row in shares], height, dark)
    return figure.update_traces(
        customdata=record.confusion_matrix,
        hoverinfo=None,
        hovertemplate="labeled %{y}, predicted %{x}: %{z:.1%} (%{customdata})<extra></extra>",
    )


def comparison(
    runs: Mapping[str, Sequence[EpochRecord]], what: str = "validation_accuracy", height: int = 340
) -> go.Figure:
    """One line per run: validation accuracy in percent, or validation loss."""
    factor, unit = (100, "%") if what.endswith("accuracy") else (1, "")
    figure = go.Figure()
    dashes = ("solid", "dash", "dot", "dashdot", "longdash")
    for (name, records), color, dash in zip(runs.items(), RUN_COLORS, dashes, strict=False):
        figure.add_scatter(
            x=[record.epoch for record in records],
            y=[factor * getattr(record, what) for record in records],
            name=html.escape(name),
            mode="lines",
            line={"color": color, "dash": dash, "width": 2.5},
            hovertemplate="epoch %{x}: %{y:.2f}" + unit,
        )
    figure = _over_epochs(figure, height, unit, max((len(records) for records in runs.values()), default=1))
    if what.endswith("loss"):
        _scale_losses(figure, [getattr(record, what) for records in runs.values() for record in records])
    return figure.update_layout(legend={"orientation": "h", "y": -0.25, "yanchor": "top", "x": 0})


def class_counts(counts: dict[str, dict[str, int]], labels: dict[str, str], height: int = 260) -> go.Figure:
    """Pictures per class, with one group of bars per split, distinguished by shade and pattern."""
    figure = go.Figure()
    looks = {"Training": (1.0, ""), "PublicTest": (0.7, "/"), "PrivateTest": (0.45, ".")}
    for split, classes in counts.items():
        opacity, pattern = looks[split]
        figure.add_bar(
            x=list(classes),
            y=list(classes.values()),
            name=labels[split],
            opacity=opacity,
            marker={"color": [COLORS[name] for name in classes], "pattern": {"shape": pattern}},
            hovertemplate="%{x}, " + labels[split] + ": %{y} pictures<extra></extra>",
        )
    figure.update_yaxes(title="pictures")
    figure = style(figure, height)
    return figure.update_layout(showlegend=True, legend=LEGEND, margin={"t": 30}, bargap=0.2)


def best_record(records: Sequence[EpochRecord]) -> EpochRecord | None:
    return next((record for record in reversed(records) if record.best), None)


def _name(split: str) -> str:
    return "training" if split == "train" else split


def _scale_losses(figure: go.Figure, losses: Sequence[float]) -> None:
    """An axis that clips no loss: from 0, or logarithmic if some are many times larger than others."""
    there = [loss for loss in losses if math.isfinite(loss) and loss > 0]
    if not there:
        return
    low, high = min(there), max(there)
    if high < LOG_FROM * low:
        figure.update_yaxes(range=[0, 1.05 * high])
        return
    bottom, top = math.log10(low / 1.15), math.log10(high * 1.15)
    ticks = [step * 10.0**power for power in range(math.floor(bottom), math.ceil(top)) for step in (1, 2, 5)]
    ticks = [tick for tick in ticks if bottom <= math.log10(tick) <= top]
    figure.update_yaxes(
        type="log", range=[bottom, top], tickvals=ticks, ticktext=[f"{tick:g}" for tick in ticks], title="log scale"
    )


def _over_epochs(figure: go.Figure, height: int, unit: str, count: int) -> go.Figure:
    figure.update_xaxes(
        title="epoch", showgrid=False, rangemode="tozero" if count < 2 else "normal", dtick=1 if count <= 12 else None
    )
    figure.update_yaxes(ticksuffix=unit, gridcolor="rgba(128,128,128,0.2)", zeroline=False)
    figure = style(figure, height)
    return figure.update_layout(
        showlegend=True, legend=LEGEND, margin={"t": 30}, uirevision="stay", hovermode="x unified"
    )
