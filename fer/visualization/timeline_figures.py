"""Expressions over time: who showed what when, how often, and what followed what."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from fer.expressions import COLORS, NAMES, UNSURE_COLOR
from fer.inference.recording import shares, transitions
from fer.records import NOT_SURE, FaceRecord
from fer.visualization.figures import style

MOST_PEOPLE = 8
GAP_S = 1.0  # a line is broken where a person was away for longer
MOST_POINTS = 600  # a line: more cannot be told apart on a screen


def people(rows: Sequence[FaceRecord]) -> list[int]:
    """The people of these rows, those seen most often first, at most MOST_PEOPLE."""
    counts: dict[int, int] = {}
    for row in rows:
        counts[row.person] = counts.get(row.person, 0) + 1
    return sorted(counts, key=lambda person: (-counts[person], person))[:MOST_PEOPLE]


def probability_lines(rows: Sequence[FaceRecord], start_s: float, end_s: float, height: int = 230) -> go.Figure:
    """One person's seven probabilities over seconds, 0 to 100%."""
    step = max(len(rows) // MOST_POINTS, 1)
    kept = rows[::step]
    times: list[float | None] = []
    values: list[tuple[float | None, ...]] = []
    for index, row in enumerate(kept):
        if index and row.time_s - kept[index - 1].time_s > GAP_S:
            times.append(None)
            values.append((None,) * len(NAMES))
        times.append(round(row.time_s, 2))
        values.append(tuple(round(100 * p, 1) for p in row.prediction.probabilities))
    figure = go.Figure(
        [
            go.Scatter(
                x=times,
                y=[value[index] for value in values],
                name=name,
                mode="lines",
                connectgaps=False,
                line={"color": COLORS[name], "width": 2},
                hovertemplate="%{x:.1f} s, " + name + " %{y:.0f}%<extra></extra>",
            )
            for index, name in enumerate(NAMES)
        ]
    )
    figure.update_xaxes(range=[start_s, end_s], ticksuffix=" s", showgrid=False, zeroline=False)
    figure.update_yaxes(range=[0, 102], ticksuffix="%", zeroline=False, nticks=5)
    return _with_legend(style(figure, height))


def expression_bands(rows: Sequence[FaceRecord], start_s: float, end_s: float) -> go.Figure:
    """A band a person, colored by what was told at each time; gray where it was not sure."""
    shown = people(rows)
    figure, named = go.Figure(), set()
    for place, person in enumerate(shown):
        for name, begin, end in _stretches([row for row in rows if row.person == person]):
            figure.add_bar(
                x=[max(end - begin, 0.05)],
                base=[begin],
                y=[place],
                orientation="h",
                width=0.6,
                name=name,
                legendgroup=name,
                showlegend=name not in named,
                marker={
                    "color": COLORS.get(name, UNSURE_COLOR),
                    "opacity": 0.45 if name == NOT_SURE else 1,
                    "line": {"width": 0},
                },
                hovertemplate=f"person {person}: {name}, {begin:.1f} to {end:.1f} s<extra></extra>",
            )
            named.add(name)
    figure.update_xaxes(range=[start_s, end_s], ticksuffix=" s", showgrid=False, zeroline=False)
    figure.update_yaxes(
        tickvals=list(range(len(shown))), ticktext=[f"person {person}" for person in shown], autorange="reversed"
    )
    figure.update_layout(barmode="overlay")
    return _with_legend(style(figure, 110 + 36 * max(len(shown), 1)))


def share_bars(rows: Sequence[FaceRecord], height: int = 270) -> go.Figure:
    """The share of each expression, and of "not sure"."""
    found = shares(rows)
    names = [*NAMES, NOT_SURE]
    percent = [100 * found.get(name, 0.0) for name in names]
    figure = go.Figure(
        go.Bar(
            x=percent,
            y=names,
            orientation="h",
            marker_color=[COLORS.get(name, UNSURE_COLOR) for name in names],
            text=[f"{p:.0f}%" for p in percent],
            textposition="outside",
            cliponaxis=False,
            hovertemplate="%{y}: %{x:.1f}% of the readings<extra></extra>",
        )
    )
    figure.update_xaxes(range=[0, 112], showticklabels=False, showgrid=False, zeroline=False)
    figure.update_yaxes(autorange="reversed", ticklabelstandoff=6)
    return style(figure, height)


def transition_table(rows: Sequence[FaceRecord]) -> list[dict[str, object]]:
    """What followed what and how often, the most frequent first."""
    found = sorted(transitions(rows).items(), key=lambda item: (-item[1], item[0]))
    return [{"from": before, "to": after, "times": count} for (before, after), count in found]


def _stretches(rows: Sequence[FaceRecord]) -> list[tuple[str, float, float]]:
    """What one person was told to show, from when to when, without a gap longer than GAP_S."""
    found: list[tuple[str, float, float]] = []
    for row in rows:
        name = row.prediction.answer
        if found and row.time_s - found[-1][2] <= GAP_S:
            last, begin, _ = found[-1]
            found[-1] = (last, begin, row.time_s)
            if last != name:
                found.append((name, row.time_s, row.time_s))
        else:
            found.append((name, row.time_s, row.time_s))
    return found


def _with_legend(figure: go.Figure) -> go.Figure:
    figure.update_layout(
        showlegend=True,
        legend={
            "orientation": "h",
            "y": -0.28,
            "x": 0,
            "itemclick": False,
            "itemdoubleclick": False,
            "title": {"text": ""},
        },
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
        bargap=0.1,
    )
    return figure
