"""All charts of screens, notebooks and reports, in one theme. The only module that imports Plotly.

Colours differ for all kinds of colour blindness, and axes have titles. Callers say the same in
words beside the chart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
import plotly.graph_objects as go
import plotly.io
import plotly.offline

# The palette of Okabe and Ito, darkened where contrast to white is low; the last one is "other".
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#9A6A00", "#7B3294", "#56B4E9", "#B3446C", "#5A5A5A")
INK, GRID = "#0F2A33", "#E4EBEE"
HEAT = ("#F4F7F8", "#9CC9C4", "#0F766E", "#07403B")
MOST_SERIES = 7  # lines or bands of one chart
PATTERNS = ("", "", "/", ".", "x", "-", "+", "|")  # of arrivals, then of each group of ends
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")


def themed(figure: go.Figure, height: int = 320) -> go.Figure:
    """The figure in the theme; height in pixels."""
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
    """The themed figure as HTML for a page that has `script()`; `name` is unique in the page."""
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
    """Plotly's JavaScript, which draws the parts of a page offline."""
    return plotly.offline.get_plotlyjs()


def bars(rows: pd.DataFrame, x: str, series: Mapping[str, str], y_title: str) -> go.Figure:
    """Grouped bars over x, one colour per series (column → name)."""
    figure = go.Figure(
        [go.Bar(x=rows[x], y=rows[column], name=name) for column, name in series.items()]
    )
    figure.update_layout(barmode="group")
    figure.update_yaxes(title=y_title, rangemode="tozero", tickformat=",d")
    return figure


def bands(
    rows: pd.DataFrame, x: str, y: str, split: str, names: Mapping[str, str], y_title: str
) -> go.Figure:
    """Stacked bands over x, one per value of `split`, largest lowest, the smallest as "Other"."""
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
    """Lines over x, one colour and dash per series (column → name)."""
    figure = go.Figure()
    for number, (column, name) in enumerate(series.items()):
        line = {
            "dash": DASHES[number % len(DASHES)],
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
    """Counts by row and column as colours, with the number in each cell."""
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
    """A heatmap with clickable cells: invisible markers whose customdata is [row, column]."""
    cells = [(row, column) for row in range(len(y_titles)) for column in range(len(x_titles))]
    counts = shown.to_numpy()
    figure.update_traces(hoverinfo="skip", hovertemplate=None)
    figure.add_scatter(
        x=[x_titles[column] for _, column in cells],
        y=[y_titles[row] for row, _ in cells],
        customdata=[list(cell) for cell in cells],
        text=[
            f"{y_titles[row]}, {x_titles[column]}: {counts[row, column]:,}" for row, column in cells
        ],
        mode="markers",
        marker={"size": 6, "symbol": "square", "opacity": 0},
        selected={"marker": {"opacity": 0.4, "size": 32, "color": COLOURS[1]}},
        hovertemplate="%{text}<extra></extra>",
        showlegend=False,
    )
    # A click anywhere in a cell selects the nearest marker, the one of the cell.
    figure.update_layout(
        clickmode="event+select", dragmode=False, hovermode="closest", hoverdistance=100
    )
    figure.update_xaxes(range=[-0.5, len(x_titles) - 0.5], showgrid=False)
    figure.update_yaxes(range=[len(y_titles) - 0.5, -0.5], autorange=False, showgrid=False)
    return figure


def survival(
    curves: Mapping[str, pd.DataFrame], band: str | None, x_title: str, last_day: float
) -> go.Figure:
    """Stepped survival curves (name → Survival.curve), with the 95 % limits of `band`."""
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
    others = [name for name in curves if name != band]
    for number, name in enumerate([*([band] if band is not None else []), *others]):
        rows, line = (
            curves[name],
            {
                "shape": "hv",
                "width": 2,
                "color": COLOURS[number % len(COLOURS)],
                "dash": DASHES[number % len(DASHES)],
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
    """Horizontal bars, first row on top: grouped, or stacked as shares of each row."""
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
    """Stacked bars over x, one colour per value of `split`, largest lowest, the smallest as one.

    The customdata of a bar is [x, value]; the value is None for the smallest ones.
    """
    wide = rows.pivot_table(index=x, columns=split, values=y, aggfunc="sum", fill_value=0)
    wide = wide.reindex(rows[x].drop_duplicates())  # titles of days do not sort like days
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
    """Lines over categories of x; the customdata of a point is [x, column]."""
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
    """Arrivals (column, name) beside departures stacked by kind (column → name).

    The customdata of a bar is [x, column, count].
    """
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
                "pattern": {"shape": PATTERNS[number]},
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
