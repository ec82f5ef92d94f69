"""The result of a backtest: counts, each day with and without the change, and the tasks."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import NamedTuple
from zoneinfo import ZoneInfo

import pandas as pd
import streamlit as st

from app_pages.components import chart, run_times
from app_pages.session import labels, patient_data, typed_rows
from app_pages.session.markdown import caption, escape_markdown
from app_pages.session.patient_data import Replayed
from pipelines.analytics import charts
from pipelines.analytics.backtest import Comparison
from pipelines.rules import docs
from pipelines.worklist.worklist import Worklist

KINDS = {
    "only_changed": "Only with the change",
    "only_now": "Only as it is now",
    "earlier": "Earlier with the change",
}
NOW, CHANGED = "As it is now", "With the change"


def show(worklist: Worklist, found: Comparison) -> None:
    """The whole result, from the counts to the single tasks."""
    tasks = patient_data.replayed(found)
    changed = ", ".join(
        f"{name} {docs.written(found.params[name])} → {docs.written(value)}"
        for name, value in found.changed.items()
    )
    first, last = found.days["as_of"].min(), found.days["as_of"].max()
    st.markdown(
        f"**{escape_markdown(changed)}**, over {len(found.days)} extracts "
        f"from {first:%b %-d} to {last:%b %-d}"
    )
    with st.grid(3):
        for name, label in KINDS.items():
            st.metric(label, f"{len(getattr(tasks, name)):,}", border=True)
    _show_pictures(found.days)
    _show_days(worklist, found.days)
    facilities = worklist.facilities()
    zones = dict(zip(facilities["facility_id"], facilities["time_zone"], strict=True))
    _show_tasks(_tasks_that_differ(tasks, labels.facilities(worklist), zones))


def _show_pictures(days: pd.DataFrame) -> None:
    days = days.assign(day=[f"{at:%b %-d}" for at in days["as_of"]])
    opened, still_open = st.columns(2)
    with opened:
        st.markdown("**Opened in each run**")
        now, changed = days["opened_now"].sum(), days["opened_changed"].sum()
        alt = (
            f"{now:,} as it is now, {changed:,} with the change. "
            "The first run opens all that was due by then."
        )
        figure = charts.bars(
            days, "day", {"opened_now": NOW, "opened_changed": CHANGED}, "Tasks"
        ).update_xaxes(type="category")
        chart.show(figure, alt, "backtest.opened", height=260)
    with still_open:
        st.markdown("**Open after each run, if nobody did anything**")
        now, changed = days["open_now"].iloc[-1], days["open_changed"].iloc[-1]
        alt = f"At the end {now:,} as it is now, {changed:,} with the change."
        figure = charts.lines(
            days, "day", {"open_now": NOW, "open_changed": CHANGED}, "", "Tasks", is_step=True
        ).update_xaxes(type="category")
        chart.show(figure, alt, "backtest.open", height=260)


def _show_days(worklist: Worklist, days: pd.DataFrame) -> None:
    heads = {
        "opened_now": "Opened now",
        "opened_changed": "Opened changed",
        "closed_now": "Closed now",
        "closed_changed": "Closed changed",
        "open_now": "Open now",
        "open_changed": "Open changed",
        "withheld_now": "Withheld because",
    }
    st.dataframe(
        days.assign(as_of=run_times.local(worklist, days["as_of"]))[["as_of", *heads]],
        hide_index=True,
        row_height=36,
        placeholder="",
        alt=f"{len(days)} runs: opened, closed and open, as it is now and with the change",
        column_config={
            "as_of": st.column_config.DatetimeColumn(
                run_times.heading(worklist, "As of"), format="MMM D, YYYY, HH:mm", width=150
            ),
            **heads,
        },
    )


class OpenedTask(NamedTuple):
    """A task as one of the two replays opened it; `opened_at` is aware."""

    patient_id: str
    subject_id: str
    facility_id: str
    since: dt.date
    opened_at: dt.datetime
    reason: str


def _tasks_that_differ(
    found: Replayed, facilities: Mapping[str, str], zones: Mapping[str, str]
) -> pd.DataFrame:
    """One row per task that differs.

    Columns: kind, patient_id, subject_id, facility, since, the facility's days opened (now) and
    opened_changed (with the change), and reason.
    """
    with_change = {
        "only_changed": found.only_changed["opened_at"].tolist(),
        "only_now": [None] * len(found.only_now),
        "earlier": found.earlier["opened_at_changed"].tolist(),
    }
    rows = []
    for name, label in KINDS.items():
        tasks = typed_rows.read(OpenedTask, getattr(found, name))
        for task, changed_at in zip(tasks, with_change[name], strict=True):
            zone = ZoneInfo(zones.get(task.facility_id, "UTC"))
            now_at = None if name == "only_changed" else task.opened_at
            rows.append(
                {
                    "kind": label,
                    "patient_id": task.patient_id,
                    "subject_id": task.subject_id,
                    "facility": facilities.get(task.facility_id, task.facility_id),
                    "since": task.since,
                    "opened": now_at and now_at.astimezone(zone).date(),
                    "opened_changed": changed_at and changed_at.astimezone(zone).date(),
                    "reason": task.reason,
                }
            )
    return pd.DataFrame(rows)


def _show_tasks(tasks: pd.DataFrame) -> None:
    if tasks.empty:
        st.success(
            "The same tasks on the same days: over these extracts the change makes no difference.",
            icon=":material/equal:",
        )
        return
    config = st.column_config
    st.dataframe(
        tasks,
        hide_index=True,
        row_height=36,
        height=min(36 * (len(tasks) + 1) + 3, 400),
        placeholder="",
        alt=f"{len(tasks)} tasks that differ",
        column_config={
            "kind": config.TextColumn("What", width=160),
            "patient_id": config.TextColumn("Patient id", width=86),
            "subject_id": config.TextColumn("Record", width=86),
            "facility": config.TextColumn("Facility", width=150),
            "since": config.DateColumn("Since", format="MMM D, YYYY", width=100),
            "opened": config.DateColumn("Opened now", format="MMM D", width=96),
            "opened_changed": config.DateColumn("With the change", format="MMM D", width=116),
            "reason": config.TextColumn("Reason", width=280),
        },
    )
    st.markdown(
        caption(
            "Nobody’s actions are replayed: a task that staff completed in these days counts as "
            "open here."
        )
    )
