"""Refresh now, with its progress; the page can be left meanwhile, the run goes on."""

from __future__ import annotations

import streamlit as st

from app_pages.runs import refresh_job
from app_pages.session import workspace
from app_pages.session.markdown import escape_markdown
from app_pages.url import view
from pipelines.errors import UserError

PROBLEM = "refresh.problem"


def show() -> None:
    """The button, and what the last refresh is doing or came to."""
    last = refresh_job.refreshes().last
    is_going_on = last is not None and not last.is_over
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            "Refresh now",
            key="runs.refresh",
            type="primary",
            icon=":material/sync:",
            disabled=is_going_on,
            on_click=view.touch(_start),
        )
        st.text("Reads the newest extracts and publishes a new list. Everybody can go on working.")
    if problem := st.session_state.pop(PROBLEM, None):
        st.error(escape_markdown(problem), icon=":material/error:")
    if last is not None:
        _show_progress(last, is_going_on)


def _start() -> None:
    try:
        refresh_job.refreshes().start(workspace.person().name)
    except UserError as error:
        st.session_state[PROBLEM] = str(error)


def _show_progress(last: refresh_job.Refresh, was_going_on: bool) -> None:
    @st.fragment(run_every=0.7 if was_going_on else None)
    def progress() -> None:
        if was_going_on and last.is_over:
            st.rerun()
        if not last.is_over:
            st.progress(
                last.stage / len(refresh_job.STAGES),
                text=f"{last.doing.capitalize()} (started by {escape_markdown(last.by)})",
            )
        elif last.failed:
            st.error(
                f"The refresh did not publish a new list; the previous one stays. {escape_markdown(last.failed)}",
                icon=":material/error:",
            )
        else:
            st.success(
                f"A new list was published (started by {escape_markdown(last.by)}).",
                icon=":material/check_circle:",
            )

    progress()
