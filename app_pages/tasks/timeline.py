"""What happened to tasks, in words: who, when, what, and why."""

from __future__ import annotations

import datetime as dt

import pandas as pd
import streamlit as st

from app_pages.session.markdown import caption, escape_markdown
from app_pages.session.times import local
from pipelines.vocabulary import EVENTS
from pipelines.worklist.worklist import Worklist


def when(worklist: Worklist, task: pd.Series, at: dt.datetime) -> str:
    """A moment in the time of the task's facility."""
    return f"{local(at, _zone(worklist, task['facility_id'])):%B %-d, %Y, %H:%M}"


def show(worklist: Worklist, patient_id: str, task_id: str) -> None:
    """The steps of one task and of those it came from or became, newest first."""
    events = worklist.history(patient_id)
    chain = {task_id, *events.loc[events["task_id"] == task_id, "linked_task_id"].dropna()}
    for _, event in events[events["task_id"].isin(chain)].iloc[::-1].iterrows():
        other = "" if event["task_id"] == task_id else f" ({escape_markdown(event['title'])})"
        with st.container(horizontal=True, gap="small"):
            st.markdown(
                caption(
                    f"{local(event['happened_at'], _zone(worklist, event['facility_id'])):%b %-d, %Y %H:%M}"
                ),
                width=150,
            )
            st.markdown(
                f"**{escape_markdown(EVENTS[event['event']])}**{other} · {escape_markdown(event['staff'])}{_detail(worklist, event)}",
                width="stretch",
            )


def table(worklist: Worklist, events: pd.DataFrame) -> pd.DataFrame:
    """The same for a whole patient, one row a step, newest first: when (facility's time), what, task, who, detail."""
    zones = dict(
        zip(*worklist.facilities()[["facility_id", "time_zone"]].to_numpy().T, strict=True)
    )
    rows = [
        {
            "When": local(event.happened_at, zones.get(event.facility_id, "UTC")).replace(
                tzinfo=None
            ),
            "What": EVENTS[event.event],
            "Task": event.title,
            "Who": event.staff,
            "Detail": _detail_text(event, zones.get(event.facility_id, "UTC")),
        }
        for event in events.iloc[::-1].itertuples()
    ]
    return pd.DataFrame(rows, columns=["When", "What", "Task", "Who", "Detail"])


def _detail(worklist: Worklist, event: pd.Series) -> str:
    text = _detail_text(event, _zone(worklist, event["facility_id"]))
    return f": {escape_markdown(text)}" if text else ""


def _detail_text(event: pd.Series, zone: str) -> str:
    parts = []
    if event.event == "deferred" and not pd.isna(event.deferred_until):
        parts.append(f"until {local(event.deferred_until, zone):%b %-d, %Y %H:%M}")
    if event.event in ("assigned", "owner_changed"):
        parts.append(
            f"to {event.to_staff or 'the record’s owner'}"
            if event.event == "assigned"
            else f"to {event.to_staff or 'nobody'}"
        )
    if isinstance(event.reason, str) and event.reason:
        parts.append(event.reason)
    return "; ".join(parts)


def _zone(worklist: Worklist, facility_id: str | None) -> str:
    rows = worklist.facilities()
    found = rows.loc[rows["facility_id"] == facility_id, "time_zone"]
    return "UTC" if found.empty else found.iloc[0]
