"""The trial of a source's choices: one job of the server, whose result belongs to the choices."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import streamlit as st

from app_pages.components import job_progress
from app_pages.connect import state
from app_pages.connect.state import Place
from app_pages.session import workspace
from app_pages.session.markdown import escape_markdown
from pipelines.operations import source_drop
from pipelines.operations.jobs import Job, JobSlot
from pipelines.operations.source_check import SourceCheck
from pipelines.sources import choices as choices_module
from pipelines.sources.choices import Choices


@dataclass
class Trials:
    """The one trial that goes on or was last made, and what it is of."""

    slot: JobSlot[SourceCheck]
    of: str = ""


@st.cache_resource(show_spinner=False)
def trials() -> Trials:
    """This server's trials."""
    return Trials(JobSlot())


def result(at: Place, choices: Choices) -> SourceCheck | None:
    """What would come of the choices; None while it is tried, which the page then shows."""
    made = trials()
    of = _key(at, choices)
    if made.slot.going is None and made.of != of:
        _start(at, choices)
    last = made.slot.last
    if last is None or not last.is_over:
        if last is not None:
            job_progress.show(last)
        return None
    if last.failed:
        st.error(escape_markdown(last.failed), icon=":material/error:")
        st.button(
            "Try again",
            key="connect.again",
            icon=":material/refresh:",
            on_click=state.action(_start),
            args=(at, choices),
        )
        return None
    return last.result


def _start(at: Place, choices: Choices) -> None:
    made = trials()
    source = choices_module.as_mapping(at.home, choices)
    check = partial(source_drop.check, at.settings, source, at.drop, choices.delivery)
    made.slot.start(Job(workspace.person().name, lambda job: job.call(check)))
    made.of = _key(at, choices)


def _key(at: Place, choices: Choices) -> str:
    found = source_drop.chosen(at.drop, choices.delivery)
    return f"{choices.name}\n{found.name}\n{found.state}\n{choices_module.text(choices)}"
