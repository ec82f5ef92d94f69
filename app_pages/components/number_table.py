"""A table of numbers in which one row at a time is ticked, and below it the ways to the tasks that this row counts."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping

import pandas as pd
import streamlit as st

from app_pages.components import number_links
from app_pages.session.markdown import caption, escape_markdown
from app_pages.url import view as url_view
from pipelines.worklist.filters import Filters

ROW_HEIGHT, MOST_PIXELS = 36, 471
Links = Iterable[
    tuple[str, int, Filters | None]
]  # what is counted, how many, and the filters that list them


def show(
    view: url_view.View,
    rows: pd.DataFrame,
    columns: Mapping[str, object],
    alt: str,
    links: Callable[[pd.Series], Links],
    *,
    name: str = "table",
) -> None:
    """The columns of the rows, `named` first; without a tick the links are those of the first row. Shift and Space tick by keyboard."""
    key = (
        f"{view.scope}.{name}."
        + hashlib.sha1(
            repr((view.query(), *rows["named"])).encode(), usedforsecurity=False
        ).hexdigest()[:16]
    )
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
        st.markdown(
            f"**{escape_markdown(row['named'])}** {caption('Its tasks; tick another row for others')}"
        )
        with st.container(horizontal=True):
            for label, number, wanted in counted:
                number_links.link(view, f"{label}: {number:,}", wanted)
            if not counted:
                st.text("No tasks")


def text(label: str, width: int = 190) -> object:
    """The column of names."""
    return st.column_config.TextColumn(label, width=width)


def number(
    label: str, tip: str | None = None, pattern: str = "localized", width: int | None = None
) -> object:
    """A column of numbers; `pattern` is Streamlit's format."""
    return st.column_config.NumberColumn(label, help=tip, format=pattern, width=width)
