"""The first start: where no list was published yet, build the demo practice before any page runs.

The demo is built by one job of the server, so a page that is left or reloaded finds it going on.
"""

from __future__ import annotations

from functools import partial

import streamlit as st

from app_pages.components import job_progress
from app_pages.session import clock, workspace
from app_pages.session.markdown import escape_markdown
from pipelines.demo import build
from pipelines.errors import UserError
from pipelines.ledger import belonging
from pipelines.operations.jobs import Job, JobSlot
from pipelines.settings import Settings
from pipelines.warehouse import snapshots


def ensure_a_list() -> None:
    """Return when there is a list to show; otherwise show the first start's page and stop."""
    try:
        place = workspace.workspace()
        if place.is_demo and not build.is_built(place.settings):
            _show_the_build(place.settings)
        if place.is_demo:
            build.begin_clock(place.settings, clock.machine_now())
        if snapshots.current(place.settings.warehouse) is None:
            if belonging.has_actions(place.settings):
                belonging.open_own_ledger(place.settings).close()  # says that the lists are gone
            _say_how_to_run(place.settings)
    except UserError as error:
        st.error(escape_markdown(error), icon=":material/error:")
        st.stop()


@st.cache_resource(show_spinner=False)
def demo_builds() -> JobSlot[None]:
    """This server's builds of the demo practice."""
    return JobSlot()


def _show_the_build(settings: Settings) -> None:
    st.title("Welcome to the Task Workbench")
    st.text(
        "No data of your practice is connected yet, so a made-up practice is being set up: five "
        "weeks of its history, with its staff at work. This is done once. "
        "You can leave or reload this page meanwhile."
    )
    last = demo_builds().last
    if last is not None and last.failed:
        st.error(
            f"The made-up practice could not be set up. {escape_markdown(last.failed)}",
            icon=":material/error:",
        )
        st.button(
            "Try again",
            key="first_start.again",
            type="primary",
            icon=":material/refresh:",
            on_click=_try_again,
            args=(settings,),
        )
    else:
        job_progress.show(_start(settings))
    st.stop()


def _try_again(settings: Settings) -> None:
    _start(settings)


def _start(settings: Settings) -> Job[None]:
    """Start the build, or join the one that is going on."""
    build_demo = partial(build.build, settings, first_day=build.FIRST_DAY)
    return demo_builds().start(Job("", lambda job: job.call(build_demo)))


def _say_how_to_run(settings: Settings) -> None:
    st.title("No list has been published yet")
    st.text(
        "Whoever looks after the workbench publishes the first list with this command, in the "
        "folder of the workbench. Then reload this page."
    )
    st.code(
        f".venv/bin/python -m pipelines run --extracts {settings.extracts or 'FOLDER'}",
        language="bash",
    )
    st.stop()
