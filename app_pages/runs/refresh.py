"""Refresh: the nightly run, started from the screen while people go on working."""

from __future__ import annotations

import datetime as dt

import streamlit as st

from app_pages.components import job_progress
from app_pages.session import workspace
from app_pages.session.markdown import escape_markdown
from app_pages.session.workspace import Workspace
from app_pages.url import view
from pipelines.demo import build
from pipelines.errors import UserError
from pipelines.operations.jobs import Job, JobSlot
from pipelines.runs import run

PROBLEM = "refresh.problem"
STAGES = {stage: words.capitalize() for stage, words in run.STAGES.items()}
NO_EXTRACTS = (
    "The workbench does not know where the practice's data arrives. "
    "Ask whoever looks after the workbench to set it up (README, “Your own data”)."
)


def show() -> None:
    """The button, and the progress or the outcome of the last refresh."""
    going, last = refreshes().going, refreshes().last
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            "Refresh now",
            key="runs.refresh",
            type="primary",
            icon=":material/sync:",
            disabled=going is not None,
            on_click=view.touch(start),
        )
        st.text("Reads the newest extracts and publishes a new list. Everybody can go on working.")
    if problem := st.session_state.pop(PROBLEM, None):
        st.error(escape_markdown(problem), icon=":material/error:")
    if going is not None:
        job_progress.show(going, words=STAGES)
    elif last is not None and last.failed:
        st.error(
            "The refresh did not publish a new list; the previous one stays. "
            f"{escape_markdown(last.failed)}",
            icon=":material/error:",
        )
    elif last is not None:
        st.success(
            f"A new list was published (started by {escape_markdown(last.by)}).",
            icon=":material/check_circle:",
        )


@st.cache_resource(show_spinner=False)
def refreshes() -> JobSlot[None]:
    """This server's refreshes; the run's own lock refuses those of another server."""
    return JobSlot()


def start(go_live: dt.date | None = None) -> None:
    """Start a refresh, or join the one that is going on; `go_live` sets the practice's start."""
    try:
        person, place, at = workspace.person(), workspace.workspace(), workspace.now()
        if not place.is_demo and place.settings.extracts is None:
            raise UserError(NO_EXTRACTS)
        refreshes().start(Job(person.name, lambda job: _run(job, place, at, go_live)))
    except UserError as error:
        st.session_state[PROBLEM] = str(error)


def _run(job: Job[None], place: Workspace, at: dt.datetime, go_live: dt.date | None) -> None:
    folder = build.extend(place.settings, at) if place.is_demo else place.settings.extracts
    begins = ["--go-live", go_live.isoformat()] if go_live is not None else []
    # A clock that is moved on purpose may be ahead of the machine's.
    force = ["--force"] if place.moved_by is not None else []
    arguments = ["run", "--extracts", str(folder), "--as-of", at.isoformat(), *force, *begins]
    job.run_command(place.settings, arguments)
