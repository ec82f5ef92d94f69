"""Tasks as short lines, each with its link and Dismiss: on the dashboard and a patient's page."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import streamlit as st

from app_pages.session import typed_rows, workspace
from app_pages.session.markdown import caption, escape_markdown
from app_pages.tasks import actions
from app_pages.tasks.task_row import TaskRow
from app_pages.url import view


def show(
    tasks: pd.DataFrame,
    group: str,
    query: Mapping[str, list[str]],
    page: str = "tasks",
    *,
    with_patient: bool = True,
) -> None:
    """One line a task of Worklist.tasks.

    The name links to `page` with the task's panel open. Dismiss completes the task, or asks for
    the reason of an override.
    """
    for task in typed_rows.read(TaskRow, tasks):
        name = escape_markdown(task.patient if with_patient else task.title)
        with st.container(horizontal=True, vertical_alignment="top", gap="small"):
            with st.container(gap="xxsmall"):
                st.page_link(
                    workspace.pages()[page],
                    label=f"**{name}**",
                    icon="",
                    query_params={**query, "task": [task.task_id]},
                )
                st.markdown(caption(_line(task)))
            if task.is_open:
                st.button(
                    "Dismiss",
                    key=f"cards.{group}.{task.task_id}",
                    icon=":material/close:",
                    type="tertiary",
                    on_click=view.touch(_dismiss),
                    args=(task.task_id, task.last_seq, task.manual == "override"),
                )


def _line(task: TaskRow) -> str:
    badge = ""
    if task.overdue and task.status == "pending":
        badge = ":red-badge[:material/schedule: Overdue] "
    elif task.status == "deferred":
        badge = f":gray-badge[:material/snooze: Back {task.returns_at:%b %-d, %H:%M}] "
    return f"{badge}{escape_markdown(task.reason)} · since {task.since:%b %-d, %Y}"


def _dismiss(task_id: str, seen: int, is_override: bool) -> None:
    if is_override:
        actions.ask("complete", {task_id: seen})
    else:
        actions.complete_one(task_id, seen)
