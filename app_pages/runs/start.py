"""The practice's start: what was set aside, bringing it in, and the start that a run proposes."""

from __future__ import annotations

import datetime as dt

import pandas as pd
import streamlit as st
from streamlit.elements.lib.column_types import ColumnConfig

from app_pages.runs import refresh
from app_pages.session import workspace
from app_pages.session.markdown import escape_markdown
from app_pages.url import view
from pipelines.errors import UserError
from pipelines.runs import bring_in, history, managers
from pipelines.runs.bring_in import Group
from pipelines.worklist.worklist import Worklist

CHOSEN, PROBLEM, DONE = "runs.group", "runs.bring_in.problem", "runs.bring_in.done"
GROUPS: dict[str, ColumnConfig | str | None] = {
    "title": "Task type",
    "facility": "Facility",
    "tasks": st.column_config.NumberColumn("Tasks set aside", format="localized"),
    "oldest_on": st.column_config.DateColumn("Oldest due", format="MMM D, YYYY"),
    "state": "",
}


def show(worklist: Worklist) -> None:
    """What the newest run set aside because it fell due before the practice began, if anything."""
    start = history.start(worklist.con)
    groups = bring_in.groups(worklist, workspace.workspace().shared.ledger)
    if start.proposed is not None:
        _show_proposal(worklist, start)
    if problem := st.session_state.pop(PROBLEM, None):
        st.error(escape_markdown(problem), icon=":material/error:")
    if done := st.session_state.pop(DONE, None):
        st.success(escape_markdown(done), icon=":material/check_circle:")
    if not groups:
        return
    tasks = sum(group.tasks.tasks for group in groups)
    st.subheader("Set aside at the start")
    begun = start.go_live
    on = f" on {begun:%b} {begun.day}, {begun.year}" if begun else ""
    st.markdown(
        f"**{tasks:,} tasks** fell due before the practice began to work with the list{on}, "
        "so they are not on it."
    )
    st.dataframe(
        pd.DataFrame([_row(group) for group in groups]),
        hide_index=True,
        row_height=36,
        placeholder="",
        alt=f"{tasks:,} tasks set aside, by task type and facility",
        column_config=GROUPS,
    )
    _show_button(worklist, [group for group in groups if not group.is_brought_in])


def _row(group: Group) -> dict[str, object]:
    return {
        "title": group.tasks.title,
        "facility": group.tasks.facility or "",
        "tasks": group.tasks.tasks,
        "oldest_on": group.tasks.oldest_on,
        "state": "Comes with the next refresh" if group.is_brought_in else "",
    }


def _show_button(worklist: Worklist, groups: list[Group]) -> None:
    if not managers.is_manager(worklist, workspace.person().role):
        roles = " or ".join(worklist.settings.manager_roles) or "Nobody"
        st.info(f"{roles} can bring these tasks in.", icon=":material/lock:")
        return
    if not groups:
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.selectbox(
            "Tasks to bring in",
            groups,
            format_func=lambda group: f"{group.name} ({group.tasks.tasks:,})",
            key=CHOSEN,
            width=420,
        )
        st.button(
            "Bring in",
            key="runs.bring_in",
            icon=":material/playlist_add:",
            on_click=view.touch(_bring_in),
            help="They open with the next refresh. Your name and the time are recorded.",
        )


def _bring_in() -> None:
    """Record that the person brings in the chosen group."""
    group: Group | None = st.session_state.get(CHOSEN)
    if group is None:
        return
    try:
        person = workspace.person()
        with workspace.worklist() as worklist:
            bring_in.bring_in(
                worklist,
                workspace.workspace().shared.ledger,
                person.staff_id,
                group.tasks.rule_id,
                group.tasks.facility_id,
            )
    except UserError as error:
        st.session_state[PROBLEM] = str(error)
    else:
        st.session_state[DONE] = (
            f"{group.name}: {group.tasks.tasks:,} tasks come with the next refresh."
        )


def _show_proposal(worklist: Worklist, start: history.Start) -> None:
    """The start that the first run proposes, as long as nobody has worked with its list."""
    day = start.proposed
    if day is None or workspace.workspace().shared.ledger.last_seq() > 0:
        return
    st.warning(
        f"{start.old_tasks:,} tasks of this first list fell due more than {start.history_days} "
        "days ago. A practice that begins to work with the list now can set aside what came "
        "before; a manager can bring it in later.",
        icon=":material/flag:",
    )
    if managers.is_manager(worklist, workspace.person().role):
        st.button(
            f"Begin on {day:%b} {day.day}",
            key="runs.begin",
            icon=":material/flag:",
            disabled=refresh.refreshes().going is not None,
            on_click=view.touch(_begin),
            args=(day,),
            help="Makes the list anew without what fell due before.",
        )


def _begin(day: dt.date) -> None:
    refresh.start(day)
