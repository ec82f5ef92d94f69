"""Every chart of screens, notebooks and reports, one theme: colours that the colour-blind tell apart, and axes with their units.

The only module that imports Plotly. A chart answers a question its place asks, and who cannot see it is told the same in words.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
import plotly.graph_objects as go
import plotly.io
import plotly.offline

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


def part(figure: go.Figure, name: str, height: int = 320) -> str:
    """The figure in the workbench's theme as a part of an HTML page that holds `script()` once; `name` is unique in the page."""
    return plotly.io.to_html(
        themed(figure, height),
        config={"displayModeBar": False, "responsive": True},
        include_plotlyjs=False,
        include_mathjax=False,
        full_html=False,
        default_height=f"{height}px",
        div_id=name,
    )


def script() -> str:
    """Plotly's own JavaScript, which draws the parts of a page without loading anything."""
    return plotly.offline.get_plotlyjs()


def bars(rows: pd.DataFrame, x: str, series: Mapping[str, str], y_title: str) -> go.Figure:
    """Bars side by side over x, one colour a series (column → name)."""
    figure = go.Figure(
        [go.Bar(x=rows[x], y=rows[column], name=name) for column, name in series.items()]
    )
    figure.update_layout(barmode="group")
    figure.update_yaxes(title=y_title, rangemode="tozero", tickformat=",d")
    return figure


def bands(
    rows: pd.DataFrame, x: str, y: str, split: str, names: Mapping[str, str], y_title: str
) -> go.Figure:
    """Bands stacked over x, one a value of `split`, the largest lowest; beyond MOST_SERIES they are one, "Other"."""
    figure = go.Figure()
    wide = rows.pivot_table(index=x, columns=split, values=y, aggfunc="sum", fill_value=0)
    order = wide.sum().sort_values(ascending=False).index.tolist()
    for number, value in enumerate(order[:MOST_SERIES]):
        colour = COLOURS[number % len(COLOURS)]
        figure.add_scatter(
            x=wide.index,
            y=wide[value],
            name=names.get(value, value),
            stackgroup="all",
            mode="lines",
            line={"width": 1, "color": colour},
        )
    if len(order) > MOST_SERIES:
        rest = wide[order[MOST_SERIES:]].sum(axis=1)
        figure.add_scatter(
            x=wide.index,
            y=rest,
            name="Other",
            stackgroup="all",
            mode="lines",
            line={"width": 1, "color": COLOURS[-1]},
        )
    figure.update_yaxes(title=y_title, rangemode="tozero", tickformat=",d")
    return figure


def lines(
    rows: pd.DataFrame,
    x: str,
    series: Mapping[str, str],
    x_title: str,
    y_title: str,
    *,
    is_step: bool = False,
) -> go.Figure:
    """Lines over x, one a series (column → name); dashes tell them apart where colours do not."""
    dashes = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
    figure = go.Figure()
    for number, (column, name) in enumerate(series.items()):
        line = {
            "dash": dashes[number % len(dashes)],
            "shape": "hv" if is_step else "linear",
            "width": 2,
        }
        figure.add_scatter(x=rows[x], y=rows[column], name=name, mode="lines", line=line)
    figure.update_xaxes(title=x_title)
    figure.update_yaxes(title=y_title, rangemode="tozero")
    return figure


def heatmap(
    values: pd.DataFrame, x_titles: Sequence[str], y_titles: Sequence[str], unit: str
) -> go.Figure:
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


def clickable(
    figure: go.Figure, x_titles: Sequence[str], y_titles: Sequence[str], shown: pd.DataFrame
) -> go.Figure:
    """A heatmap whose cells can be clicked: an unseen mark in the middle of each, which answers [row, column] as its customdata."""
    cells = [(row, column) for row in range(len(y_titles)) for column in range(len(x_titles))]
    figure.update_traces(hoverinfo="skip", hovertemplate=None)
    figure.add_scatter(
        x=[x_titles[column] for _, column in cells],
        y=[y_titles[row] for row, _ in cells],
        customdata=[list(cell) for cell in cells],
        text=[
            f"{y_titles[row]}, {x_titles[column]}: {shown.iat[row, column]:,}"
            for row, column in cells
        ],
        mode="markers",
        marker={"size": 6, "symbol": "square", "opacity": 0},
        selected={"marker": {"opacity": 0.4, "size": 32, "color": COLOURS[1]}},
        hovertemplate="%{text}<extra></extra>",
        showlegend=False,
    )
    # Whatever part of a cell is clicked, its middle is the nearest.
    figure.update_layout(
        clickmode="event+select", dragmode=False, hovermode="closest", hoverdistance=100
    )
    figure.update_xaxes(range=[-0.5, len(x_titles) - 0.5], showgrid=False)
    figure.update_yaxes(range=[len(y_titles) - 0.5, -0.5], autorange=False, showgrid=False)
    return figure


def survival(
    curves: Mapping[str, pd.DataFrame], band: str | None, x_title: str, last_day: float
) -> go.Figure:
    """The share of tasks still open by days, one stepped line a name, with the 95 percent band of one of them; see measures.Survival."""
    figure = go.Figure()
    if band is not None:
        rows, line = curves[band], {"shape": "hv", "width": 0, "color": COLOURS[0]}
        figure.add_scatter(
            x=rows["days"],
            y=rows["lower"],
            mode="lines",
            line=line,
            hoverinfo="skip",
            showlegend=False,
        )
        figure.add_scatter(
            x=rows["days"],
            y=rows["upper"],
            mode="lines",
            line=line,
            fill="tonexty",
            fillcolor="rgba(0, 114, 178, 0.15)",
            hoverinfo="skip",
            name=f"95% limits of {band}",
        )
    dashes = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot", "solid")
    others = [name for name in curves if name != band]
    for number, name in enumerate([*([band] if band is not None else []), *others]):
        rows, line = (
            curves[name],
            {
                "shape": "hv",
                "width": 2,
                "color": COLOURS[number % len(COLOURS)],
                "dash": dashes[number % len(dashes)],
            },
        )
        hover = "%{y:.0%} still open after %{x:,.0f} days<extra>" + name + "</extra>"
        figure.add_scatter(
            x=rows["days"], y=rows["share"], mode="lines", name=name, line=line, hovertemplate=hover
        )
    figure.update_xaxes(title={"text": x_title, "standoff": 6}, range=[0, last_day])
    figure.update_yaxes(title="Share still open", range=[0, 1.02], tickformat=".0%")
    return figure


def bars_across(
    rows: pd.DataFrame, y: str, series: Mapping[str, str], x_title: str, *, is_share: bool = False
) -> go.Figure:
    """Horizontal bars, first row on top: side by side, or as shares of each row stacked to the whole."""
    whole = rows[list(series)].sum(axis=1).replace(0, 1)
    figure = go.Figure()
    for number, (column, name) in enumerate(series.items()):
        share = (rows[column] / whole).astype(float)
        figure.add_bar(
            x=share if is_share else rows[column],
            y=rows[y],
            name=name,
            orientation="h",
            marker={"color": COLOURS[number % len(COLOURS)]},
            text=[f"{part:.0%}" if part >= 0.06 else "" for part in share] if is_share else None,
            textangle=0,
            insidetextanchor="middle",
            customdata=rows[[column]],
            hovertemplate="%{y}: %{customdata[0]:,}<extra>" + name + "</extra>",
        )
    figure.update_layout(barmode="stack" if is_share else "group", legend={"traceorder": "normal"})
    figure.update_yaxes(autorange="reversed")
    figure.update_xaxes(
        title={"text": x_title, "standoff": 6},
        rangemode="tozero",
        tickformat=".0%" if is_share else None,
    )
    return figure


def stacked(
    rows: pd.DataFrame, x: str, y: str, split: str, names: Mapping[str, str], y_title: str
) -> go.Figure:
    """Bars stacked over x, one colour a value of `split`, the largest lowest, the rest as one; each answers [x, value of the split] when clicked."""
    wide = rows.pivot_table(index=x, columns=split, values=y, aggfunc="sum", fill_value=0)
    wide = wide.reindex(
        rows[x].drop_duplicates()
    )  # in the order of the rows: titles of days do not sort as days do
    order = wide.sum().sort_values(ascending=False).index.tolist()
    figure = go.Figure()
    for number, value in enumerate(order[:MOST_SERIES]):
        name = names.get(value, value)
        figure.add_bar(
            x=wide.index,
            y=wide[value],
            name=name,
            marker={"color": COLOURS[number % len(COLOURS)]},
            customdata=[[day, value] for day in wide.index],
            hovertemplate="%{x}: %{y:,}<extra>" + name + "</extra>",
        )
    if len(order) > MOST_SERIES:
        rest = wide[order[MOST_SERIES:]].sum(axis=1)
        name = f"{len(order) - MOST_SERIES} others"
        figure.add_bar(
            x=wide.index,
            y=rest,
            name=name,
            marker={"color": COLOURS[-1]},
            customdata=[[day, None] for day in wide.index],
            hovertemplate="%{x}: %{y:,}<extra>" + name + "</extra>",
        )
    figure.update_layout(barmode="stack", clickmode="event+select", dragmode=False)
    figure.update_xaxes(type="category")
    figure.update_yaxes(title=y_title, rangemode="tozero", tickformat=",d")
    return figure


def lines_to_click(
    rows: pd.DataFrame, x: str, series: Mapping[str, str], y_title: str
) -> go.Figure:
    """Lines over categories of x, one a series (column → name); a point answers [x, column] when clicked."""
    figure = lines(rows, x, series, "", y_title)
    for trace, column in zip(figure.data, series, strict=True):
        trace.update(
            mode="lines+markers",
            customdata=[[day, column] for day in rows[x]],
            hovertemplate="%{x}: %{y:,}<extra>" + series[column] + "</extra>",
        )
    figure.update_layout(clickmode="event+select", dragmode=False, hovermode="closest")
    return figure.update_xaxes(type="category")


def in_and_out(
    rows: pd.DataFrame, x: str, came: tuple[str, str], went: Mapping[str, str], y_title: str
) -> go.Figure:
    """What came in beside what went out, the latter stacked by how (column → name); a bar answers [x, column] when clicked."""
    figure = go.Figure()
    for number, (column, name) in enumerate({came[0]: came[1], **went}.items()):
        figure.add_bar(
            x=rows[x],
            y=rows[column],
            name=name,
            offsetgroup=0 if number == 0 else 1,
            base=None if number < 2 else rows[list(went)[: number - 1]].sum(axis=1),
            marker={
                "color": COLOURS[number],
                "pattern": {"shape": ("", "", "/", ".", "x", "-")[number]},
            },
            customdata=[
                [day, column, int(count)] for day, count in zip(rows[x], rows[column], strict=True)
            ],
            hovertemplate="%{x}: %{customdata[2]:,}<extra>" + name + "</extra>",
        )
    figure.update_layout(barmode="group", clickmode="event+select", dragmode=False)
    figure.update_xaxes(type="category")
    figure.update_yaxes(title=y_title, rangemode="tozero", tickformat=",d")
    return figure
