"""The charts of an evaluation: confusion, calibration, curves, stress."""

from __future__ import annotations

import html
from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from fer.expressions import COLORS, NAMES
from fer.visualization.figures import share_matrix, style

ACCENT, SECOND, REFERENCE = "#5B6EE1", "#D55E00", "#8A8A8A"


def confusion(
    matrix: Sequence[Sequence[int]], percent: bool = False, height: int = 420, dark: bool = False
) -> go.Figure:
    """Truth in rows, predictions in columns. Color shows the share of the row; a click selects a cell.

    Each cell has an invisible point with (truth, predicted) as customdata, since a heatmap cannot be selected. dark:
    whether the page is dark.
    """
    counts = np.asarray(matrix)
    share = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    text = [[f"{100 * s:.0f}%" if percent else f"{c:,}" for c, s in zip(*rows)] for rows in zip(counts, share)]
    figure = share_matrix(share.tolist(), text, height, dark)
    cells = [(truth, predicted) for truth in range(len(NAMES)) for predicted in range(len(NAMES))]
    figure.add_scatter(
        x=[NAMES[predicted] for _, predicted in cells],
        y=[NAMES[truth] for truth, _ in cells],
        mode="markers",
        marker={"size": 30, "symbol": "square-open", "opacity": 0, "color": SECOND, "line": {"width": 3}},
        customdata=cells,
        selected={"marker": {"opacity": 1}},
        unselected={"marker": {"opacity": 0}},
        hovertemplate=[
            f"{counts[t, p]:,} of {counts[t].sum():,} {NAMES[t]} faces ({100 * share[t, p]:.1f}%) predicted as "
            f"{NAMES[p]}<extra></extra>"
            for t, p in cells
        ],
    )
    return figure


def reliability_diagram(rows: list[dict], height: int = 320) -> go.Figure:
    """Accuracy against confidence; a calibrated model follows the line."""
    middle = [100 * (row["from"] + row["to"]) / 2 for row in rows]
    width = [100 * (row["to"] - row["from"]) * 0.92 for row in rows]
    figure = go.Figure(
        go.Bar(
            x=middle,
            y=[100 * row["accuracy"] for row in rows],
            width=width,
            marker_color=ACCENT,
            customdata=[(100 * row["confidence"], row["count"]) for row in rows],
            hovertemplate="%{customdata[1]:,} faces, mean confidence %{customdata[0]:.1f}%: %{y:.1f}% correct"
            "<extra></extra>",
        )
    )
    figure.add_scatter(x=[0, 100], y=[0, 100], mode="lines", line={"dash": "dot", "color": REFERENCE}, hoverinfo="skip")
    _percent_axes(figure, "confidence", "correct")
    return style(figure, height)


def confidence_histogram(rows: list[dict], height: int = 220) -> go.Figure:
    figure = go.Figure(
        go.Bar(
            x=[100 * (row["from"] + row["to"]) / 2 for row in rows],
            y=[row["count"] for row in rows],
            width=[100 * (row["to"] - row["from"]) * 0.92 for row in rows],
            marker_color=ACCENT,
            hovertemplate="%{y:,} faces<extra></extra>",
        )
    )
    figure.update_xaxes(title="confidence", ticksuffix="%", range=[0, 100], dtick=20, ticklabelstandoff=6)
    figure.update_yaxes(title="faces", ticklabelstandoff=6)
    return style(figure, height)


def risk_coverage_chart(
    coverage: np.ndarray, risk: np.ndarray, at: tuple[float, float], height: int = 320
) -> go.Figure:
    """The share of wrong answers by the share answered, with the threshold marked."""
    kept = np.unique(np.linspace(0, len(coverage) - 1, 300).round().astype(int))
    figure = go.Figure(
        go.Scatter(
            x=100 * coverage[kept],
            y=100 * risk[kept],
            mode="lines",
            line={"color": ACCENT, "width": 3},
            hovertemplate="%{x:.0f}% answered, %{y:.1f}% of these wrong<extra></extra>",
        )
    )
    figure.add_scatter(
        x=[100 * at[0]],
        y=[100 * at[1]],
        mode="markers",
        marker={"size": 13, "color": SECOND},
        hovertemplate="threshold: %{x:.0f}% answered, %{y:.1f}% wrong<extra></extra>",
    )
    _percent_axes(figure, "faces answered", "wrong answers")
    figure.update_yaxes(range=[0, max(100 * float(risk.max()) * 1.1, 5)], dtick=10)
    return style(figure, height)


def class_curves(curves: dict, x_title: str, y_title: str, height: int = 360) -> go.Figure:
    """One curve per class, named with its area."""
    figure = go.Figure()
    for name, curve in curves.items():
        figure.add_scatter(
            x=100 * curve.x,
            y=100 * curve.y,
            mode="lines",
            name=f"{name} {curve.area:.2f}",
            line={"color": COLORS[name], "width": 2.5},
            hovertemplate=f"{name}: {x_title} %{{x:.0f}}%, {y_title} %{{y:.0f}}%<extra></extra>",
        )
    _percent_axes(figure, x_title, y_title)
    return _with_legend(style(figure, height))


def stress_curves(series: dict[str, list], condition: str, height: int = 150) -> go.Figure:
    """The change in accuracy by strength, with its interval, one line per model: solid, then dotted.

    series: {model: StressPoints}. One of several small charts, all on the same axis so that conditions can be compared.
    """
    lowest = min((100 * point.low for points in series.values() for point in points), default=0)
    figure = go.Figure()
    for (name, points), color, dash in zip(series.items(), (ACCENT, SECOND), ("solid", "dot")):
        model = html.escape(name)  # Plotly interprets tags in names
        chosen = [point for point in points if point.condition == condition]
        x = [0, *(point.strength for point in chosen)]
        low, high = ([0, *(100 * getattr(point, side) for point in chosen)] for side in ("low", "high"))
        figure.add_scatter(
            x=x + x[::-1],
            y=high + low[::-1],
            fill="toself",
            fillcolor=color,
            opacity=0.18,
            line={"width": 0},
            hoverinfo="skip",
            showlegend=False,
        )
        figure.add_scatter(
            x=x,
            y=[0, *(100 * point.change for point in chosen)],
            mode="lines+markers",
            name=model,
            line={"color": color, "width": 2.5, "dash": dash},
            marker={"size": 5},
            hovertemplate=f"{model}, strength %{{x}}: %{{y:+.1f}} points<extra></extra>",
        )
    figure.update_xaxes(dtick=1, range=[-0.2, 5.2])
    figure.update_yaxes(range=[min(-20, lowest - 3), 6], dtick=20)
    return style(figure, height)


def people_chart(rows: list[dict], height: int = 300) -> go.Figure:
    """Correct answers of the model and of FER+'s majority, by how strongly people agree."""
    figure = go.Figure()
    for key, word, color in (("model", "the model", ACCENT), ("people", "FER+ majority", REFERENCE)):
        figure.add_bar(
            x=[row["agreement"].replace(" (", "<br>(") for row in rows],
            y=[100 * row[key] for row in rows],
            name=word,
            marker_color=color,
            customdata=[row["pictures"] for row in rows],
            hovertemplate=f"{word}: %{{y:.1f}}% correct on %{{customdata:,}} faces<extra></extra>",
        )
    figure.update_xaxes(tickangle=0)
    figure.update_yaxes(range=[0, 100], ticksuffix="%", dtick=20)
    return _with_legend(style(figure, height))


def _with_legend(figure: go.Figure) -> go.Figure:
    """Put the legend above the chart, and move the chart down for its lines: below, it would cover the axis."""
    legend = {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"}
    return figure.update_layout(showlegend=True, legend=legend)


def _percent_axes(figure: go.Figure, x_title: str, y_title: str) -> None:
    # Move labels off the axes: at the origin, the two zeros would touch.
    figure.update_xaxes(title=x_title, range=[0, 101], ticksuffix="%", dtick=20, ticklabelstandoff=6)
    figure.update_yaxes(title=y_title, range=[0, 101], ticksuffix="%", dtick=20, ticklabelstandoff=6)
