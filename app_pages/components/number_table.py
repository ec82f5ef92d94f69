"""A table of numbers with one ticked row, and the links to the tasks that this row counts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import pandas as pd
import streamlit as st
from streamlit.elements.lib.column_types import ColumnConfig

from app_pages.components import number_links, widget_key
from app_pages.session.markdown import caption, escape_markdown
from app_pages.url import view as url_view
from pipelines.worklist.filters import Filters

ROW_HEIGHT, MOST_PIXELS = 36, 471
# What is counted, how many there are, and the filters that list them (None: no list has them).
Links = Iterable[tuple[str, int, Filters | None]]
Columns = Mapping[str, ColumnConfig]


def show(
    view: url_view.View,
    rows: pd.DataFrame,
    columns: Columns,
    alt: str,
    links: Callable[[pd.Series], Links],
    *,
    name: str = "table",
) -> None:
    """The columns of the rows, `named` first; without a tick the links are those of the first row.

    Shift and Space tick a row by keyboard.
    """
    key = widget_key.of_content(f"{view.scope}.{name}", (view.query(), *rows["named"]))
    st.session_state[f"{view.scope}.{name}"] = key
    chosen = st.session_state.get(key, {}).get("selection", {}).get("rows", [])
    place = next((number for number in chosen if number < len(rows)), 0)
    st.dataframe(
        rows[list(columns)],
        key=key,
        on_select=url_view.touch(),
        selection_mode="single-row",
        hide_index=True,
        lazy=False,
        row_height=ROW_HEIGHT,
        height=min(ROW_HEIGHT * (len(rows) + 1) + 3, MOST_PIXELS),
        placeholder="",
        alt=alt,
        column_config=dict(columns),
    )
    _show_links(view, rows.iloc[place], links(rows.iloc[place]))


def _show_links(view: url_view.View, row: pd.Series, links: Links) -> None:
    counted = [
        (label, number, wanted) for label, number, wanted in links if number and wanted is not None
    ]
    with st.container(border=True, gap="small"):
        hint = caption("Its tasks; tick another row for others")
        st.markdown(f"**{escape_markdown(row['named'])}** {hint}")
        with st.container(horizontal=True):
            for label, number, wanted in counted:
                number_links.link(view, f"{label}: {number:,}", wanted)
            if not counted:
                st.text("No tasks")


def text(label: str, width: int = 190, tip: str | None = None) -> ColumnConfig:
    """The column of a text."""
    return st.column_config.TextColumn(label, width=width, help=tip)


def number(
    label: str, tip: str | None = None, pattern: str = "localized", width: int | None = None
) -> ColumnConfig:
    """The column of a number; `pattern` is Streamlit's format."""
    return st.column_config.NumberColumn(label, help=tip, format=pattern, width=width)
