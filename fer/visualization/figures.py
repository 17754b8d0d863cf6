"""Plotly charts in one style. Knows nothing of PyTorch."""

from __future__ import annotations

from collections.abc import Sequence

# Plotly looks for pandas in sys.modules: half imported by another thread on a new server, it broke the first chart.
import pandas  # noqa: F401
import plotly.graph_objects as go

from fer.expressions import COLORS, NAMES
from fer.visualization.palettes import ink_on

CONFIG = {"displayModeBar": False, "responsive": True}

# Text color in charts: Streamlit replaces it with the theme's first chart color, readable on light and dark
# (.streamlit/config.toml; Streamlit's own gray has a contrast of 3.7 on white). Elsewhere it is black.
WORDS = "#000001"
# Colors of a confusion matrix from none to all of a row, on light and dark pages (.streamlit/config.toml).
SHARES = {False: ("#EEF0FA", "#26338A"), True: ("#1E2230", "#A9B5FF")}


def style(figure: go.Figure, height: int) -> go.Figure:
    """Apply the common style: transparent background for light and dark pages, small margins, fixed axes."""
    figure.update_layout(
        height=height,
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
        showlegend=False,
        bargap=0.28,
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        dragmode=False,
        hoverlabel={"namelength": -1},
        font_color=WORDS,
        legend_font_color=WORDS,
    )
    words = {"tickfont_color": WORDS, "title_font_color": WORDS}
    figure.update_xaxes(fixedrange=True, automargin=True, **words)
    figure.update_yaxes(fixedrange=True, automargin=True, **words)
    return figure


def probability_bars(probabilities: tuple[float, ...], height: int = 250) -> go.Figure:
    """Seven bars, always in the same order and from 0 to 100%, so that faces can be compared at a glance."""
    percent = [100 * p for p in probabilities]
    figure = go.Figure(
        go.Bar(
            x=percent,
            y=list(NAMES),
            orientation="h",
            marker_color=[COLORS[name] for name in NAMES],
            text=[f"{p:.0f}%" for p in percent],
            textposition="outside",
            cliponaxis=False,
            hovertemplate="%{y}: %{x:.1f}%<extra></extra>",
        )
    )
    figure.update_xaxes(range=[0, 112], showticklabels=False, showgrid=False, zeroline=False)
    figure.update_yaxes(autorange="reversed", tickfont={"size": 14}, ticklabelstandoff=6)
    return style(figure, height)


def share_matrix(
    shares: Sequence[Sequence[float]], text: Sequence[Sequence[str]], height: int, dark: bool = False
) -> go.Figure:
    """A confusion matrix with truth in rows. shares: (7, 7), of each row, 0..1, for the colors. text: of the cells.

    dark: whether the page is dark.
    """
    ends = SHARES[dark]
    figure = go.Figure(
        go.Heatmap(
            z=shares,
            x=list(NAMES),
            y=list(NAMES),
            zmin=0,
            zmax=1,
            colorscale=[[0, ends[0]], [1, ends[1]]],
            showscale=False,
            xgap=3,
            ygap=3,
            hoverinfo="skip",
        )
    )
    for truth, row in zip(NAMES, zip(shares, text, strict=True), strict=True):
        for predicted, share, words in zip(NAMES, *row, strict=True):
            # Not the heatmap's own text: on intermediate colors, Plotly's choice has a contrast below 4.5.
            ink = ink_on(_between(ends, share))
            figure.add_annotation(x=predicted, y=truth, text=words, showarrow=False, font={"color": ink})
    last = len(NAMES) - 0.5  # the cells fill the chart, without a margin for the points on them
    figure.update_yaxes(range=[last, -0.5], title="labeled", showgrid=False, ticks="")
    figure.update_xaxes(range=[-0.5, last], title="predicted", side="bottom", tickangle=-45, showgrid=False, ticks="")
    return style(figure, height)


def _between(ends: tuple[str, str], share: float) -> str:
    low, high = (bytes.fromhex(color[1:]) for color in ends)
    return "#" + bytes(round(a + (b - a) * share) for a, b in zip(low, high, strict=True)).hex()
