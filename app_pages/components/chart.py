"""A chart on a page, with what it shows in words below it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from app_pages.session.markdown import caption, escape_markdown
from pipelines.analytics import charts

if TYPE_CHECKING:
    from plotly.graph_objects import Figure


def show(
    figure: Figure, alt: str, key: str, *, on_select: object = "ignore", height: int = 320
) -> object:
    """Draw it in the workbench's theme; `alt` says what it shows for who cannot see it. Answers what was clicked where that is asked for."""
    themed = charts.themed(figure, height)
    config = {"displayModeBar": False, "showTips": False}
    chosen = st.plotly_chart(
        themed,
        key=key,
        theme=None,
        on_select=on_select,
        selection_mode="points",
        config=config,
        alt=alt,
    )
    st.markdown(caption(escape_markdown(alt)))
    return chosen
