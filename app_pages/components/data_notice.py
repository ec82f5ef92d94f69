"""Notices about the data: its age, withheld task types, and whether it is the sample practice."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app_pages.session import labels, setup_roles, workspace
from app_pages.session.markdown import caption, escape_markdown
from app_pages.session.times import local_times
from app_pages.sign_in import pages
from pipelines.runs import history
from pipelines.runs.guards.model import age_in_words
from pipelines.runs.history import HeldGuard
from pipelines.settings import SAMPLE
from pipelines.warehouse import snapshots
from pipelines.worklist.worklist import Worklist

USE_REAL_DATA = """\
export WORKBENCH_EXTRACTS=/path/to/extracts
.venv/bin/python -m pipelines check
.venv/bin/python -m pipelines run
.venv/bin/streamlit run app.py"""


def show(worklist: Worklist, facility_ids: Sequence[str] = ()) -> None:
    """The time the data is of, and a warning of task types withheld in the newest run.

    The time is that of the given facilities, else of all.
    """
    facilities = facility_ids or worklist.facilities()["facility_id"].tolist()
    hours = int((worklist.at - worklist.state.as_of).total_seconds() // 3600)
    ago = (
        "less than an hour ago"
        if hours < 1
        else f"{hours} hours ago"
        if hours < 48
        else f"{hours // 24} days ago"
    )
    as_of = local_times(worklist, facilities, worklist.state.as_of)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(caption(f":material/update: Data as of {as_of} ({ago})"))
        if facility_ids:
            st.page_link(
                workspace.pages()["runs"], label="Runs and refresh", icon=":material/sync:"
            )
    withheld = history.withheld(worklist.con)
    if not withheld.empty:
        titles = ", ".join(escape_markdown(title) for title in withheld["title"])
        st.warning(
            f"Withheld in the newest run, so these lists stay as they were: {titles}. "
            "The Runs page says why.",
            icon=":material/pause_circle:",
        )
    show_held(worklist)


def show_held(worklist: Worklist) -> None:
    """A warning of what guards hold, because the newest delivery does not look right."""
    held = history.held_guards(worklist.con)
    if held:
        names = ", ".join(sorted({escape_markdown(guard.name) for guard in held}))
        alarms = [guard for guard in held if guard.is_alarm]
        (st.error if alarms else st.warning)(
            f"Held, because the newest delivery would change far more than usual: {names}. "
            "Nothing of it is closed or opened. On the Runs page, a manager can accept it."
            + _since(alarms, worklist),
            icon=":material/front_hand:",
        )


def _since(alarms: list[HeldGuard], worklist: Worklist) -> str:
    """For how long the oldest alarm has been there, if there is one."""
    if not alarms:
        return ""
    oldest = max(alarms, key=lambda guard: guard.runs)
    age = age_in_words(oldest.held_from, oldest.runs, worklist.state.as_of)
    return f" This has been so {age}: have the export corrected, or decide."


def show_limit(place: DeltaGenerator) -> None:
    """The facilities the person is limited to, if any; stop for one who is limited and has none."""
    if workspace.visible_facilities() is None:
        return
    own = labels.facilities(workspace.worklist())
    if own:
        place.markdown(
            caption(f":material/lock: Your facilities: {escape_markdown(', '.join(own.values()))}")
        )
    else:
        pages.no_facility()
        st.stop()


def show_demo() -> None:
    """A notice that this is sample data, and how to point the workbench at real extracts."""
    if not (workspace.workspace().is_demo or _is_sample()):
        return
    with st.container(horizontal=True, vertical_alignment="center", key="demo.notice"):
        st.markdown(
            ":orange-badge[:material/science: Sample practice] All patients here are made up.",
            width="stretch",
        )
        if setup_roles.may_connect(workspace.person().role):
            st.page_link(
                workspace.pages()["connect"], label="Use real data", icon=":material/cable:"
            )
            return
        with st.popover("Use real data", icon=":material/folder_open:"):
            st.text(
                "For whoever installs the workbench: stop it, go to its folder, name the folder "
                "where your EMR's extracts arrive, and start it again."
            )
            st.code(USE_REAL_DATA, language="bash")
            st.text(
                "The sample practice is kept in data/demo and never mixes with yours; "
                "you can delete that folder at any time."
            )


def _is_sample() -> bool:
    """Whether the newest run read data/sample, as it does when no extracts are named."""
    return _extracts_folder(
        str(snapshots.current(workspace.workspace().settings.warehouse))
    ) == str(SAMPLE)


@st.cache_data(max_entries=5, show_spinner=False)
def _extracts_folder(snapshot: str) -> str | None:
    return history.extracts_folder(workspace.worklist().con)
