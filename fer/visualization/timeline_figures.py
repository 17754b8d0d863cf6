"""Charts of expressions over time: who showed which expression when, how often, and in which order."""

from __future__ import annotations

import math
from collections.abc import Sequence

import plotly.graph_objects as go

from fer.expressions import COLORS, NAMES, UNSURE_COLOR
from fer.inference.recording import shares, transitions
from fer.inference.timeline import Person
from fer.records import NOT_SURE, FaceRecord
from fer.visualization.figures import style
from fer.wording import percent

MOST_POINTS = 600  # per line; a screen cannot show more


def probability_lines(person: Person, start_s: float, end_s: float, height: int = 230) -> go.Figure:
    """One person's seven probabilities over seconds, 0 to 100%, with a gap where the person was away."""
    step = math.ceil(len(person.rows) / MOST_POINTS)
    times: list[float | None] = []
    values: list[tuple[float | None, ...]] = []
    for rows, left_s in person.visits:
        if times:
            times.append(None)
            values.append((None,) * len(NAMES))
        times += [round(time_s, 2) for time_s in (*(row.time_s for row in rows[::step]), left_s)]
        values += [tuple(round(100 * p, 1) for p in row.prediction.probabilities) for row in (*rows[::step], rows[-1])]
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


def expression_bands(people: Sequence[Person], start_s: float, end_s: float) -> go.Figure:
    """One band per person, in this order, colored by the answer at each time; gray if not sure."""
    figure, named = go.Figure(), set()
    for place, person in enumerate(people):
        for name, begin, end in person.stretches:
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
                hovertemplate=f"{person.label}: {name}, {begin:.1f} to {end:.1f} s<extra></extra>",
            )
            named.add(name)
    figure.update_xaxes(range=[start_s, end_s], ticksuffix=" s", showgrid=False, zeroline=False)
    figure.update_yaxes(
        tickvals=list(range(len(people))), ticktext=[person.label for person in people], autorange="reversed"
    )
    figure.update_layout(barmode="overlay")
    return _with_legend(style(figure, 110 + 36 * max(len(people), 1)))


def share_bars(rows: Sequence[FaceRecord], height: int = 270) -> go.Figure:
    """The share of each expression, and of "not sure"."""
    found = shares(rows)
    names = [*NAMES, NOT_SURE]
    told = [found.get(name, 0.0) for name in names]
    figure = go.Figure(
        go.Bar(
            x=[100 * share for share in told],
            y=names,
            orientation="h",
            marker_color=[COLORS.get(name, UNSURE_COLOR) for name in names],
            text=[percent(share) for share in told],
            textposition="outside",
            cliponaxis=False,
            hovertemplate="%{y}: %{x:.1f}% of the readings<extra></extra>",
        )
    )
    figure.update_xaxes(range=[0, 112], showticklabels=False, showgrid=False, zeroline=False)
    figure.update_yaxes(autorange="reversed", ticklabelstandoff=6)
    return style(figure, height)


def transition_table(rows: Sequence[FaceRecord]) -> list[dict[str, object]]:
    """How often one expression followed another, most frequent first."""
    found = sorted(transitions(rows).items(), key=lambda item: (-item[1], item[0]))
    return [{"from": before, "to": after, "times": count} for (before, after), count in found]


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
