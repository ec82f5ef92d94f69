"""Numbers that lead to their tasks: a card with the number as a link, and tables whose cells are."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pandas as pd
import streamlit as st

from app_pages.ui import task_view, url_state, workspace
from app_pages.ui.plain import plain, quiet
from pipelines.worklist import Filters

ROW_HEIGHT, MOST_PIXELS = 36, 400
ADVICE = "Click a number, or move to it and press Enter, for its tasks."


def card(label: str, number: str, wanted: Filters | None, at: str | None, note: str = "") -> None:
    """A number with its name and a note; a link to the tasks it counts, where it counts tasks."""
    with st.container(border=True, gap="xxsmall", height="stretch"):
        if wanted is None:
            st.markdown(f"{plain(label)}: **{plain(number)}**")
        else:
            st.page_link(workspace.pages()["tasks"], label=f"{plain(label)}: **{plain(number)}**", query_params=task_view.query_of(wanted, at))
        if note:
            st.markdown(quiet(plain(note)))


def table(
    rows: pd.DataFrame,
    key: str,
    alt: str,
    links: Mapping[str, Callable[[pd.Series], Filters]],
    at: str | None,
    column_config: Mapping[str, object],
) -> None:
    """A table; a cell of a column in `links` leads to the tasks that the column's function names for its row."""
    st.markdown(quiet(ADVICE))
    event = st.dataframe(
        rows[[name for name in column_config if name in rows.columns]],
        key=key,
        on_select=url_state.touch(),
        selection_mode="single-cell",
        hide_index=True,
        lazy=False,
        row_height=ROW_HEIGHT,
        height=min(ROW_HEIGHT * (len(rows) + 1) + 3, MOST_PIXELS),
        placeholder="",
        alt=alt,
        column_config=column_config,
    )
    for row, column in event.selection.cells[:1]:
        if column in links and row < len(rows):
            go(links[column](rows.iloc[row]), at)


def go(wanted: Filters, at: str | None) -> None:
    """To the Tasks page with these tasks."""
    st.switch_page(workspace.pages()["tasks"], query_params=task_view.query_of(wanted, at))
