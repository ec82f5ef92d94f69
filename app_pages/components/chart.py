"""A chart on a page, described in words below it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

import streamlit as st

from app_pages.session.markdown import caption, escape_markdown
from pipelines.analytics import charts

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

CONFIG = {"displayModeBar": False, "showTips": False}
Clicked = tuple[str | int | None, ...]  # the customdata of a mark, as the figure set it


def show(figure: Figure, alt: str, key: str, *, height: int = 320) -> None:
    """Draw the figure in the workbench's theme; `alt` describes it in words."""
    themed = charts.themed(figure, height)
    st.plotly_chart(themed, key=key, theme=None, config=CONFIG, alt=alt)
    st.markdown(caption(escape_markdown(alt)))


def show_clickable(
    figure: Figure,
    alt: str,
    key: str,
    *,
    on_select: Literal["rerun"] | Callable[..., None] = "rerun",
    height: int = 320,
) -> Clicked | None:
    """Draw the figure; answers the customdata of the mark that was clicked, None without one."""
    state = st.plotly_chart(
        charts.themed(figure, height),
        key=key,
        theme=None,
        on_select=on_select,
        selection_mode="points",
        config=CONFIG,
        alt=alt,
    )
    st.markdown(caption(escape_markdown(alt)))
    points = state["selection"]["points"] if state else []
    return tuple(points[0]["customdata"]) if points else None
