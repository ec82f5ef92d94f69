"""Every chart of screens, notebooks and reports, one theme: colours that the colour-blind tell apart, and axes with their units.

The only module that imports Plotly. A chart answers a question its place asks, and who cannot see it is told the same in words.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
import plotly.graph_objects as go

# Okabe and Ito's colours, which all kinds of colour blindness tell apart, darkened where white would swallow them; "other" is grey.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#9A6A00", "#7B3294", "#56B4E9", "#B3446C", "#5A5A5A")
INK, GRID = "#0F2A33", "#E4EBEE"
HEAT = ("#F4F7F8", "#9CC9C4", "#0F766E", "#07403B")
MOST_SERIES = 7  # more lines or bands than that nobody can follow


def themed(figure: go.Figure, height: int = 320) -> go.Figure:
    """The figure in the workbench's theme, so many pixels high."""
    figure.update_layout(
        height=height,
        margin={"l": 10, "r": 10, "t": 10, "b": 10},
        font={"color": INK, "size": 13},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        legend={"orientation": "h", "y": -0.2},
        hoverlabel={"font": {"size": 13}},
        colorway=COLOURS,
    )
    figure.update_xaxes(gridcolor=GRID, zerolinecolor=GRID, automargin=True)
    figure.update_yaxes(gridcolor=GRID, zerolinecolor=GRID, automargin=True)
    return figure


def bars(rows: pd.DataFrame, x: str, series: Mapping[str, str], y_title: str) -> go.Figure:
    """Bars side by side over x, one colour a series (column → name)."""
    figure = go.Figure([go.Bar(x=rows[x], y=rows[column], name=name) for column, name in series.items()])
    figure.update_layout(barmode="group")
    figure.update_yaxes(title=y_title, rangemode="tozero", tickformat=",d")
    return figure


def bands(rows: pd.DataFrame, x: str, y: str, split: str, names: Mapping[str, str], y_title: str) -> go.Figure:
    """Bands stacked over x, one a value of `split`, the largest lowest; beyond MOST_SERIES they are one, "Other"."""
    figure = go.Figure()
    wide = rows.pivot_table(index=x, columns=split, values=y, aggfunc="sum", fill_value=0)
    order = wide.sum().sort_values(ascending=False).index.tolist()
    for number, value in enumerate(order[:MOST_SERIES]):
        colour = COLOURS[number % len(COLOURS)]
        figure.add_scatter(
            x=wide.index, y=wide[value], name=names.get(value, value), stackgroup="all", mode="lines", line={"width": 1, "color": colour}
        )
    if len(order) > MOST_SERIES:
        rest = wide[order[MOST_SERIES:]].sum(axis=1)
        figure.add_scatter(x=wide.index, y=rest, name="Other", stackgroup="all", mode="lines", line={"width": 1, "color": COLOURS[-1]})
    figure.update_yaxes(title=y_title, rangemode="tozero", tickformat=",d")
    return figure


def lines(rows: pd.DataFrame, x: str, series: Mapping[str, str], x_title: str, y_title: str, *, is_step: bool = False) -> go.Figure:
    """Lines over x, one a series (column → name); dashes tell them apart where colours do not."""
    dashes = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
    figure = go.Figure()
    for number, (column, name) in enumerate(series.items()):
        line = {"dash": dashes[number % len(dashes)], "shape": "hv" if is_step else "linear", "width": 2}
        figure.add_scatter(x=rows[x], y=rows[column], name=name, mode="lines", line=line)
    figure.update_xaxes(title=x_title)
    figure.update_yaxes(title=y_title, rangemode="tozero")
    return figure


def heatmap(values: pd.DataFrame, x_titles: Sequence[str], y_titles: Sequence[str], unit: str) -> go.Figure:
    """Counts by row and column, the number written in each cell, so that the colour says nothing alone."""
    figure = go.Figure(
        go.Heatmap(
            z=values.to_numpy(),
            x=list(x_titles),
            y=list(y_titles),
            text=[[f"{value:,}" if value else "" for value in row] for row in values.to_numpy()],
            texttemplate="%{text}",
            colorscale=[[place / (len(HEAT) - 1), colour] for place, colour in enumerate(HEAT)],
            showscale=False,
            hovertemplate="%{y}, %{x}: %{z:,} " + unit + "<extra></extra>",
            xgap=2,
            ygap=2,
        )
    )
    figure.update_yaxes(autorange="reversed")
    return figure
