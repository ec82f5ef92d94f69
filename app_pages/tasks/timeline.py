"""What happened to tasks, in words: who, when, what, and why."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import NamedTuple

import pandas as pd
import streamlit as st

from app_pages.session import typed_rows
from app_pages.session.markdown import caption, escape_markdown
from app_pages.session.times import local
from pipelines.vocabulary import EVENTS
from pipelines.worklist.worklist import Worklist

HEADINGS = ("When", "What", "Task", "Who", "Detail")


class Event(NamedTuple):
    """A row of Worklist.history; times are aware."""

    task_id: str
    title: str
    event: str
    happened_at: dt.datetime
    facility_id: str | None
    staff: str
    to_staff: str | None
    deferred_until: dt.datetime | None
    reason: str | None
    linked_task_id: str | None


def when(worklist: Worklist, task: pd.Series, at: dt.datetime) -> str:
    """A moment in the time of the task's facility."""
    return f"{local(at, _zones(worklist).get(task['facility_id'], 'UTC')):%B %-d, %Y, %H:%M}"


def show(worklist: Worklist, steps: pd.DataFrame, task_id: str) -> None:
    """The steps of one task and of those it came from or became, newest first.

    `steps` are those of its patient.
    """
    events = typed_rows.read(Event, steps)
    linked = {event.linked_task_id for event in events if event.task_id == task_id}
    zones = _zones(worklist)
    for event in reversed(events):
        if event.task_id != task_id and event.task_id not in linked:
            continue
        at, detail = _local(event, zones), _detail(event, zones)
        other = "" if event.task_id == task_id else f" ({escape_markdown(event.title)})"
        step = f"**{escape_markdown(EVENTS[event.event])}**{other} · {escape_markdown(event.staff)}"
        with st.container(horizontal=True, gap="small"):
            st.markdown(caption(f"{at:%b %-d, %Y %H:%M}"), width=150)
            st.markdown(step + (f": {escape_markdown(detail)}" if detail else ""), width="stretch")


def table(worklist: Worklist, events: pd.DataFrame) -> pd.DataFrame:
    """The same for a whole patient, one row a step, newest first; times are the facility's."""
    zones = _zones(worklist)
    rows = [
        (
            _local(event, zones).replace(tzinfo=None),
            EVENTS[event.event],
            event.title,
            event.staff,
            _detail(event, zones),
        )
        for event in reversed(typed_rows.read(Event, events))
    ]
    return pd.DataFrame(rows, columns=list(HEADINGS))


def _local(event: Event, zones: Mapping[str, str]) -> dt.datetime:
    return local(event.happened_at, zones.get(event.facility_id or "", "UTC"))


def _detail(event: Event, zones: Mapping[str, str]) -> str:
    parts = []
    if event.event == "deferred" and event.deferred_until is not None:
        until = local(event.deferred_until, zones.get(event.facility_id or "", "UTC"))
        parts.append(f"until {until:%b %-d, %Y %H:%M}")
    if event.event == "assigned":
        parts.append(f"to {event.to_staff or 'the record’s owner'}")
    if event.event == "owner_changed":
        parts.append(f"to {event.to_staff or 'nobody'}")
    if event.reason:
        parts.append(event.reason)
    said = "; ".join(parts)
    # What people wrote stays as they wrote it.
    return said[:1].upper() + said[1:] if event.staff == "System" else said


def _zones(worklist: Worklist) -> dict[str, str]:
    rows = worklist.facilities()
    return dict(zip(rows["facility_id"], rows["time_zone"], strict=True))
