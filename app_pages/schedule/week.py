"""The parts of the schedule page: the week, its numbers, the table of its cases, and the way from a row to its patient."""

from __future__ import annotations

import datetime as dt
import hashlib

import pandas as pd
import streamlit as st

from app_pages.session import workspace
from app_pages.session.markdown import caption, escape_markdown
from app_pages.url import view as url_view
from app_pages.url.view import View
from pipelines.records import patients
from pipelines.worklist.at import State
from pipelines.worklist.worklist import Worklist

WEEKS_AROUND = 156  # before and after this week; no schedule is asked for further away
ROW_HEIGHT, MOST_PIXELS = 36, 650
UNDER, FULL, NO_TARGET = "Under-scheduled", "Fully scheduled", "No target"
COLOURS = ["#FECDCA", "#D1FADF", "#E4E7EC"]


def sunday_of(day: dt.date) -> dt.date:
    """The first day of a day's week."""
    return day - dt.timedelta(days=(day.weekday() + 1) % 7)


def days_around(today: dt.date) -> list[str]:
    """Every day a URL may name."""
    weeks = WEEKS_AROUND + 1  # one more: at some facility it may be another week than here
    first = sunday_of(today) - dt.timedelta(weeks=weeks)
    return [
        (first + dt.timedelta(days=number)).isoformat() for number in range(7 * (2 * weeks + 1))
    ]


def choose(view: View, today: dt.date) -> dt.date:
    """The Sunday of the week shown, with the buttons and the date box that change it."""
    this_week = sunday_of(today)
    first = sunday_of(dt.date.fromisoformat(view["week"])) if view["week"] else this_week
    earliest, latest = (
        this_week + dt.timedelta(weeks=weeks) for weeks in (-WEEKS_AROUND, WEEKS_AROUND)
    )

    def go(to: dt.date) -> None:
        view.set("week", None if sunday_of(to) == this_week else sunday_of(to).isoformat())

    def take() -> None:
        go(st.session_state["schedule.day"])

    with st.container(horizontal=True, vertical_alignment="bottom"):
        for label, icon, to in (
            ("Previous week", ":material/chevron_left:", first - dt.timedelta(weeks=1)),
            ("Next week", ":material/chevron_right:", first + dt.timedelta(weeks=1)),
            ("This week", ":material/today:", this_week),
        ):
            is_here = not earliest <= to <= latest or to == first
            st.button(
                label,
                icon=icon,
                key=f"schedule.{label}",
                disabled=is_here,
                on_click=url_view.touch(go),
                args=(to,),
            )
        st.session_state["schedule.day"] = first
        st.date_input(
            "Week of (any of its days)",
            key="schedule.day",
            min_value=earliest,
            max_value=latest + dt.timedelta(days=6),
            format="MM/DD/YYYY",
            width=190,
            on_change=url_view.touch(take),
        )
    return first


def week_in_words(first: dt.date) -> str:
    """Sunday to Saturday, with the year once."""
    last = first + dt.timedelta(days=6)
    return f"Sunday, {first:%B %-d} to Saturday, {last:%B %-d, %Y}"


def cases(worklist: Worklist, facility_id: str, first: dt.date) -> pd.DataFrame:
    """The rows of records.schedule_week, kept while the list is the same."""
    return _cases(worklist.state, facility_id, first, worklist)


@st.cache_data(max_entries=50, show_spinner=False)
def _cases(state: State, facility_id: str, first: dt.date, _worklist: Worklist) -> pd.DataFrame:
    return patients.schedule_week(_worklist.con, facility_id, first)


def show_numbers(rows: pd.DataFrame) -> None:
    """The week in six numbers, with their shares of the target and of the visits scheduled."""
    with_target = rows[rows["target"].fillna(0) > 0]
    target, towards = int(with_target["target"].sum()), int(with_target["scheduled"].sum())
    scheduled, under = int(rows["scheduled"].sum()), int(rows["is_under_scheduled"].sum())
    of_scheduled = f"Of the {scheduled:,} visits scheduled"
    tiles = [
        ("Open cases", len(rows), f"{len(rows) - len(with_target):,} without target", None),
        ("Under-scheduled", under, f"of {len(with_target):,} with target", None),
        (
            "Scheduled",
            towards,
            f"of {target:,} ({_share(towards, target)})",
            f"Visits of cases with a target; all cases together have {scheduled:,}",
        ),
    ]
    for label, column in (
        ("Completed", "completed"),
        ("Cancelled", "cancelled"),
        ("No-show", "no_show"),
    ):
        tiles.append(
            (
                label,
                int(rows[column].sum()),
                _share(int(rows[column].sum()), scheduled),
                of_scheduled,
            )
        )
    with st.grid(6, min_column_width=120):
        for label, value, beside, tip in tiles:
            st.metric(
                label,
                f"{value:,}",
                delta=beside,
                delta_color="off",
                delta_arrow="off",
                border=True,
                help=tip,
            )
    st.markdown(
        caption(
            "Scheduled counts every visit booked for the week, whatever became of it; the other three are of those. Days are the facility’s."
        )
    )


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.0%}" if whole else "no share"


def show_cases(rows: pd.DataFrame, week: str) -> None:
    """The table, under-scheduled cases first, and a link to the patient of the ticked row, who is looked at there and noted."""
    key = (
        "schedule."
        + hashlib.sha1(repr((week, *rows["case_id"])).encode(), usedforsecurity=False).hexdigest()[
            :16
        ]
    )
    st.session_state["schedule.key"] = key
    chosen = st.session_state.get(key, {}).get("selection", {}).get("rows", [])

    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        for row in rows.iloc[[number for number in chosen if number < len(rows)]].itertuples():
            st.page_link(
                workspace.pages()["patient"],
                label=f"Open {escape_markdown(row.patient)}",
                icon=":material/person:",
                query_params={"patient_id": row.patient_id, "section": "schedule"},
            )
        if not chosen:
            st.text("Tick a case for the link to its patient")
    st.dataframe(
        _shown(rows),
        key=key,
        on_select=url_view.touch(),
        selection_mode="single-row",
        hide_index=True,
        lazy=False,
        row_height=ROW_HEIGHT,
        height=min(ROW_HEIGHT * (len(rows) + 1) + 3, MOST_PIXELS),
        placeholder="",
        alt=f"{len(rows)} cases, those with fewer visits than their target first",
        column_config=_columns(),
    )


def _shown(rows: pd.DataFrame) -> pd.DataFrame:
    state = pd.Series(FULL, index=rows.index)
    state[rows["target"].fillna(0) == 0] = NO_TARGET
    state[rows["is_under_scheduled"].astype(bool)] = UNDER
    shares = {
        name: rows[f"{name}_share"].astype(float).round(2)
        for name in ("scheduled", "completed", "cancelled", "no_show")
    }
    return pd.DataFrame(
        {
            "state": [[value] for value in state],
            "patient": rows["patient"],
            "therapist": rows["therapist"],
            "target": rows["target"].astype("Int64"),
            **{
                column: value
                for name in shares
                for column, value in ((name, rows[name]), (f"{name}_share", shares[name]))
            },
            "reminders": rows["reminders"],
            "case_id": rows["case_id"],
        }
    )


def _columns() -> dict[str, object]:
    config = st.column_config
    share = {"format": "percent", "width": 50}
    return {
        "state": config.MultiselectColumn(
            "Week", options=[UNDER, FULL, NO_TARGET], color=COLOURS, width=118
        ),
        "patient": config.TextColumn("Patient", width=112),
        "therapist": config.TextColumn("Therapist", width=112),
        "target": config.NumberColumn("Target", width=52, help="Visits a week"),
        "scheduled": config.NumberColumn("Scheduled", width=72),
        "scheduled_share": config.NumberColumn("%", help="Scheduled of target", **share),
        "completed": config.NumberColumn("Completed", width=74),
        "completed_share": config.NumberColumn("%", help="Completed of scheduled", **share),
        "cancelled": config.NumberColumn("Cancelled", width=70),
        "cancelled_share": config.NumberColumn("%", help="Cancelled of scheduled", **share),
        "no_show": config.NumberColumn("No-show", width=62),
        "no_show_share": config.NumberColumn("%", help="No-show of scheduled", **share),
        "reminders": config.TextColumn(
            "Reminders", width=140, help="The reminder status of the week's visits"
        ),
        "case_id": config.TextColumn("Case", width=90),
    }
