"""Charts of an explanation, in the style of figures.py. Knows nothing of PyTorch."""

from __future__ import annotations

import plotly.graph_objects as go

from fer.records import Curves
from fer.visualization.figures import style

FOR, RANDOM, EXPECTED = "#0072B2", "#8A8A8A", "#E69F00"


def curve_chart(found: Curves, baseline: Curves, kind: str, height: int = 260) -> go.Figure:
    """The probability by the share of the picture deleted or inserted, beside random orders."""
    percent = [100 * fraction for fraction in found.fractions]
    figure = go.Figure()
    for values, name, color, dash in (
        (getattr(baseline, kind), "at random", RANDOM, "dot"),
        (getattr(found, kind), "as the map marks", FOR, "solid"),
    ):
        figure.add_scatter(
            x=percent,
            y=[100 * p for p in values],
            name=name,
            mode="lines",
            line={"color": color, "dash": dash, "width": 3},
            hovertemplate="%{x:.0f}% of the picture: %{y:.1f}%",
        )
    figure = style(figure, height)
    figure.update_layout(
        showlegend=True,
        hovermode="x",
        legend={"orientation": "h", "y": 1.0, "yanchor": "bottom"},
        margin={"l": 8, "r": 8, "t": 36, "b": 8},
    )
    figure.update_xaxes(
        title="% of the picture removed" if kind == "deletion" else "% of the picture shown",
        range=[0, 100],
        showgrid=False,
    )
    figure.update_yaxes(title="probability, %", range=[0, 104], gridcolor="rgba(128,128,128,0.2)")
    return figure


def region_bars(shares: dict[str, float], areas: dict[str, float], expected: set[str], height: int = 270) -> go.Figure:
    """A map's share in each region, with a tick at an even map's share; expected regions are marked."""
    names = [f"{name} \u2022" if name in expected else name for name in shares]
    values = [100 * share for share in shares.values()]
    figure = go.Figure(
        go.Bar(
            x=values,
            y=names,
            orientation="h",
            marker_color=[EXPECTED if name in expected else FOR for name in shares],
            hovertemplate="%{y}: %{x:.1f}% of the map<extra></extra>",
        )
    )
    end = max(*values, *(100 * area for area in areas.values())) * 1.2 + 4
    _ticks(
        figure, [100 * areas[name] for name in shares], values, names, [f"{value:.0f}%" for value in values], end / 10
    )
    figure.update_xaxes(range=[0, end], showticklabels=False, showgrid=False, zeroline=False)
    figure.update_yaxes(autorange="reversed", tickfont={"size": 14}, ticklabelstandoff=6)
    return style(figure, height)


def _ticks(
    figure: go.Figure, ticks: list[float], bars: list[float], names: list[str], labels: list[str], label_width: float
) -> None:
    """A gray tick for each bar, and the bar's number at its end, or beyond a tick that would cross it.

    label_width: a number's width, in units of the axis.
    """
    starts = [tick if bar <= tick < bar + label_width else bar for tick, bar in zip(ticks, bars, strict=True)]
    figure.add_scatter(
        x=ticks,
        y=names,
        mode="markers",
        hoverinfo="skip",
        marker={"symbol": "line-ns", "size": 16, "line": {"width": 2, "color": RANDOM}},
    )
    figure.add_scatter(
        x=[start + 1 for start in starts],
        y=names,
        mode="text",
        text=labels,
        textposition="middle right",
        hoverinfo="skip",
        cliponaxis=False,
    )
