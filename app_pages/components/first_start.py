"""The first start: with no list published yet, the demo practice is built, with a progress bar, before any page runs."""

from __future__ import annotations

import streamlit as st

from app_pages.session import clock, workspace
from app_pages.session.markdown import escape_markdown
from pipelines.demo import build
from pipelines.errors import UserError
from pipelines.settings import Settings
from pipelines.warehouse import snapshots


def ensure_a_list() -> None:
    """Go on when there is a list to show; otherwise build the demo, or say how to make the first list, and stop."""
    try:
        place = workspace.workspace()
        if place.is_demo and not build.is_built(place.settings):
            _build_the_demo(place.settings)
        if place.is_demo:
            build.begin_clock(place.settings, clock.machine_now())
        if snapshots.current(place.settings.warehouse) is None:
            _say_how_to_run(place.settings)
    except UserError as error:
        st.error(escape_markdown(error), icon=":material/error:")
        st.stop()


def _build_the_demo(settings: Settings) -> None:
    st.title("Welcome to the Task Workbench")
    st.text(
        "No extracts are set up yet, so a made-up practice is being built: five weeks of its history, with its staff at work. This is done once."
    )
    bar = st.progress(0.0, text="Starting")
    build.build(
        settings, lambda share, doing: bar.progress(min(share, 1.0), text=escape_markdown(doing))
    )
    st.rerun()


def _say_how_to_run(settings: Settings) -> None:
    st.title("No list has been published yet")
    st.text("Run the pipeline once over the practice's extracts, then reload this page:")
    st.code(f"python -m pipelines run --extracts {settings.extracts or 'FOLDER'}", language="bash")
    st.stop()
